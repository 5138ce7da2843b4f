"""The writer runs use cases.  SQLite: one thread, and queued use cases become savepoints of one commit.  PostgreSQL: threads.

A caller is answered after the COMMIT that makes the change durable.  When a COMMIT fails, each use case of the batch runs
again alone.  So use cases touch nothing but the database; anything else waits in `unit.after` until the commit.
"""

import asyncio
import queue
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
from models.database.prepared import run_text

from .waker import Waker
from .writer_failures import TRIES, bearable, is_busy, is_file_locked, is_row_locked, is_worth_retrying

LARGEST_BATCH = 64
SHORTEST_WAIT = 0.05
"""Seconds for which a use case waits for a row that it has queued for all the time that it had."""
WAITERS = 4
"""Number of threads on PostgreSQL for use cases that wait for a row, so that the others need not wait with them."""
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
    row_seconds: float | None = None
    """How long it waits for a row; None for as long as its connection says."""
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
            if self.row_seconds is not None:
                run_text(self.connection, f"SET LOCAL lock_timeout = {round(self.row_seconds * 1000)}")

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
            self.future.set_exception(bearable(self.error))


class Writer:
    """Runs use cases on `engine` and answers their callers after the commit."""

    def __init__(self, engine: Engine, threads: int = 8, row_seconds: float | None = None) -> None:
        """`row_seconds`: how long a use case waits for a row that the connection does not wait for; PostgreSQL only."""
        self.engine, self._row_seconds = engine, row_seconds
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.commits = 0
        self.waker = Waker(None)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(1 if self.is_sqlite else threads, thread_name_prefix="writer")
        self._waiters = ThreadPoolExecutor(WAITERS, thread_name_prefix="waiter")
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
        began, row_seconds = time.monotonic(), None
        for attempt in range(TRIES):
            try:
                with self.engine.connect() as connection:
                    unit = Unit(connection, is_alone=True, row_seconds=row_seconds)
                    result, error = self._attempt(unit, call)
                    unit.keep()
                self.waker.wake()
                break
            except DBAPIError as failure:
                if is_row_locked(failure) and row_seconds is None and self._row_seconds is not None:
                    row_seconds = self._row_seconds
                elif not is_worth_retrying(failure, attempt, began):
                    raise bearable(failure) from None
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
        self._waiters.shutdown(wait=True)
        self.waker.close()
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

    def _batch(self, jobs: Sequence[Job], row_seconds: float | None = None) -> None:
        try:
            self._commit_or_retry(jobs, row_seconds)
        except BaseException as failure:
            may_wait = row_seconds is None and self._row_seconds is not None
            if may_wait and is_row_locked(failure) and self._wait(jobs):
                return
            self._fail(jobs, failure)
        for job in jobs:
            try:
                job.loop.call_soon_threadsafe(job.settle)
            except RuntimeError:  # its event loop has ended, so no caller waits any more
                _log.warning("a use case was done for a caller who is gone")

    def _wait(self, jobs: Sequence[Job]) -> bool:
        """Run the use case again on a thread for those who wait; False when the writer is being closed."""
        until = time.monotonic() + (self._row_seconds or 0)

        def again() -> None:
            self._batch(jobs, max(SHORTEST_WAIT, until - time.monotonic()))

        try:
            self._waiters.submit(again)
        except RuntimeError:
            return False
        return True

    def _commit_or_retry(self, jobs: Sequence[Job], row_seconds: float | None) -> None:
        began = time.monotonic()
        for attempt in range(TRIES):
            try:
                self._commit(jobs, row_seconds)
                return
            except DBAPIError as failure:
                if not is_worth_retrying(failure, attempt, began):
                    raise

    def _commit(self, jobs: Sequence[Job], row_seconds: float | None = None) -> None:
        with self.engine.connect() as connection:
            if len(jobs) == 1:
                self._do(jobs[0], Unit(connection, is_alone=True, row_seconds=row_seconds))
            else:
                with connection.begin():
                    for job in jobs:
                        self._do(job, Unit(connection))
        self.commits += 1
        self.waker.wake()

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
        if len(jobs) == 1 or is_file_locked(failure):
            for job in jobs:
                job.error = failure
            return
        for job in jobs:
            try:
                self._commit([job])
            except BaseException as own:
                job.error = own


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
        if isinstance(failure, DBAPIError) and (failure.connection_invalidated or is_busy(failure)):
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
