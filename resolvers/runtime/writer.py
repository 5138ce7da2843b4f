"""The writer runs use cases.  SQLite: one thread, and queued use cases become savepoints of one commit.  PostgreSQL: threads.

A caller is answered after the COMMIT that makes the change durable.  When a COMMIT fails, each use case of the batch runs
again alone.  So use cases touch nothing but the database; anything else waits in `unit.after` until the commit.
"""

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Transaction, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.session import JoinTransactionMode

from models import AuditEntry

LARGEST_BATCH = 64
TRIES = 6
"""Maximum number of tries of a use case on PostgreSQL after deadlocks and serialisation failures."""
_RETRY_STATES = {"40P01", "40001"}
_log = structlog.get_logger("millpond.writer")


@dataclass
class Unit:
    """One run of one use case: its connection, its session while open, and what waits for its end."""

    connection: Connection
    is_alone: bool = False
    """Whether it is the only one in its transaction."""
    own: Transaction | None = None
    """What undoes all that the use case has done: the transaction, or its savepoint."""
    is_used: bool = False
    session: Session | None = None
    denied: list[dict[str, Any]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        return self.own is not None and self.own.is_active

    def begin(self) -> None:
        """Begin the transaction or savepoint of the use case, unless it is open."""
        if not self.is_active:
            self.own = self.connection.begin() if self.is_alone else self.connection.begin_nested()
            self.is_used = False

    def undo(self) -> None:
        """Undo all that was done."""
        if self.own is not None and self.own.is_active:
            self.own.rollback()

    def keep(self) -> None:
        """Commit when the unit was alone; otherwise release its savepoint."""
        if self.own is not None and self.own.is_active:
            with self.own:  # which commits, and takes back what it could not commit
                pass

    def join(self) -> JoinTransactionMode:
        """How a session joins: the first one is undone with the whole unit, later ones by a savepoint of their own."""
        self.begin()  # again, where the session before was undone and the use case goes on
        mode: JoinTransactionMode = "create_savepoint" if self.is_used else "rollback_only"
        self.is_used = True
        return mode


@dataclass
class Job:
    """A use case in the queue and the future that its caller awaits."""

    call: Callable[[Unit], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None
    after: list[Callable[[], None]] = field(default_factory=list)

    def settle(self) -> None:
        """Answer the caller, who may have gone away, and run what waited for the commit.  On the event loop."""
        if self.error is None:
            if not self.future.done():
                self.future.set_result(self.result)
            _follow(self.after)
        elif not self.future.done():
            self.future.set_exception(_bearable(self.error))


class Writer:
    """Runs use cases on `engine` and answers their callers after the commit."""

    def __init__(self, engine: Engine, threads: int = 8) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.commits = 0
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(1 if self.is_sqlite else threads, thread_name_prefix="writer")
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        self._entrance = threading.Lock()  # so that no use case is queued after `close`
        if self.is_sqlite:
            self._threads.submit(self._serve)

    def submit(self, call: Callable[[Unit], Any]) -> "asyncio.Future[Any]":
        """Queue a use case; the future holds its result once it is durable."""
        loop = asyncio.get_running_loop()
        job = Job(call, loop.create_future(), loop)
        with self._entrance:
            if self._closed:
                raise RuntimeError("the writer is closed")
            if self.is_sqlite:
                self._queue.put(job)
            else:
                self._threads.submit(self._batch, [job])
        return job.future

    def run(self, call: Callable[[Unit], Any]) -> Any:
        """Run a use case in this thread and its own transaction: command line, demo and tests."""
        for attempt in range(TRIES):
            try:
                with self.engine.connect() as connection:
                    unit = Unit(connection, is_alone=True)
                    result, error = self._attempt(unit, call)
                    unit.keep()
                break
            except DBAPIError as failure:
                if not _worth_retrying(failure, attempt):
                    raise
        if error is not None:
            raise error
        _follow(unit.after)
        return result

    def hold(self) -> "_Held":
        """Keep the SQLite thread waiting inside a `with`, so that queued use cases become one batch."""
        return _Held(self._open)

    def close(self) -> None:
        """Finish the queue and accept no further use case."""
        with self._entrance:
            if not self._closed and self.is_sqlite:
                self._queue.put(None)
            self._closed = True
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    # -- the thread --------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            self._open.wait()
            jobs: list[Job | None] = [first]
            while len(jobs) < LARGEST_BATCH and jobs[-1] is not None and not self._queue.empty():
                jobs.append(self._queue.get())
            self._batch([job for job in jobs if job is not None])
            if jobs[-1] is None:
                return

    def _batch(self, jobs: Sequence[Job]) -> None:
        try:
            self._commit_or_retry(jobs)
        except BaseException as failure:
            self._fail(jobs, failure)
        for job in jobs:
            try:
                job.loop.call_soon_threadsafe(job.settle)
            except RuntimeError:  # its event loop has ended, so no caller waits any more
                _log.warning("a use case was done for a caller who is gone")

    def _commit_or_retry(self, jobs: Sequence[Job]) -> None:
        for attempt in range(TRIES):
            try:
                self._commit(jobs)
                return
            except DBAPIError as failure:
                if not _worth_retrying(failure, attempt):
                    raise

    def _commit(self, jobs: Sequence[Job]) -> None:
        with self.engine.connect() as connection:
            if len(jobs) == 1:
                self._do(jobs[0], Unit(connection, is_alone=True))
            else:
                with connection.begin():
                    for job in jobs:
                        self._do(job, Unit(connection))
        self.commits += 1

    def _do(self, job: Job, unit: Unit) -> None:
        job.result, job.error = self._attempt(unit, job.call)
        job.after = unit.after
        unit.keep()

    def _attempt(self, unit: Unit, call: Callable[[Unit], Any]) -> tuple[Any, BaseException | None]:
        """`attempt_in`; after some errors (full disk, I/O) SQLite ends the transaction by itself: nothing of it counts."""
        result, error = attempt_in(unit, call)
        driver: Any = unit.connection.connection.driver_connection
        if self.is_sqlite and unit.connection.in_transaction() and not driver.in_transaction:
            raise RuntimeError("SQLite rolled the batch back") from error
        return result, error

    def _fail(self, jobs: Sequence[Job], failure: BaseException) -> None:
        """Run each use case of a failed batch again in a transaction of its own, so that one failure fails no other."""
        if len(jobs) == 1 or _is_busy(failure):
            for job in jobs:
                job.error = failure
            return
        for job in jobs:
            try:
                self._commit([job])
            except BaseException as own:
                job.error = own


def _worth_retrying(failure: DBAPIError, attempt: int) -> bool:
    """Whether the use case may run again: a deadlock, a serialisation failure, or a connection lost before the commit."""
    is_lost = failure.connection_invalidated and failure.statement is not None
    if not (is_lost or _state(failure) in _RETRY_STATES) or attempt + 1 == TRIES:
        return False
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  spreads rivals, hides nothing
    return True


def _state(failure: DBAPIError) -> str | None:
    """The SQLSTATE that PostgreSQL gave; SQLite has none."""
    state: str | None = getattr(failure.orig, "sqlstate", None)
    return state


def _is_busy(failure: BaseException) -> bool:
    """Whether another process locked the SQLite file all the time: the next use case would only wait as long."""
    return isinstance(failure, DBAPIError) and "database is locked" in str(failure.orig)


def _bearable(error: BaseException) -> BaseException:
    """The error as a future can hold it: it refuses StopIteration, and its caller would wait for ever."""
    if not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError("a use case raised StopIteration")
    wrapped.__cause__ = error
    return wrapped


def _follow(calls: Sequence[Callable[[], None]]) -> None:
    """Run what waited for the commit.  A failure is logged, because the change stands, and the other calls run as well."""
    for call in calls:
        try:
            call()
        except Exception:
            _log.exception("what should follow a commit broke")


def attempt_in(unit: Unit, call: Callable[[Unit], Any]) -> tuple[Any, BaseException | None]:
    """(result, error) of a use case.  What it changed waits to be kept, or is undone.

    Attempts that were refused for lack of rights are logged here, whatever was undone.
    """
    result: Any = None
    error: BaseException | None = None
    unit.begin()
    try:
        result = call(unit)
    except Exception as failure:  # it belongs to the caller of this use case, not to its neighbours
        if isinstance(failure, DBAPIError) and (failure.connection_invalidated or _state(failure) in _RETRY_STATES):
            raise
        result, error = None, failure
        unit.undo()
    if unit.denied:
        unit.begin()
        unit.connection.execute(insert(AuditEntry), unit.denied)
    return result, error


class _Held:
    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        self._gate.clear()

    def __exit__(self, *_: object) -> None:
        self._gate.set()
