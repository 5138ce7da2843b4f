"""Rules of opportunities and follow-ups: their author becomes their owner, and they stay with one customer."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, FollowUp, Opportunity, Organisation
from models.database.bypass import Because, bypass_policy

from ..records.organisation import currency_of
from ..runtime.inputs import invalid
from ..runtime.lifecycle import Rules, is_new
from ..runtime.scope import Scope
from .contacts import check_looks_after


def _check_time(scope: Scope, db: Session, row: FollowUp) -> None:
    """Raise Validation for a time outside of the organisation's bounds: a follow-up says what was done."""
    bounds = select(Organisation.follow_up_days_back, Organisation.follow_up_days_ahead)
    found = db.execute(bounds, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).first()
    back, ahead = found or (None, None)
    if ahead is not None and row.happened_at > scope.person.now + timedelta(days=ahead):
        raise invalid("happened_at", "lies in the future; a follow-up says what was done", "不能晚于当前时间")
    if back is not None and row.happened_at < scope.person.now - timedelta(days=back):
        raise invalid(
            "happened_at", f"lies more than {back:,} days back; check the year", f"早于 {back:,} 天前，请检查年份"
        )


class ActivityRules(Rules[Any], models=(Opportunity, FollowUp)):
    """The author is the owner unless another one is named; contact and opportunity belong to the same customer."""

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        values.setdefault("owner_id", scope.person.id)

    def check(self, scope: Scope, db: Session, row: Any, values: dict[str, Any]) -> None:
        if is_new(row) and values.get("owner_id") not in (None, scope.person.id):
            check_looks_after(scope, db, values["owner_id"], row.customer_id, model=type(row))
        if isinstance(row, FollowUp) and values.get("happened_at") is not None:
            _check_time(scope, db, row)
        if values.get("currency") is not None:
            row.currency = values["currency"] = currency_of(values["currency"])
        for model, key in ((Contact, "contact_id"), (Opportunity, "opportunity_id")):
            if values.get(key) is not None:
                _same_customer(db, model, values[key], row.customer_id, key)


def _same_customer(db: Session, model: Any, id: int, customer_id: int, key: str) -> None:
    found = db.execute(select(model.customer_id).where(model.id == id)).scalar()
    if found is not None and found != customer_id:
        raise invalid(key, "belongs to another customer", "属于其他客户")
