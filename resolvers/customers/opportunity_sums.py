"""Sums of opportunities: open, weighted, won and lost, by stage, person, team, pipeline or month.

Amounts of different currencies are never added.  What the caller may not see, a record or its amount, does not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import Customer, Opportunity, User
from models.base import Money
from models.pipeline import StageKind

from ..reading.clauses import value, visible
from ..reading.conditions import Condition
from ..reading.pages import ListRequest, Reading
from ..runtime.scope import Scope

_NONE = Decimal("0.00")
_COMING = (StageKind.OPEN, StageKind.ON_HOLD)


class SumsBy(StrEnum):
    """What opportunities are grouped by; a team is the department of the owner."""

    STAGE = "STAGE"
    """The stage, in the order of its pipeline."""
    PERSON = "PERSON"
    """The owner."""
    TEAM = "TEAM"
    """The owner's department."""
    PIPELINE = "PIPELINE"
    """The pipeline that the opportunities go through."""
    MONTH = "MONTH"
    """The month of the expected close, or of the actual one."""


@dataclass
class Total:
    """The sums in one currency.  `weighted`: what is open, times its probability."""

    currency: str
    open: Decimal = _NONE
    weighted: Decimal = _NONE
    won: Decimal = _NONE
    lost: Decimal = _NONE


@dataclass
class Group:
    """One group: its key (a stage, an id, the first day of a month; None without one), counts, and totals by currency.

    An opportunity in a month is won or lost then, or expected to be closed then.
    """

    key: Any
    open: int = 0
    won: int = 0
    lost: int = 0
    by_currency: dict[str, Total] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.open + self.won + self.lost

    @property
    def totals(self) -> list[Total]:
        """The totals, the currency with most money first."""
        return sorted(self.by_currency.values(), key=lambda x: (-(x.open + x.won + x.lost), x.currency))

    def add(self, state: StageKind, currency: str | None, count: int, amount: Decimal | None, chance: int) -> None:
        """Add opportunities of one state, currency and probability."""
        kind = "open" if state in _COMING else state.value.lower()
        setattr(self, kind, getattr(self, kind) + count)
        if amount is None or currency is None:
            return
        total = self.by_currency.setdefault(currency, Total(currency))
        setattr(total, kind, getattr(total, kind) + amount.quantize(_NONE))
        if kind == "open":
            total.weighted += (amount * chance / 100).quantize(_NONE)

    def join(self, other: "Group") -> None:
        """Add another group."""
        self.open, self.won, self.lost = self.open + other.open, self.won + other.won, self.lost + other.lost
        for currency, theirs in other.by_currency.items():
            mine = self.by_currency.setdefault(currency, Total(currency))
            for kind in ("open", "weighted", "won", "lost"):
                setattr(mine, kind, getattr(mine, kind) + getattr(theirs, kind))


@dataclass(frozen=True)
class Sums:
    """What the opportunities of one customer come to, by currency, and when one was won last."""

    won: Mapping[str, Decimal]
    weighted: Mapping[str, Decimal]
    open: Mapping[str, Decimal]
    last_deal_at: datetime | None


def of_customer(scope: Scope, db: Session, id: int) -> Sums:
    """The sums of a customer.  Two queries."""
    whole = Group(None)
    for group in groups(scope, db, SumsBy.STAGE, narrows={"customer_id": {"eq": id}}):
        whole.join(group)
    deal: Any = value(scope.viewer, Customer, Customer, "last_deal_at")
    last = db.execute(select(deal).where(Customer.id == id)).scalar()
    found = {kind: {x.currency: getattr(x, kind) for x in whole.totals} for kind in ("won", "weighted", "open")}
    return Sums(last_deal_at=last, **{kind: {c: x for c, x in sums.items() if x} for kind, sums in found.items()})


def groups(
    scope: Scope,
    db: Session,
    by: SumsBy,
    condition: Condition | None = None,
    narrows: Mapping[str, Any] | None = None,
) -> list[Group]:
    """The groups of the visible opportunities that meet a condition, by their keys, None last.  One query, for teams two.

    `condition` is one that a user wrote, `narrows` a filter by column keys.  Raises Validation for a wrong condition.
    """
    made: dict[Any, Group] = {}
    for key, *facts in db.execute(_statement(scope, by, condition or {}, narrows or {})):
        made.setdefault(key, Group(key)).add(*_read(facts))
    found: Iterable[Group] = made.values()
    if by is SumsBy.TEAM:
        found = _folded(found, _teams(scope, db, [key for key in made if key is not None]).get)
    elif by is SumsBy.MONTH:
        found = _folded(found, _month)
    return sorted(found, key=lambda group: (group.key is None, group.key if group.key is not None else 0))


def _read(facts: list[Any]) -> tuple[StageKind, str | None, int, Decimal | None, int]:
    state, currency, chance, count, amount = facts
    return StageKind(state), currency, count, amount, chance or 0


def _statement(scope: Scope, by: SumsBy, condition: Condition, narrows: Mapping[str, Any]) -> Any:
    reading = Reading(scope, ListRequest(Opportunity, (), filter=narrows, condition=condition))
    viewer, e = scope.viewer, reading.e
    state, currency, chance, amount = (
        value(viewer, Opportunity, e, key) for key in ("state", "currency", "probability", "amount")
    )
    key = _key(by, {k: value(viewer, Opportunity, e, k) for k in _COLUMNS[by]}, state)
    parts = [key.label("k"), state.label("s"), currency.label("c"), chance.label("p")]
    summed = visible(viewer, Opportunity, *parts, func.count(e.id), func.sum(amount, type_=Money()))
    return summed.where(*reading.listed(), state.is_not(None)).group_by("k", "s", "c", "p")


_COLUMNS: dict[SumsBy, tuple[str, ...]] = {
    SumsBy.STAGE: ("stage",),
    SumsBy.PERSON: ("owner_id",),
    SumsBy.TEAM: ("owner_id",),
    SumsBy.PIPELINE: ("pipeline_id",),
    SumsBy.MONTH: ("expected_close", "closed_on"),
}


def _key(by: SumsBy, columns: Mapping[str, Any], state: Any) -> Any:
    if by is not SumsBy.MONTH:
        return next(iter(columns.values()))
    is_over = state.in_([StageKind.WON, StageKind.LOST])
    return case((is_over, columns["closed_on"]), else_=columns["expected_close"])


def _folded(found: Iterable[Group], key_of: Any) -> list[Group]:
    """Groups whose keys come to the same as one."""
    folded: dict[Any, Group] = {}
    for group in found:
        key = key_of(group.key) if group.key is not None else None
        folded.setdefault(key, Group(key)).join(group)
    return [*folded.values()]


def _teams(scope: Scope, db: Session, owners: list[int]) -> dict[int, int | None]:
    """Owner -> department, as far as the caller sees it."""
    department = value(scope.viewer, User, User, "department_id")
    found = db.execute(select(User.id, department).where(User.id.in_(owners))) if owners else ()
    teams: dict[int, int | None] = defaultdict(lambda: None)
    return teams | {id: team for id, team in found}  # noqa: C416  rows are no pairs


def _month(day: date) -> date:
    return day.replace(day=1)
