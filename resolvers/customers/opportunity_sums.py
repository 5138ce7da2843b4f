"""Sums of opportunities: what a customer brought and may bring, per currency and never across currencies.

Only what the caller sees is counted: a hidden opportunity, stage or amount adds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import Opportunity

from ..ownership.release_dates import LOST, WON
from ..reading.clauses import value
from ..runtime.scope import Scope

Amounts = Mapping[str, Decimal]
"""Currency -> amount, in the order of the currencies."""


@dataclass(frozen=True)
class Sums:
    """What the opportunities of a customer come to.

    `weighted` is the open sum by the probability of each; it is empty where stages carry none.  `last_deal_at` is the
    moment at which one was won last.
    """

    won: Amounts = field(default_factory=dict)
    weighted: Amounts = field(default_factory=dict)
    open: Amounts = field(default_factory=dict)
    last_deal_at: datetime | None = None


def of_customer(scope: Scope, db: Session, id: int) -> Sums:
    """The sums over the opportunities of one customer that the caller sees and that are not in the bin.  One query."""
    viewer, o = scope.viewer, Opportunity
    stage, amount, currency, since = (
        value(viewer, o, o, key) for key in ("stage", "amount", "currency", "stage_changed_at")
    )
    state = case((stage == WON, "won"), (stage == LOST, "lost"), else_="open")
    asked = select(state.label("state"), currency.label("currency"), func.sum(amount), func.max(since))
    asked = asked.where(o.customer_id == id, o.deleted_at.is_(None)).group_by(state, currency).order_by(currency)
    found: dict[str, dict[str, Decimal]] = {"won": {}, "open": {}, "lost": {}}
    last: Any = None
    for state_of, currency_of, total, newest in db.execute(asked):
        if total is not None and currency_of is not None:
            found[state_of][currency_of] = total
        if state_of == "won" and newest is not None:
            last = newest if last is None else max(last, newest)
    return Sums(won=found["won"], open=found["open"], last_deal_at=last)
