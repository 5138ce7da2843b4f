"""The health of a pool for its administrators: who claims how much, what comes and goes, how long it takes, what lies there.

Numbers alone: they count customers that the reader may not see, and name none.  A constant number of statements.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import (
    AssignmentDecision,
    ClaimRule,
    Customer,
    OwnershipPeriod,
    Pool,
    ReleaseRule,
    User,
)
from models.database.bypass import Because, bypass_policy
from models.errors import Forbidden, NotFound, Validation
from models.ownership import Began
from models.pool_assignment import Strategy

from ..ownership.quota import midnight
from ..reading.clauses import open_to, value
from ..runtime.scope import Scope

MOST_DAYS = 92
"""Maximum number of days of one report."""
AGES = (7, 30, 90, 180)
"""Days at which the groups of ages begin, after the first one."""
COMING = 7
"""Number of days for which releases are told in advance."""
_COUNTS = bypass_policy(Because.COUNTS_FOR_POOL)


@dataclass(frozen=True)
class PersonHealth:
    """What one user got out of the pool.  `most`: claims of their busiest day, beside the daily quota."""

    user_id: int
    name: str | None
    claimed: int
    assigned: int
    most: int


@dataclass(frozen=True)
class DayHealth:
    """Customers that came into the pool on a day, and that left it: claimed, assigned, or deleted."""

    day: date
    arrived: int
    claimed: int
    assigned: int
    deleted: int

    @property
    def left(self) -> int:
        return self.claimed + self.assigned + self.deleted


@dataclass(frozen=True)
class AgeHealth:
    """Customers that lie there for at least so many days, and fewer than so many; None is no end."""

    days: int
    below: int | None
    count: int


@dataclass(frozen=True)
class RuleHealth:
    """Automatic assignments by one strategy: customers that got an owner, and decisions for nobody."""

    strategy: Strategy
    assigned: int
    nobody: int


@dataclass(frozen=True)
class Health:
    """The report.  `median` and `ninetieth`: times from the arrival to the claim; None without a claim.

    A customer that was moved on counts in the pool where it went.
    """

    pool_id: int
    first: date
    last: date
    daily_quota: int | None
    weekly_quota: int | None
    people: list[PersonHealth]
    days: list[DayHealth]
    median: timedelta | None
    ninetieth: timedelta | None
    ages: list[AgeHealth]
    assignments: list[RuleHealth]
    releases: list[tuple[date, int]]


def pool_health(scope: Scope, db: Session, pool_id: int, first: date, last: date) -> Health:
    """The report over these days of the organisation.  Raises NotFound, Forbidden, Validation for wrong days."""
    _check(scope, db, pool_id, first, last)
    report = _Report(db, pool_id, first, last, scope.person.zone)
    rule = report.rule()
    taken = report.taken()
    return Health(
        pool_id,
        first,
        last,
        rule[0],
        rule[1],
        list(_people(scope, db, taken, report.most_claims(taken))),
        report.days(taken),
        *_waits([at - since for _, began, at, since in taken if began is Began.CLAIM and since is not None]),
        report.ages(scope.person.now),
        report.assignments(),
        report.releases(scope.person.now),
    )


def may_read(scope: Scope, db: Session, pool_id: int) -> bool:
    """Whether the caller administers the pool."""
    asked = select(Pool.id).where(Pool.id == pool_id, open_to(scope.viewer, "edit", Pool))
    return bool(pool_id) and db.execute(asked).first() is not None


def _check(scope: Scope, db: Session, pool_id: int, first: date, last: date) -> None:
    if db.execute(select(Pool.id).where(Pool.id == pool_id)).first() is None:
        raise NotFound(what=Pool.names, field="poolId")
    if not may_read(scope, db, pool_id):
        raise Forbidden(action="pool.edit", field="poolId")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Validation(
            f"Choose up to {MOST_DAYS} days, the first one before the last.",
            f"请选择不超过 {MOST_DAYS} 天的时间段，开始日期不晚于结束日期。",
            field="from",
        )


Taken = tuple[int, Began, datetime, datetime | None]
"""(user, how, when, since when it lay in the pool) of a customer that left the pool for an owner."""


@dataclass(frozen=True)
class _Report:
    db: Session
    pool_id: int
    first: date
    last: date
    zone: str

    @property
    def begin(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.last + timedelta(days=1), self.zone)

    def rows(self, statement: Any) -> Sequence[Any]:
        return self.db.execute(statement, execution_options=_COUNTS).all()

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def rule(self) -> tuple[int | None, int | None]:
        asked = select(ClaimRule.daily_quota, ClaimRule.weekly_quota)
        found = self.rows(asked.where(ClaimRule.pool_id == self.pool_id, ClaimRule.deleted_at.is_(None)))
        return (found[0][0], found[0][1]) if found else (None, None)

    def taken(self) -> list[Taken]:
        period = OwnershipPeriod
        asked = select(period.owner_id, period.began, period.started_at, period.pooled_at)
        asked = asked.where(period.pool_id == self.pool_id, period.began.in_((Began.CLAIM, Began.ASSIGN)))
        found = self.rows(asked.where(period.started_at >= self.begin, period.started_at < self.end))
        return [(owner, began, at, since) for owner, began, at, since in found]

    def most_claims(self, taken: Sequence[Taken]) -> dict[int, int]:
        """User -> claims of their busiest day."""
        claims = Counter((owner, self.day(at)) for owner, began, at, _ in taken if began is Began.CLAIM)
        most: dict[int, int] = {}
        for (owner, _), count in claims.items():
            most[owner] = max(count, most.get(owner, 0))
        return most

    def days(self, taken: Sequence[Taken]) -> list[DayHealth]:
        period, lying = OwnershipPeriod, Customer
        within = (period.pooled_at >= self.begin, period.pooled_at < self.end)
        gone = self.rows(select(period.pooled_at).where(period.pool_id == self.pool_id, *within))
        within = (lying.pooled_at >= self.begin, lying.pooled_at < self.end)
        there = self.rows(select(lying.pooled_at).where(lying.pool_id == self.pool_id, *within))
        binned = (lying.deleted_at >= self.begin, lying.deleted_at < self.end, lying.merged_into_id.is_(None))
        deleted = self.rows(select(lying.deleted_at).where(lying.pool_id == self.pool_id, *binned))
        arrived = Counter(self.day(at) for (at,) in (*gone, *there))
        left = Counter((began, self.day(at)) for _, began, at, _ in taken)
        dropped = Counter(self.day(at) for (at,) in deleted)
        every = (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))
        return [
            DayHealth(day, arrived[day], left[Began.CLAIM, day], left[Began.ASSIGN, day], dropped[day]) for day in every
        ]

    def ages(self, now: datetime) -> list[AgeHealth]:
        limits = [(0, AGES[0]), *zip(AGES, (*AGES[1:], None), strict=True)]
        at: Any = Customer.pooled_at
        sums = [func.coalesce(func.sum(case((_aged(at, now, *each), 1), else_=0)), 0) for each in limits]
        asked = select(*sums).where(Customer.pool_id == self.pool_id, Customer.deleted_at.is_(None))
        (counts,) = self.rows(asked)
        return [AgeHealth(days, below, int(count)) for (days, below), count in zip(limits, counts, strict=True)]

    def assignments(self) -> list[RuleHealth]:
        made = AssignmentDecision
        asked = select(made.strategy, func.count(made.chosen_id), func.count()).where(made.pool_id == self.pool_id)
        asked = asked.where(made.at >= self.begin, made.at < self.end).group_by(made.strategy).order_by(made.strategy)
        return [RuleHealth(strategy, chosen, every - chosen) for strategy, chosen, every in self.rows(asked)]

    def releases(self, now: datetime) -> list[tuple[date, int]]:
        """(day, customers that go back into this pool) for today and the days after it; what is overdue goes today."""
        today = self.day(now)
        until = midnight(today + timedelta(days=COMING), self.zone)
        asked = select(Customer.release_due_at).join(ReleaseRule, ReleaseRule.id == Customer.release_rule_id)
        asked = asked.where(ReleaseRule.pool_id == self.pool_id, Customer.deleted_at.is_(None))
        due = Counter(max(today, self.day(at)) for (at,) in self.rows(asked.where(Customer.release_due_at < until)))
        return [(day, due[day]) for day in (today + timedelta(days=n) for n in range(COMING))]


def _aged(at: Any, now: datetime, days: int, below: int | None) -> Any:
    old_enough = at <= now - timedelta(days=days)
    return old_enough if below is None else old_enough & (at > now - timedelta(days=below))


def _people(scope: Scope, db: Session, taken: Sequence[Taken], most: dict[int, int]) -> Iterator[PersonHealth]:
    """Every user who got a customer, those with most claims first; names as far as the caller sees them."""
    got = Counter((owner, began) for owner, began, _, _ in taken)
    ids = {owner for owner, _ in got}
    named = select(User.id, value(scope.viewer, User, User, "name")).where(User.id.in_(ids))
    names: dict[int, str | None] = {row.id: row[1] for row in db.execute(named)} if ids else {}
    for id in sorted(ids, key=lambda who: (-got[who, Began.CLAIM], -got[who, Began.ASSIGN], who)):
        yield PersonHealth(id, names.get(id), got[id, Began.CLAIM], got[id, Began.ASSIGN], most.get(id, 0))


def _waits(waits: list[timedelta]) -> tuple[timedelta | None, timedelta | None]:
    """The median and the 90th percentile: the shortest wait that half, or nine tenths, do not exceed."""
    if not waits:
        return None, None
    ordered = sorted(waits)
    return ordered[(len(ordered) - 1) // 2], ordered[-(-9 * len(ordered) // 10) - 1]
