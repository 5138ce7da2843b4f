"""Reminders of plans: the owner is told before a plan is due, and once more when it is overdue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import Customer, Plan
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.plan import PlanState

from ..notices.notify import notify
from ..runtime.scope import Scope

OVERDUE_AFTER = timedelta(hours=1)
"""Time after which a plan that is still open counts as forgotten."""

_p = Plan.__table__.c
_OPEN = (_p.state == PlanState.OPEN, _p.deleted_at.is_(None))
_ADVANCE = Prepared(
    update(Plan)
    .where(_p.id == bindparam("that_id"), _p.remind_at == bindparam("that_at", type_=_p.remind_at.type), *_OPEN)
    .values(remind_at=bindparam("next_at", type_=_p.remind_at.type)),
    because=Because.KEEPS_RULE,
)
"""Moves a reminder on, unless the plan was completed, put off or reminded of meanwhile."""


def remind_plans(scope: Scope, db: Session, size: int) -> int:
    """Tell owners of plans whose reminder is due; returns the number of plans that were looked at."""
    due = _due(db, scope.now(), size)
    for row in due:
        kind, next_at = _step(row, scope.now())
        if _ADVANCE.run(db, that_id=row.id, that_at=row.remind_at, next_at=next_at) and row.owner_id is not None:
            _tell(scope, db, kind, row)
    return len(due)


def _due(db: Session, now: datetime, size: int) -> Sequence[Any]:
    asked = select(_p.id, _p.customer_id, _p.owner_id, _p.due_at, _p.remind_at).where(_p.remind_at <= now, *_OPEN)
    asked = asked.order_by(_p.remind_at, _p.id).limit(size)
    return db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).all()


def _step(row: Any, now: datetime) -> tuple[str, datetime | None]:
    """(the kind of notice, when the next one is due): before its time a plan is due, after OVERDUE_AFTER overdue."""
    if now >= row.due_at + OVERDUE_AFTER:
        return "plan_overdue", None
    return "plan_due", row.due_at + OVERDUE_AFTER


def _tell(scope: Scope, db: Session, kind: str, row: Any) -> None:
    found = select(Customer).where(Customer.id == row.customer_id, Customer.deleted_at.is_(None))
    customer = db.execute(found, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one_or_none()
    if customer is not None:
        notify(scope, db, kind, [row.owner_id], customer, due=row.due_at)
