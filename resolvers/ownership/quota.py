"""Quota: how many claims a user may make in a pool per day and per week.

The counter and its limit are one guarded statement in the transaction of the claim, so the limit is exact on both
databases with any number of processes.  A refused claim costs nothing, because its savepoint takes the count back.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, case, select
from sqlalchemy.orm import Session

from models import ClaimRule, QuotaCounter
from models.database.prepared import Prepared, upsert
from models.errors import QuotaReached


@dataclass(frozen=True)
class Quota:
    """The used part of one limit of a user, and the time at which it starts again; days begin in `zone`."""

    period: str
    kind: str
    used: int
    limit: int
    resets_at: datetime
    zone: str

    def refusal(self) -> QuotaReached:
        resets_at = self.resets_at.astimezone(ZoneInfo(self.zone))
        return QuotaReached(used=self.used, limit=self.limit, period=self.kind, resets_at=resets_at)


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
    """The quotas of a user in a pool: what is used of each limit."""
    wanted = periods(rule, now, zone)
    if rule is None or not wanted:
        return []
    counters = select(QuotaCounter.period, QuotaCounter.used).where(
        QuotaCounter.pool_id == rule.pool_id,
        QuotaCounter.user_id == user_id,
        QuotaCounter.period.in_([period for _, period, _, _ in wanted]),
    )
    used = dict(db.execute(counters).all())
    return [Quota(period, kind, used.get(period, 0), limit, at, zone) for kind, period, limit, at in wanted]


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
    """Count one more in each of so many periods, below the limit of each.  Returns the periods that had room."""
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
