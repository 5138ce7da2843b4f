"""The queue: which worker runs which job.  One guarded statement for each step, the same on both databases.

A worker takes a job by an UPDATE, and every later statement names the turn in which it took it.  So a worker that was
slow, frozen or cut off finds nothing to change when another one has taken the job over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, String, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.base import Utc
from models.database.prepared import Prepared
from models.job import Job, JobState

LEASE = timedelta(seconds=10)
"""Time without a sign of life of its worker after which another worker takes a job over."""
MAX_FAILURES = 8
"""Number of failures without progress after which a job is parked as failed."""
_JOBS: Any = Job.__table__


@dataclass(frozen=True)
class Taken:
    """A job in the hands of one worker."""

    id: int
    kind: str
    actor_id: int | None
    turn: int
    tries: int
    arguments: Mapping[str, Any]
    position: int


def take(connection: Connection, worker: str, now: datetime, kinds: Sequence[str]) -> Taken | None:
    """The job of these kinds that has been due longest, or that its worker has left; None when there is none.

    Of several workers one gets it.  A job waits for an older one with the same key.
    """
    taking = _taking(connection.dialect.name, tuple(kinds))
    row = taking.first(connection, worker=worker, now=now, lost=now - LEASE)
    return Taken(*row) if row else None


@cache
def _taking(dialect: str, kinds: tuple[str, ...]) -> Prepared:
    c, w, older = _JOBS.c, _JOBS.alias("waiting"), _JOBS.alias("older")
    now, worker, lost = _parameter("now", Utc()), _parameter("worker", String()), _parameter("lost", Utc())
    is_lost = and_(w.c.state == JobState.RUNNING, or_(w.c.worker == worker, w.c.seen_at < lost))
    is_due = and_(w.c.state == JobState.WAITING, w.c.due_at <= now)
    same = and_(older.c.order_key == w.c.order_key, older.c.id != w.c.id)
    is_before = or_(older.c.state == JobState.RUNNING, and_(older.c.state == JobState.WAITING, older.c.id < w.c.id))
    first = (
        select(w.c.id)
        .where(w.c.ended_at.is_(None), w.c.kind.in_(kinds), or_(is_due, is_lost))
        .where(~exists().where(older.c.ended_at.is_(None), same, is_before))
        .order_by(w.c.due_at, w.c.id)
        .limit(1)
    )
    if dialect == "postgresql":
        first = first.with_for_update(skip_locked=True, of=w)
    taking = update(_JOBS).where(c.id == first.scalar_subquery(), c.ended_at.is_(None))
    values = {
        c.tries: case((c.state == JobState.RUNNING, c.tries + 1), else_=c.tries),  # its worker was lost with it
        c.state: JobState.RUNNING,
        c.worker: worker,
        c.seen_at: now,
        c.turn: c.turn + 1,
        c.started_at: func.coalesce(c.started_at, now),
    }
    return Prepared(taking.values(values).returning(c.id, c.kind, c.actor_id, c.turn, c.tries, c.arguments, c.position))


def hold(db: Session, taken: Taken) -> bool | None:
    """Lock a job for a chunk: whether a user asks it to stop; None when it is not this worker's any more."""
    row = _HOLDING.first(db, job=taken.id, in_turn=taken.turn)
    return bool(row[0]) if row else None


def beat(connection: Connection, taken: Taken, now: datetime) -> None:
    """Give a sign of life."""
    _BEATING.run(connection, job=taken.id, in_turn=taken.turn, now=now)


def give_up(connection: Connection, worker: str) -> None:
    """End the lease of what a worker has left that is gone, so that another takes it at once."""
    _GIVING_UP.run(connection, gone=worker)


def advance(db: Session, taken: Taken, now: datetime, position: int, done: int, failed: int, total: int | None) -> None:
    """Note a chunk that was done, in its transaction."""
    counts = {"to": position, "more_done": done, "more_failed": failed, "of": total}
    _ADVANCING.run(db, job=taken.id, in_turn=taken.turn, now=now, **counts)


def put_back(connection: Connection, taken: Taken, due_at: datetime, tries: int) -> bool:
    """Let a job wait again; False when it is not this worker's any more."""
    return _PUTTING_BACK.run(connection, job=taken.id, in_turn=taken.turn, due=due_at, failures=tries) == 1


def end(
    at: Session | Connection, taken: Taken, now: datetime, state: JobState, why: tuple[str, str, str] | None = None
) -> bool:
    """End a job, `why` as (code, sentence, the same in Chinese); False when it is not this worker's any more."""
    code, sentence, zh = why or (None, None, None)
    given = {"ending": state, "code": code, "sentence": sentence, "zh": zh}
    if _ENDING.run(at, job=taken.id, in_turn=taken.turn, now=now, **given) != 1:
        return False
    for tell in WHEN_ENDED:
        tell(at, taken.id, now)
    return True


WHEN_ENDED: list[Callable[[Session | Connection, int, datetime], None]] = []
"""Called in the transaction in which a job ends, with its id."""


def _parameter(name: str, type_: Any) -> Any:
    return bindparam(name, type_=type_)


_NOW = _parameter("now", Utc())
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_MINE = (
    _JOBS.c.id == _parameter("job", Integer()),
    _JOBS.c.turn == _parameter("in_turn", Integer()),
    _JOBS.c.state == JobState.RUNNING,
)
_HOLDING = Prepared(select(_JOBS.c.stopping).where(*_MINE).with_for_update())
_BEATING = Prepared(update(_JOBS).where(*_MINE).values(seen_at=_NOW))
_GIVING_UP = Prepared(
    update(_JOBS)
    .where(_JOBS.c.worker == _parameter("gone", String()), _JOBS.c.state == JobState.RUNNING)
    .values(seen_at=_LONG_AGO)
)
_ADVANCING = Prepared(
    update(_JOBS)
    .where(*_MINE)
    .values(
        position=_parameter("to", Integer()),
        done=_JOBS.c.done + _parameter("more_done", Integer()),
        failed=_JOBS.c.failed + _parameter("more_failed", Integer()),
        total=func.coalesce(_parameter("of", Integer()), _JOBS.c.total),
        tries=0,
        error_code=None,
        error=None,
        error_zh=None,
        seen_at=_NOW,
    )
)
_PUTTING_BACK = Prepared(
    update(_JOBS)
    .where(*_MINE)
    .values(state=JobState.WAITING, due_at=_parameter("due", Utc()), tries=_parameter("failures", Integer()))
)
_ENDING = Prepared(
    update(_JOBS)
    .where(*_MINE)
    .values(
        state=_parameter("ending", _JOBS.c.state.type),
        error_code=_parameter("code", String()),
        error=_parameter("sentence", String()),
        error_zh=_parameter("zh", String()),
        ended_at=_NOW,
        stopping=False,
    )
)
