"""Schedules: moments at which jobs of a kind are due.  Each moment is one job, however many processes look at the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.engine import Dialect

from models.database.prepared import Prepared, upsert
from models.job import Job, JobState

from ..runtime.enqueue import FRESH, wake

MAX_BACKFILL = 200
"""Maximum number of missed moments that a schedule makes up for, the newest ones."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_JOBS: Any = Job.__table__
_NEWEST = Prepared(select(func.max(_JOBS.c.slot)).where(_JOBS.c.kind == bindparam("of", type_=_JOBS.c.kind.type)))


class Schedule(Protocol):
    """When jobs of a kind are due."""

    @property
    def catches_up(self) -> bool:
        """Whether missed moments are made up for.  Else the newest one stands for all, and jobs that found nothing to
        do are forgotten."""
        ...

    def last(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The newest moment that is not after `now`."""
        ...

    def next(self, after: datetime, zone: ZoneInfo) -> datetime:
        """The first moment after `after`."""
        ...


@dataclass(frozen=True)
class Every:
    """Again and again after the same time, counted from a fixed moment, so that all processes agree."""

    interval: timedelta
    catches_up: bool = True

    def last(self, now: datetime, zone: ZoneInfo) -> datetime:
        return _EPOCH + (now - _EPOCH) // self.interval * self.interval

    def next(self, after: datetime, zone: ZoneInfo) -> datetime:
        return self.last(after, zone) + self.interval


@dataclass(frozen=True)
class Daily:
    """Once on each day of the organisation's time zone, at this time of its clocks.

    A time that the clocks leave out is the moment one hour later on that day; of one that they show twice the first counts.
    """

    at: time
    catches_up: bool = True

    def last(self, now: datetime, zone: ZoneInfo) -> datetime:
        today = self._on(now.astimezone(zone), zone)
        return today if today <= now else self._on(now.astimezone(zone) - timedelta(days=1), zone)

    def next(self, after: datetime, zone: ZoneInfo) -> datetime:
        today = self._on(after.astimezone(zone), zone)
        return today if today > after else self._on(after.astimezone(zone) + timedelta(days=1), zone)

    def _on(self, day: datetime, zone: ZoneInfo) -> datetime:
        return datetime.combine(day.date(), self.at, zone).astimezone(UTC)


def newest_slot(connection: Connection, kind: str) -> datetime | None:
    """The newest moment of a kind that has become a job."""
    found: datetime | None = _NEWEST.rows(connection, of=kind)[0][0]
    return found


def missed(schedule: Schedule, newest: datetime | None, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """The moments after `newest` until now, oldest first; the last one alone for a schedule that never fired."""
    last = schedule.last(now, zone)
    if newest is None:
        return [last]
    if not schedule.catches_up:
        return [last] if last > newest else []
    return list(_between(schedule, newest, now, zone))[-MAX_BACKFILL:]


def _between(schedule: Schedule, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    moment = schedule.next(after, zone)
    while moment <= until:
        yield moment
        moment = schedule.next(moment, zone)


def fire(connection: Connection, kind: str, schedule: Schedule, now: datetime, zone: ZoneInfo) -> int:
    """Enqueue the jobs of all moments that are due; returns how many of them this call has made.

    They run one after the other.  The unique key of kind and moment lets one of several processes make each of them.
    """
    made = 0
    for slot in missed(schedule, newest_slot(connection, kind), now, zone):
        row = {
            "kind": kind,
            "slot": slot,
            "order_key": f"clock:{kind}",
            "arguments": {},
            "actor_id": None,
            "total": None,
        }
        made += len(_firing(connection.dialect).rows(connection, **row, due_at=slot, created_at=now, **FRESH))
    if made:
        wake(connection)
        if not schedule.catches_up:
            _FORGET.run(connection, kind=kind, slot=slot)
    return made


_FORGET = Prepared(
    delete(_JOBS).where(
        _JOBS.c.kind == bindparam("kind", type_=_JOBS.c.kind.type),
        _JOBS.c.slot < bindparam("slot", type_=_JOBS.c.slot.type),
        _JOBS.c.state == JobState.DONE,
        _JOBS.c.done + _JOBS.c.failed == 0,
    )
)


_GIVEN = ("kind", "slot", "order_key", "arguments", "actor_id", "total", "due_at", "created_at")


def _firing(dialect: Dialect) -> Prepared:
    return _firing_on(dialect.name, upsert(dialect))


@cache
def _firing_on(_name: str, insert: Any) -> Prepared:
    values = {key: bindparam(key, type_=_JOBS.c[key].type) for key in (*_GIVEN, *FRESH)}
    adding = insert(_JOBS).values(values).on_conflict_do_nothing(index_elements=["kind", "slot"])
    return Prepared(adding.returning(_JOBS.c.id))
