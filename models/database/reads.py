"""Reads at the driver: a text and its parameters in, rows out, without a session in between.

SQLite answers most statements in less time than it takes to wake a thread.  So a statement runs on the event loop under
a time budget.  One that exceeds it is interrupted and run again on a thread, and for some seconds its text goes there
directly.  PostgreSQL gets a pool of its own: each connection keeps its prepared statements, and none is reset between two
statements, because they cannot change anything.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import asyncpg
from cachetools import TLRUCache
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from .engines import PLANNING, is_sqlite

Row = tuple[Any, ...]


class TooNested(Exception):
    """The statement nests deeper than the parser of SQLite allows: about a hundred brackets, more in newer versions."""


CPU_SECONDS, WALL_SECONDS = 0.004, 0.020
"""The budget of a statement on the event loop: CPU time, and time that includes waiting for the disk."""
SLOW_SECONDS, WAITED_SECONDS = 10, 1
"""Seconds for which a text that exceeded the CPU budget, or only waited too long, goes directly to a thread."""
THREADS = 4
CONNECTIONS = 8
_STEPS = 2_000
"""Number of SQLite's instructions between two checks of the budget: about a tenth of a millisecond."""
_MAX_SLOW_TEXTS = 500
_TEXTS, _TEXTS_ASIDE = 400, 32
"""Maximum number of prepared statements of the connection on the event loop, and of one on a thread."""
_LONGEST_INLINE = 30_000
"""Maximum number of characters of a statement on the event loop: a longer one takes milliseconds to prepare, and its
prepared form half a megabyte."""


class Reads(Protocol):
    """The read side of one process.  A statement is one snapshot and cannot write."""

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return every row, its values in the form of the driver."""
        ...

    async def close(self) -> None:
        """Close every connection.  The next statement opens new ones."""
        ...


def reads_of(url: str, engine: AsyncEngine) -> Reads:
    """The reads of a database.  `engine` knows how to reach it; connections are opened at first use."""
    if is_sqlite(url):
        return SqliteReads(make_url(url).database or "")
    return PostgresReads(engine)


# --- SQLite ----------------------------------------------------------------------------------------------


class SqliteReads:
    """One connection on the event loop, and some on threads for slow statements.

    `inline` and `aside` count the statements that ended on the loop and on a thread.
    """

    def __init__(self, path: str, *, cpu: float = CPU_SECONDS, wall: float = WALL_SECONDS) -> None:
        self.path, self.cpu, self.wall = path, cpu, wall
        self.inline = self.aside = 0
        self._inline_connection: sqlite3.Connection | None = None
        self._until = (0.0, 0.0)
        self._slow: TLRUCache[str, float] = TLRUCache(_MAX_SLOW_TEXTS, lambda _sql, seconds, now: now + seconds)
        """Texts that exceeded the budget, with the seconds for which they go to a thread."""
        self._threads: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        if len(sql) <= _LONGEST_INLINE and sql not in self._slow:
            try:
                found = self._run_inline(sql, parameters)
            except sqlite3.OperationalError as failure:
                _refuse_nesting(failure)
                if failure.sqlite_errorcode not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                    raise
                self._slow[sql] = SLOW_SECONDS if time.thread_time() > self._until[0] else WAITED_SECONDS
            else:
                self.inline += 1
                return found
        self.aside += 1
        self._threads = self._threads or ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
        job = _Job(sql, parameters)
        try:
            return await asyncio.wrap_future(self._threads.submit(self._run_on_thread, job))
        except sqlite3.OperationalError as failure:
            _refuse_nesting(failure)
            raise
        except asyncio.CancelledError:
            job.stop()
            raise

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for connection in (self._inline_connection, *self._opened):
            if connection is not None:
                connection.close()
        self._inline_connection, self._opened, self._threads = None, [], None

    def _run_inline(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        if self._inline_connection is None:
            self._inline_connection = self._connect(
                busy=0, kibibytes=65_536, texts=_TEXTS
            )  # the event loop never waits for a lock
            self._inline_connection.set_progress_handler(self._is_over_budget, _STEPS)
        self._until = (time.thread_time() + self.cpu, time.perf_counter() + self.wall)
        return self._inline_connection.execute(sql, parameters).fetchall()

    def _is_over_budget(self) -> bool:
        cpu, wall = self._until
        return time.thread_time() > cpu or time.perf_counter() > wall

    def _run_on_thread(self, job: "_Job") -> list[Row]:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect(busy=10_000, kibibytes=8_192, texts=_TEXTS_ASIDE)
            self._opened.append(connection)
        return job.run(connection)

    def _connect(self, busy: int, kibibytes: int, texts: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=texts, timeout=busy / 1000
        )
        for pragma in ("query_only=on", f"busy_timeout={busy}", f"cache_size=-{kibibytes}", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}")
        return connection


def _refuse_nesting(failure: sqlite3.OperationalError) -> None:
    """Raise TooNested if SQLite could not parse the statement because it nests too deep."""
    if "stack overflow" in str(failure):
        raise TooNested from failure


class _Job:
    """One statement on a thread, which the event loop can interrupt."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql, self.parameters = sql, parameters
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_stopped = False

    def run(self, connection: sqlite3.Connection) -> list[Row]:
        with self._lock:
            if self._is_stopped:
                return []
            self._connection = connection
        try:
            return connection.execute(self.sql, self.parameters).fetchall()
        finally:
            with self._lock:
                self._connection = None

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            if self._connection is not None:
                self._connection.interrupt()


# --- PostgreSQL ------------------------------------------------------------------------------------------

_Shutdown = asyncpg.exceptions.AdminShutdownError


class PostgresReads:
    """A pool of connections, each for one statement at a time."""

    def __init__(self, engine: AsyncEngine, size: int = CONNECTIONS) -> None:
        self.engine = engine
        self._idle: list[Any] = []
        self._closing: set[asyncio.Future[None]] = set()
        self._free = asyncio.Semaphore(size)

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        async with self._free:
            is_used, connection = await self._connection()
            try:
                return await self._fetch(connection, sql, parameters)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, _Shutdown):
                if not is_used:
                    raise
            # The server was away in the meantime.  Nothing was changed, so the statement may run again.
            self._drop_idle()
            _, connection = await self._connection()
            return await self._fetch(connection, sql, parameters)

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *(each.close(timeout=2) for each in self._idle), return_exceptions=True)
        self._idle = []

    async def _fetch(self, connection: Any, sql: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            found = await connection.fetch(sql, *parameters)
        except asyncpg.PostgresError:
            if not connection.is_closed():
                self._idle.append(connection)
            raise
        except BaseException:
            closing = asyncio.ensure_future(
                connection.close(timeout=5)
            )  # cancels the statement on the server if it still runs
            self._closing.add(closing)
            closing.add_done_callback(self._closed)
            raise
        self._idle.append(connection)
        return [tuple(row) for row in found]

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()  # a server that is gone does not say goodbye; asyncio logs what is not looked at

    async def _connection(self) -> tuple[bool, Any]:
        """(whether the connection was used before, the connection of the driver)."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return True, connection
        opened = await self.engine.raw_connection()
        driver: Any = opened.driver_connection
        opened.detach()
        try:  # the same small statements come again and again, so generic plans suit them
            await driver.execute("; ".join(f"RESET {name}" for name in PLANNING))
        except BaseException:
            driver.terminate()
            raise
        return False, driver

    def _drop_idle(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle = []
