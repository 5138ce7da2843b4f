"""Ownership periods: opened and closed in the transaction that changes the owner.

Neither flushes the session: a use case flushes the change of the customer by itself, before or after.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.ownership import Began, Ended

from .share_ends import end_shares, end_shares_with

RECENT = timedelta(hours=1)
"""Time after a claim in which other users are told that they lost the race; later the customer is out of sight."""


def begin(
    db: Session,
    customer: Customer,
    began: Began,
    at: datetime,
    *,
    pool_id: int | None = None,
    pooled_at: datetime | None = None,
) -> None:
    """Open the period of the customer's new owner, with the pool that it came from and since when it lay there.

    The period before must be closed.
    """
    row = {"customer_id": customer.id, "owner_id": customer.owner_id, "pool_id": pool_id, "began": began}
    _BEGIN.run(db, **row, started_at=at, pooled_at=pooled_at)
    end_shares_with(db, customer.id, customer.owner_id, at)


def begin_all(db: Session, owners: Mapping[int, int], began: Began, at: datetime) -> None:
    """Open the first periods of several new customers: customer -> owner."""
    _BEGIN.run_each(
        db.connection(),
        [
            {"customer_id": id, "owner_id": owner, "began": began, "started_at": at, "pool_id": None, "pooled_at": None}
            for id, owner in owners.items()
        ],
    )


def end(db: Session, customer_id: int, ended: Ended, at: datetime, reason: str | None = None) -> None:
    """Close the open period, if there is one.  A customer that goes to a pool is shared no more."""
    _END.run(db, customer=customer_id, ended=ended, ended_at=at, reason=reason)
    if ended is Ended.RELEASE:
        end_shares(db, customer_id, at)


def end_all(db: Session, reasons: Mapping[int, str | None], ended: Ended, at: datetime) -> None:
    """Close the open periods of several customers: customer -> reason."""
    _END.run_each(
        db.connection(),
        [{"customer": id, "ended": ended, "ended_at": at, "reason": why} for id, why in reasons.items()],
    )
    for id in reasons if ended is Ended.RELEASE else ():
        end_shares(db, id, at)


def last_left(customer_id: Any, owner_id: Any) -> ColumnElement[datetime | None]:
    """The time at which this user last ceased to own the customer, within a statement; NULL for never."""
    period = _TABLE.alias("was_owned").c
    last = select(func.max(period.ended_at)).where(period.customer_id == customer_id, period.owner_id == owner_id)
    return last.scalar_subquery()


def all_left_at(db: Session, customer_ids: Sequence[int], owner_id: int) -> dict[int, datetime]:
    """The same of each of these customers, without those that the user never owned."""
    given = {"customers": list(customer_ids), "owner": owner_id}
    found = db.execute(_ENDS, given, execution_options=bypass_policy(Because.COUNTS_OWN_RECORDS))
    return {customer_id: at for customer_id, at in found if at is not None}


_TABLE: Any = OwnershipPeriod.__table__
_PERIOD = _TABLE.c
_BEGIN = Prepared(
    insert(_TABLE),
    ["customer_id", "owner_id", "pool_id", "began", "started_at", "pooled_at"],
    because=Because.FOLLOWS_CHECK,
)
_END = Prepared(
    update(_TABLE).where(_PERIOD.customer_id == bindparam("customer"), _PERIOD.ended_at.is_(None)),
    ["ended", "ended_at", "reason"],
    because=Because.FOLLOWS_CHECK,
)
_ENDS = (
    select(_PERIOD.customer_id, func.max(_PERIOD.ended_at))
    .where(_PERIOD.customer_id.in_(bindparam("customers", expanding=True)), _PERIOD.owner_id == bindparam("owner"))
    .where(_PERIOD.ended_at.is_not(None))
    .group_by(_PERIOD.customer_id)
)
