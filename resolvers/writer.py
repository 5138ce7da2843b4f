"""Where use cases run.  SQLite: one thread, queued use cases become savepoints of one commit.  PostgreSQL: threads.

Nobody is answered before the COMMIT that makes his change durable.  A COMMIT that fails answers nobody: each use
case of the batch then runs again alone.  So use cases touch nothing but the database; what else they want done
waits in `unit.after` until the commit.
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

from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import AuditEntry
from models.audit import UNWALLED

LARGEST_BATCH = 64
TRIES = 6
"""How often a use case is tried on PostgreSQL when it meets a deadlock or a serialisation failure."""
_RETRY_STATES = {"40P01", "40001"}


@dataclass
class Unit:
    """One run of one use case: its connection, its session while open, and what waits for its end."""

    connection: Connection
    session: Session | None = None
    denied: list[dict[str, Any]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)


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
        if not self.future.done():
            if self.error is not None:
                self.future.set_exception(self.error)
            else:
                self.future.set_result(self.result)
        if self.error is None:
            for call in self.after:
                call()


class Writer:
    """Runs use cases on `engine` and tells their callers after the commit."""

    def __init__(self, engine: Engine, threads: int = 8) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.commits = 0
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(1 if self.is_sqlite else threads, thread_name_prefix="writer")
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        if self.is_sqlite:
            self._threads.submit(self._serve)

    def submit(self, call: Callable[[Unit], Any]) -> "asyncio.Future[Any]":
        """Queue a use case; the future holds its result once it is durable."""
        if self._closed:
            raise RuntimeError("the house is closed")
        loop = asyncio.get_running_loop()
        job = Job(call, loop.create_future(), loop)
        if self.is_sqlite:
            self._queue.put(job)
        else:
            self._threads.submit(self._batch, [job])
        return job.future

    def run(self, call: Callable[[Unit], Any]) -> Any:
        """Run a use case in this thread and its own transaction: command line, demo and tests."""
        for attempt in range(TRIES):
            try:
                with self.engine.connect() as connection, connection.begin():
                    unit = Unit(connection)
                    result, error = attempt_in(unit, call)
                break
            except DBAPIError as failure:
                if not self._worth_retrying(failure, attempt):
                    raise
        if error is not None:
            raise error
        for then in unit.after:
            then()
        return result

    def hold(self) -> "_Held":
        """Keep the SQLite thread waiting inside a `with`, so that what is queued becomes one batch."""
        return _Held(self._open)

    def close(self) -> None:
        self._closed = True
        if self.is_sqlite:
            self._queue.put(None)
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
        for attempt in range(TRIES):
            try:
                self._commit(jobs)
                break
            except DBAPIError as failure:
                if self._worth_retrying(failure, attempt):
                    continue
                self._fail(jobs, failure)
                break
            except BaseException as failure:  # noqa: BLE001  whoever waits must be told, whatever happened
                self._fail(jobs, failure)
                break
        for job in jobs:
            job.loop.call_soon_threadsafe(job.settle)

    def _commit(self, jobs: Sequence[Job]) -> None:
        with self.engine.connect() as connection, connection.begin():
            for job in jobs:
                unit = Unit(connection)
                job.result, job.error = attempt_in(unit, job.call)
                job.after = unit.after
                self._check_alive(connection, job.error)
        self.commits += 1

    def _check_alive(self, connection: Connection, error: BaseException | None) -> None:
        """After some errors (full disk, I/O) SQLite ends the whole transaction by itself; then nothing of it counts."""
        if self.is_sqlite and not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            raise RuntimeError("SQLite rolled the batch back") from error

    def _fail(self, jobs: Sequence[Job], failure: BaseException) -> None:
        if len(jobs) == 1:
            jobs[0].error = failure
            return
        for job in jobs:  # the innocent of a failed batch get their own transaction
            job.result, job.error, job.after = None, None, []
            self._batch_of_one(job)

    def _batch_of_one(self, job: Job) -> None:
        try:
            self._commit([job])
        except BaseException as failure:  # noqa: BLE001  as above
            job.error = failure

    def _worth_retrying(self, failure: DBAPIError, attempt: int) -> bool:
        if getattr(failure.orig, "sqlstate", None) not in _RETRY_STATES or attempt + 1 == TRIES:
            return False
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  spreads rivals, hides nothing
        return True


def attempt_in(unit: Unit, call: Callable[[Unit], Any]) -> tuple[Any, BaseException | None]:
    """(result, error) of a use case.  What it changed stays or is undone by its own savepoint.

    Attempts that were refused for lack of rights are logged here, after that savepoint.
    """
    result, error = None, None
    try:
        result = call(unit)
    except DBAPIError as failure:
        if getattr(failure.orig, "sqlstate", None) in _RETRY_STATES:
            raise
        error = failure
    except Exception as failure:  # noqa: BLE001  it belongs to the caller of this use case, not to its neighbours
        error = failure
    if unit.denied:
        unit.connection.execute(insert(AuditEntry), unit.denied, execution_options=UNWALLED)
    return result, error


class _Held:
    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        self._gate.clear()

    def __exit__(self, *_: object) -> None:
        self._gate.set()
