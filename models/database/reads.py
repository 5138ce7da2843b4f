"""Reading at the driver: a text, its parameters, the rows, and nothing in between.

SQLite answers most questions in less time than it takes to wake a thread.  So a statement runs on the event loop
itself, under a budget; one that is over it is stopped and run again on a thread, and its like go there at once for a
while.  PostgreSQL gets connections of our own: each keeps the statements it has prepared, and nothing is reset
between two of them, for they cannot change anything.
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
    """SQLite's parser stops at a hundred open brackets or so; newer ones stop later."""


CPU_SECONDS, WALL_SECONDS = 0.004, 0.020
"""What a statement may cost the event loop; the second counts waiting for the disk as well."""
SLOW_SECONDS, WAITED_SECONDS = 10, 1
"""How long a text that was over the budget goes to a thread at once; one that only waited may be fast the next time."""
THREADS = 4
CONNECTIONS = 8
_STEPS = 2_000
"""How many instructions of SQLite lie between two looks at the clock: about a tenth of a millisecond."""
_MOST_SLOW = 500
_TEXTS = 400
"""How many prepared statements a connection keeps."""


class Reads(Protocol):
    """The read side of one process.  A statement is one snapshot and cannot write."""

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row of the answer, its values as the driver gives them."""
        ...

    async def close(self) -> None:
        """Let go of every connection; the next statement opens new ones."""
        ...


def reads_of(url: str, engine: AsyncEngine) -> Reads:
    """The read side of a database.  `engine` says how to reach it; connections are opened at first use."""
    if is_sqlite(url):
        return SqliteReads(make_url(url).database or "")
    return PostgresReads(engine)


# --- SQLite ----------------------------------------------------------------------------------------------


class SqliteReads:
    """One connection on the event loop, and some on threads for what takes longer.

    `inline` and `aside` count where statements ended.
    """

    def __init__(self, path: str, *, cpu: float = CPU_SECONDS, wall: float = WALL_SECONDS) -> None:
        self.path, self.cpu, self.wall = path, cpu, wall
        self.inline = self.aside = 0
        self._here: sqlite3.Connection | None = None
        self._until = (0.0, 0.0)
        self._slow: TLRUCache[str, float] = TLRUCache(_MOST_SLOW, lambda _sql, seconds, now: now + seconds)
        """Texts that were over the budget, each for so many seconds."""
        self._threads: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        if sql not in self._slow:
            try:
                found = self._at_once(sql, parameters)
            except sqlite3.OperationalError as failure:
                if "stack overflow" in str(failure):
                    raise TooNested from failure
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
            return await asyncio.wrap_future(self._threads.submit(self._on_a_thread, job))
        except asyncio.CancelledError:
            job.stop()
            raise

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for connection in (self._here, *self._opened):
            if connection is not None:
                connection.close()
        self._here, self._opened, self._threads = None, [], None

    def _at_once(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        if self._here is None:
            self._here = self._connect(busy=0, kibibytes=65_536)  # the loop waits for nobody
            self._here.set_progress_handler(self._is_over, _STEPS)
        self._until = (time.thread_time() + self.cpu, time.perf_counter() + self.wall)
        return self._here.execute(sql, parameters).fetchall()

    def _is_over(self) -> bool:
        cpu, wall = self._until
        return time.thread_time() > cpu or time.perf_counter() > wall

    def _on_a_thread(self, job: "_Job") -> list[Row]:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect(busy=10_000, kibibytes=8_192)
            self._opened.append(connection)
        return job.run(connection)

    def _connect(self, busy: int, kibibytes: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=_TEXTS, timeout=busy / 1000
        )
        for pragma in ("query_only=on", f"busy_timeout={busy}", f"cache_size=-{kibibytes}", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}")
        return connection


class _Job:
    """One statement on a thread, which its caller may stop."""

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
    """A few connections, handed from one statement to the next."""

    def __init__(self, engine: AsyncEngine, size: int = CONNECTIONS) -> None:
        self.engine = engine
        self._idle: list[Any] = []
        self._closing: set[asyncio.Future[None]] = set()
        self._room = asyncio.Semaphore(size)

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        async with self._room:
            is_used, connection = await self._connection()
            try:
                return await self._ask(connection, sql, parameters)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, _Shutdown):
                if not is_used:
                    raise
            # The server has been away meanwhile.  Nothing was changed, so it may be asked again.
            self._drop_idle()
            _, connection = await self._connection()
            return await self._ask(connection, sql, parameters)

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *(each.close(timeout=2) for each in self._idle), return_exceptions=True)
        self._idle = []

    async def _ask(self, connection: Any, sql: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            found = await connection.fetch(sql, *parameters)
        except asyncpg.PostgresError:
            if not connection.is_closed():
                self._idle.append(connection)
            raise
        except BaseException:
            closing = asyncio.ensure_future(connection.close(timeout=5))  # the server is told to stop, if it still runs
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            raise
        self._idle.append(connection)
        return [tuple(row) for row in found]

    async def _connection(self) -> tuple[bool, Any]:
        """(whether it has been used before, a connection of the driver)."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return True, connection
        opened = await self.engine.raw_connection()
        driver: Any = opened.driver_connection
        opened.detach()
        try:  # what comes here are small statements, again and again
            await driver.execute("; ".join(f"RESET {name}" for name in PLANNING))
        except BaseException:
            driver.terminate()
            raise
        return False, driver

    def _drop_idle(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle = []
