"""Quota and capacity: counters changed by guarded statements, in the transaction of what they count.

A refused claim costs nothing, because its savepoint takes the count back.  The rules are exact on both databases with
any number of processes: the database compares and counts in one statement.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import ClaimRule, Department, Organisation, OwnerLoad, QuotaCounter, User
from models.audit import UNWALLED
from models.errors import CapacityReached, QuotaReached


@dataclass(frozen=True)
class Quota:
    """How much of one limit a person has used, and when it starts again."""

    period: str
    kind: str
    used: int
    limit: int
    resets_at: datetime

    def refusal(self) -> QuotaReached:
        zh = {"day": "日", "week": "周"}[self.kind]
        return QuotaReached(used=self.used, limit=self.limit, period=self.kind, period_zh=zh, resets_at=self.resets_at)


@dataclass(frozen=True)
class Capacity:
    """How many customers a person holds, and how many he may; None is no limit."""

    held: int
    limit: int | None

    @property
    def full(self) -> bool:
        return self.limit is not None and self.held >= self.limit


# --- quota -----------------------------------------------------------------------------------------------


def periods(rule: ClaimRule | None, now: datetime, zone: str) -> list[tuple[str, str, int, datetime]]:
    """(kind, period key, limit, when the next period begins) for each limit that `rule` sets."""
    local = now.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=local.weekday())
    year, week, _ = local.isocalendar()
    found = []
    if rule is not None and rule.daily_quota is not None:
        found.append(("day", local.date().isoformat(), rule.daily_quota, midnight + timedelta(days=1)))
    if rule is not None and rule.weekly_quota is not None:
        found.append(("week", f"{year}-W{week:02d}", rule.weekly_quota, monday + timedelta(days=7)))
    return found


def quotas(db: Session, rule: ClaimRule | None, user_id: int, now: datetime, zone: str) -> list[Quota]:
    """What a person has used of each limit of a pool.  One query for each limit."""
    found = []
    for kind, period, limit, resets_at in periods(rule, now, zone):
        counter = select(QuotaCounter.used).where(
            QuotaCounter.pool_id == rule.pool_id,  # type: ignore[union-attr]  periods are only there with a rule
            QuotaCounter.user_id == user_id,
            QuotaCounter.period == period,
        )
        used = db.execute(counter, execution_options=UNWALLED).scalar() or 0
        found.append(Quota(period, kind, used, limit, resets_at))
    return found


def take_quota(db: Session, rule: ClaimRule | None, user_id: int, now: datetime, zone: str) -> None:
    """Count one claim against every limit of the pool.  Raises QuotaReached."""
    for kind, period, limit, resets_at in periods(rule, now, zone):
        assert rule is not None
        values = {"pool_id": rule.pool_id, "user_id": user_id, "period": period, "used": 1}
        statement = (
            upsert(db)(QuotaCounter)
            .values(values)
            .on_conflict_do_update(
                index_elements=["pool_id", "user_id", "period"],
                set_={"used": QuotaCounter.used + 1},
                where=QuotaCounter.used < limit,
            )
            .returning(QuotaCounter.used)
        )
        if limit < 1 or db.execute(statement, execution_options=UNWALLED).first() is None:
            raise Quota(period, kind, max(limit, 0), limit, resets_at).refusal()


def zone_of(db: Session) -> str:
    """The organisation's time zone: where its days and weeks begin."""
    return db.execute(select(Organisation.time_zone), execution_options=UNWALLED).scalar() or "UTC"


# --- capacity --------------------------------------------------------------------------------------------


def limit_of(db: Session, user_id: int) -> int | None:
    """How many customers a person may hold: his own number, else the nearest department's, else the house's."""
    mine = select(Department.path).join(User, User.department_id == Department.id).where(User.id == user_id)
    nearest = (
        select(Department.capacity)
        .where(Department.capacity.is_not(None), Department.deleted_at.is_(None))
        .where(mine.scalar_subquery().startswith(Department.path))
        .order_by(func.length(Department.path).desc())
        .limit(1)
    )
    own = select(User.capacity).where(User.id == user_id)
    house = select(Organisation.capacity).limit(1)
    answer = select(
        func.coalesce(own.scalar_subquery(), nearest.scalar_subquery(), house.scalar_subquery(), literal(None))
    )
    limit: int | None = db.execute(answer, execution_options=UNWALLED).scalar()
    return limit


def capacity(db: Session, user_id: int) -> Capacity:
    held = db.execute(select(OwnerLoad.held).where(OwnerLoad.user_id == user_id)).scalar() or 0
    return Capacity(held, limit_of(db, user_id))


def take_room(db: Session, user: User, *, at_most: int | None = None) -> None:
    """Count one more customer for `user`.  Raises CapacityReached.  `at_most` is a pool's own, smaller limit."""
    limits = [limit for limit in (limit_of(db, user.id), at_most) if limit is not None]
    limit = min(limits) if limits else None
    statement = (
        upsert(db)(OwnerLoad)
        .values(user_id=user.id, held=1)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_={"held": OwnerLoad.held + 1},
            where=None if limit is None else OwnerLoad.held < limit,
        )
        .returning(OwnerLoad.held)
    )
    if limit == 0 or db.execute(statement, execution_options=UNWALLED).first() is None:
        held = capacity(db, user.id).held
        raise CapacityReached(name=user.name, held=held, limit=limit)


def give_room(db: Session, user_id: int) -> None:
    """Count one customer less."""
    held = update(OwnerLoad).where(OwnerLoad.user_id == user_id, OwnerLoad.held > 0)
    db.execute(held.values(held=OwnerLoad.held - 1), execution_options={**UNWALLED, "synchronize_session": False})


def upsert(db: Session):  # type: ignore[no-untyped-def]  # the two dialects share a form and no type
    """The `insert` of the open database, which knows ON CONFLICT."""
    return postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
