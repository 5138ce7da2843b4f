"""Quota and capacity: counters changed by guarded statements, in the transaction of what they count.

A refused claim costs nothing, because its savepoint takes the count back.  The rules are exact on both databases with
any number of processes: the database compares and counts in one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, Department, Entity, Organisation, OwnerLoad, QuotaCounter, User
from models.audit import UNWALLED
from models.errors import CapacityReached, QuotaReached
from models.prepared import Prepared


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

    def within(self, limit: int | None) -> "Capacity":
        """The same under one more limit; the smaller one holds."""
        limits = [x for x in (self.limit, limit) if x is not None]
        return Capacity(self.held, min(limits) if limits else None)


# --- quota -----------------------------------------------------------------------------------------------


def periods(rule: ClaimRule | None, now: datetime, zone: str) -> list[tuple[str, str, int, datetime]]:
    """(kind, period key, limit, when the next period begins) for each limit that `rule` sets."""
    today = now.astimezone(ZoneInfo(zone)).date()
    year, week, weekday = today.isocalendar()
    found = []
    if rule is not None and rule.daily_quota is not None:
        tomorrow = midnight(today + timedelta(days=1), zone)
        found.append(("day", today.isoformat(), rule.daily_quota, tomorrow))
    if rule is not None and rule.weekly_quota is not None:
        monday = midnight(today + timedelta(days=8 - weekday), zone)
        found.append(("week", f"{year}-W{week:02d}", rule.weekly_quota, monday))
    return found


def midnight(day: date, zone: str) -> datetime:
    """When a day begins in a time zone, in UTC; where the clocks jump over midnight, the moment of the jump."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def quotas(db: Session, rule: ClaimRule | None, user_id: int, now: datetime, zone: str) -> list[Quota]:
    """What a person has used of each limit of a pool."""
    wanted = periods(rule, now, zone)
    if rule is None or not wanted:
        return []
    counters = select(QuotaCounter.period, QuotaCounter.used).where(
        QuotaCounter.pool_id == rule.pool_id,
        QuotaCounter.user_id == user_id,
        QuotaCounter.period.in_([period for _, period, _, _ in wanted]),
    )
    used = dict(db.execute(counters, execution_options=UNWALLED).all())
    return [Quota(period, kind, used.get(period, 0), limit, at) for kind, period, limit, at in wanted]


def take_quota(db: Session, rule: ClaimRule | None, user_id: int, now: datetime) -> None:
    """Count one claim against every limit of the pool.  Raises QuotaReached."""
    if rule is None or (rule.daily_quota is None and rule.weekly_quota is None):
        return
    zone = zone_of(db)
    for kind, period, limit, _ in periods(rule, now, zone):
        given = {"pool_id": rule.pool_id, "user_id": user_id, "period": period, "limit": limit}
        if limit < 1 or _one_claim(upsert(db)).first(db, **given) is None:
            raise next(quota for quota in quotas(db, rule, user_id, now, zone) if quota.kind == kind).refusal()


@cache
def _one_claim(insert: Any) -> Prepared:
    """Count one more below the `limit`; nothing comes back when there is no room."""
    counter = QuotaCounter.__table__
    return Prepared(
        insert(counter)
        .values(pool_id=bindparam("pool_id"), user_id=bindparam("user_id"), period=bindparam("period"), used=1)
        .on_conflict_do_update(
            index_elements=["pool_id", "user_id", "period"],
            set_={"used": counter.c.used + 1},
            where=counter.c.used < bindparam("limit"),
        )
        .returning(counter.c.used)
    )


_ZONE = Prepared(select(Organisation.__table__.c.time_zone))


def zone_of(db: Session) -> str:
    """The organisation's time zone: where its days and weeks begin."""
    found = _ZONE.first(db)
    return str(found[0]) if found else "UTC"


# --- capacity --------------------------------------------------------------------------------------------


def limit_of(db: Session, user_id: int) -> int | None:
    """How many customers a person may hold: his own number, else the nearest department's, else the house's."""
    found = _limit().first(db, user_id=user_id)
    return found[0] if found else None


@cache
def _limit() -> Prepared:
    person, department = User.__table__.c, Department.__table__.c
    own: Any = bindparam("user_id")
    mine = select(department.path).where(department.id == person.department_id, person.id == own)
    nearer = Department.__table__.alias().c
    nearest = (
        select(nearer.capacity)
        .where(nearer.capacity.is_not(None), nearer.deleted_at.is_(None))
        .where(mine.scalar_subquery().startswith(nearer.path))
        .order_by(func.length(nearer.path).desc())
        .limit(1)
    )
    house = select(Organisation.__table__.c.capacity).limit(1)
    steps = (select(person.capacity).where(person.id == own), nearest, house)
    return Prepared(select(func.coalesce(*(step.scalar_subquery() for step in steps), literal(None))))


def capacity(db: Session, user_id: int) -> Capacity:
    held = db.execute(select(OwnerLoad.held).where(OwnerLoad.user_id == user_id)).scalar() or 0
    return Capacity(held, limit_of(db, user_id))


def take_room(db: Session, user: User, *, at_most: int | None = None) -> None:
    """Count one more customer for `user`.  Raises CapacityReached.  `at_most` is a pool's own, smaller limit."""
    room = Capacity(0, limit_of(db, user.id)).within(at_most)
    given = {"user_id": user.id, "limit": _NO_LIMIT if room.limit is None else room.limit}
    if room.limit == 0 or _one_more(upsert(db)).first(db, **given) is None:
        raise CapacityReached(name=user.name, held=capacity(db, user.id).held, limit=room.limit)


_NO_LIMIT = 2**31 - 1


@cache
def _one_more(insert: Any) -> Prepared:
    """Count one more customer below the `limit`; nothing comes back when there is no room."""
    load = OwnerLoad.__table__
    return Prepared(
        insert(load)
        .values(user_id=bindparam("user_id"), held=1)
        .on_conflict_do_update(
            index_elements=["user_id"], set_={"held": load.c.held + 1}, where=load.c.held < bindparam("limit")
        )
        .returning(load.c.held)
    )


def give_room(db: Session, user_id: int) -> None:
    """Count one customer less."""
    _ONE_LESS.run(db, user=user_id)


_LOAD: Any = OwnerLoad.__table__
_ONE_LESS = Prepared(
    update(_LOAD).where(_LOAD.c.user_id == bindparam("user"), _LOAD.c.held > 0).values(held=_LOAD.c.held - 1)
)


def hand_room(db: Session, owner_id: int, heir: User) -> None:
    """Count a customer for its heir instead of its owner, the lower id first.  Raises CapacityReached."""
    if owner_id < heir.id:
        give_room(db, owner_id)
    take_room(db, heir)
    if owner_id > heir.id:
        give_room(db, owner_id)


def hold_rooms(db: Session, model: type[Entity], ids: Sequence[int], heir: int | None) -> None:
    """Lock the counters of everybody who owns one of these customers, and of the heir, in the order of their ids."""
    if model is not Customer or db.get_bind().dialect.name != "postgresql":
        return
    owners = select(Customer.owner_id).where(Customer.id.in_(ids), Customer.owner_id.is_not(None))
    counters = (
        select(OwnerLoad.user_id)
        .where(or_(OwnerLoad.user_id.in_(owners), OwnerLoad.user_id == (heir or 0)))
        .order_by(OwnerLoad.user_id)
        .with_for_update()
    )
    db.execute(counters, execution_options=UNWALLED)


def upsert(db: Session):  # type: ignore[no-untyped-def]  # the two dialects share a form and no type
    """The `insert` of the open database, which knows ON CONFLICT."""
    return postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
