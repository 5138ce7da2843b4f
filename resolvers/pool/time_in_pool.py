"""Time in the pool: why a customer lies there, since when, and how long it may stay.  Reads under the read guard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod, Pool, User
from models.ownership import Ended

from ..reading.clauses import value
from ..runtime.scope import Scope
from ..runtime.viewer import Viewer


@dataclass(frozen=True)
class Stay:
    """A customer's stay in a pool.

    `ended`, `former` and `reason`: how the last ownership ended, the name of that owner, and the reason given; all
    None for a customer without a former owner.  `until`: when the time limit of the pool ends; None means never.
    """

    pool: str
    since: datetime
    until: datetime | None
    ended: Ended | None
    former: str | None
    reason: str | None

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the time limit of the pool ends, 0 from then on; None without a limit."""
        return None if self.until is None else max(0, (self.until - now).days)


def of(scope: Scope, db: Session, customer_ids: Sequence[int]) -> dict[int, Stay]:
    """Customer id -> its stay, for the visible customers that lie in pools; hidden values are None.  Two queries."""
    viewer = scope.viewer
    before = _last_periods(viewer, db, customer_ids)
    since, name, days = (
        value(viewer, Customer, Customer, "pooled_at"),
        value(viewer, Pool, Pool, "name"),
        value(viewer, Pool, Pool, "retain_days"),
    )
    lying = (
        select(Customer.id, since, name, days)
        .join(Pool, Pool.id == Customer.pool_id)
        .where(Customer.id.in_(customer_ids), Customer.pooled_at.is_not(None))
    )
    return {
        id: Stay(pool, since, since + timedelta(days=days) if days else None, *before.get(id, (None, None, None)))
        for id, since, pool, days in db.execute(lying)
        if since is not None
    }


def _last_periods(
    viewer: Viewer, db: Session, ids: Sequence[int]
) -> dict[int, tuple[Ended | None, str | None, str | None]]:
    """Customer id -> (how its last ownership ended, name of the owner, reason given)."""
    period = OwnershipPeriod
    how, owner, reason = (value(viewer, period, period, key) for key in ("ended", "owner_id", "reason"))
    ended = (
        select(period.customer_id, how, value(viewer, User, User, "name"), reason)
        .outerjoin(User, User.id == owner)
        .where(period.customer_id.in_(ids), period.ended_at.is_not(None))
        .order_by(period.id)
    )
    return {id: (how, name, reason) for id, how, name, reason in db.execute(ended)}
