"""Quota and capacity: counters changed by guarded statements, in the transaction of what they count.

A refused claim costs nothing, because its savepoint takes the count back.  The rules are exact on both databases with
any number of processes: the database compares and counts in one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, Department, Entity, Organisation, OwnerLoad, QuotaCounter, User
from models.audit.entries import UNWALLED
from models.database.prepared import Prepared
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


def take_quota(db: Session, rule: ClaimRule | None, user_id: int, now: datetime, zone: str) -> None:
    """Count one claim against every limit of the pool, whose days begin in `zone`.  Raises QuotaReached."""
    limits = periods(rule, now, zone)
    if rule is None or not limits:
        return
    given: dict[str, Any] = {"pool_id": rule.pool_id, "user_id": user_id}
    for n, (_, period, limit, _) in enumerate(limits):
        given |= {f"period_{n}": period, f"limit_{n}": limit}
    counted = {row[0] for row in _one_claim(upsert(db.get_bind().dialect), len(limits)).rows(db, **given)}
    refused = [period for _, period, limit, _ in limits if period not in counted or limit < 1]
    if refused:
        quota = next(quota for quota in quotas(db, rule, user_id, now, zone) if quota.period == refused[0])
        raise replace(quota, used=quota.used - (quota.period in counted)).refusal()


@cache
def _one_claim(insert: Any, periods: int) -> Prepared:
    """Count one more in each of so many periods, below the limit of each; those come back that had room."""
    counter: Any = QuotaCounter.__table__
    names = [bindparam(f"period_{n}", type_=counter.c.period.type) for n in range(periods)]
    limit = case(
        *((counter.c.period == name, bindparam(f"limit_{n}", type_=Integer())) for n, name in enumerate(names))
    )
    whose = {"pool_id": bindparam("pool_id"), "user_id": bindparam("user_id"), "used": 1}
    return Prepared(
        insert(counter)
        .values([{**whose, "period": name} for name in names])
        .on_conflict_do_update(
            index_elements=["pool_id", "user_id", "period"],
            set_={"used": counter.c.used + 1},
            where=counter.c.used < limit,
        )
        .returning(counter.c.period)
    )


ZONE = func.coalesce(select(Organisation.__table__.c.time_zone).limit(1).scalar_subquery(), "UTC")
"""The organisation's time zone, within a statement: where its days and weeks begin."""
_ZONE = Prepared(select(ZONE))


def zone_of(db: Session) -> str:
    """The organisation's time zone."""
    return str(_ZONE.rows(db)[0][0])


# --- capacity --------------------------------------------------------------------------------------------


def limit_of(db: Session, user_id: int) -> int | None:
    """How many customers a person may hold: his own number, else the nearest department's, else the house's."""
    return _limits().rows(db, user_id=user_id)[0][0]  # type: ignore[no-any-return]


@cache
def _limit() -> ColumnElement[int | None]:
    """The same of a `:user_id`, within a statement."""
    person, department = User.__table__.c, Department.__table__.c
    own: Any = bindparam("user_id", type_=Integer())
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
    return func.coalesce(*(step.scalar_subquery() for step in steps), literal(None))


@cache
def _limits() -> Prepared:
    return Prepared(select(_limit()))


def capacity(db: Session, user_id: int) -> Capacity:
    held = db.execute(select(OwnerLoad.held).where(OwnerLoad.user_id == user_id)).scalar() or 0
    return Capacity(held, limit_of(db, user_id))


def take_room(db: Session, user: User, *, at_most: int | None = None) -> None:
    """Count one more customer for `user`.  Raises CapacityReached.  `at_most` is a pool's own, smaller limit."""
    given = {"user_id": user.id, "at_most": _NO_LIMIT if at_most is None else at_most}
    if _one_more(upsert(db.get_bind().dialect)).first(db, **given) is None:
        room = capacity(db, user.id).within(at_most)
        raise CapacityReached(name=user.name, held=room.held, limit=room.limit)


_NO_LIMIT = 2**31 - 1


@cache
def _one_more(insert: Any) -> Prepared:
    """Count one more customer below both limits, his own and `at_most`; nothing comes back when there is no room."""
    load: Any = OwnerLoad.__table__
    own = func.coalesce(_limit(), _NO_LIMIT)
    at_most = bindparam("at_most", type_=Integer())
    first = select(bindparam("user_id", type_=Integer()), literal(1)).where(own > 0, at_most > 0)
    return Prepared(
        insert(load)
        .from_select(["user_id", "held"], first)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_={"held": load.c.held + 1},
            where=and_(load.c.held < own, load.c.held < at_most),
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


def upsert(dialect: Dialect):  # type: ignore[no-untyped-def]  # the two dialects share a form and no type
    """The `insert` of the open database, which knows ON CONFLICT."""
    return postgresql.insert if dialect.name == "postgresql" else sqlite.insert
