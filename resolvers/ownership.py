"""Ownership periods: opened and closed in the transaction that hands a customer on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod
from models.audit import UNWALLED
from models.ownership import Began, Ended

RECENT = timedelta(hours=1)
"""How long after a claim the loser of the race is told that he lost it; later it is simply somebody else's."""


def begin(db: Session, customer: Customer, began: Began, at: datetime, *, pool_id: int | None = None) -> None:
    """Open the period of the customer's new owner; the one before must be closed."""
    db.add(
        OwnershipPeriod(
            customer_id=customer.id, owner_id=customer.owner_id, pool_id=pool_id, began=began, started_at=at
        )
    )


def end(db: Session, customer_id: int, ended: Ended, at: datetime, reason: str | None = None) -> None:
    """Close the open period, if there is one."""
    period = OwnershipPeriod
    statement = (
        update(period)
        .where(period.customer_id == customer_id, period.ended_at.is_(None))
        .values(ended=ended, ended_at=at, reason=reason)
    )
    db.execute(statement, execution_options={**UNWALLED, "synchronize_session": False})


def left_at(db: Session, customer_ids: Sequence[int], owner_id: int) -> dict[int, datetime]:
    """When this person last ceased to own each of these customers; those that he never owned are left out."""
    period = OwnershipPeriod
    ends = (
        select(period.customer_id, func.max(period.ended_at))
        .where(period.customer_id.in_(customer_ids), period.owner_id == owner_id, period.ended_at.is_not(None))
        .group_by(period.customer_id)
    )
    return {customer_id: at for customer_id, at in db.execute(ends, execution_options=UNWALLED) if at is not None}
