"""Ownership periods: opened and closed in the transaction that hands a customer on."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod
from models.audit import UNWALLED
from models.ownership import Began, Ended
from policies import Principal

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
    table = OwnershipPeriod.__table__
    statement = (
        update(table)
        .where(table.c.customer_id == customer_id, table.c.ended_at.is_(None))
        .values(ended=ended, ended_at=at, reason=reason)
    )
    db.execute(statement, execution_options=UNWALLED)


def last_end(db: Session, customer_id: int, owner_id: int) -> datetime | None:
    """When this person last ceased to own this customer."""
    period = OwnershipPeriod
    ends = select(func.max(period.ended_at)).where(period.customer_id == customer_id, period.owner_id == owner_id)
    found: datetime | None = db.execute(ends, execution_options=UNWALLED).scalar()
    return found


def was_just_taken(db: Session, customer_id: int, p: Principal) -> bool:
    """Whether somebody took this customer within the hour from a pool where `p` may claim: he saw it there himself."""
    period = OwnershipPeriod
    statement = select(period.id).where(
        period.customer_id == customer_id,
        period.ended_at.is_(None),
        period.owner_id != p.id,
        period.began.in_([Began.CLAIM, Began.ASSIGN]),
        period.started_at > p.now - RECENT,
        period.pool_id.in_(p.member_pools),
    )
    return db.execute(statement, execution_options=UNWALLED).first() is not None
