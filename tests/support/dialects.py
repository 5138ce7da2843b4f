"""One dialect per driver for a whole test process, so that engines share what SQLAlchemy has compiled, and sessions.

Every test opens engines of its own, and a new engine compiles each statement again: a quarter of the time of all tests.
A compiled statement depends on its dialect alone, so engines with the same dialect may share a cache.  A server has one
engine for its whole life; the tests come closer to it in this way, because most statements come from the cache.
"""

import atexit
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

LARGEST = 5_000
"""Maximum number of compiled statements per dialect."""
IN_TURN = "_test_"
"""Part of the name of a database that tests use in turn."""


class _Shared:
    """A dialect class whose calls with the same options return the same dialect."""

    _known: ClassVar[dict[str, Any]] = {}
    _is_made = _is_initialised = False

    def __new__(cls, **options: Any) -> Any:
        key = repr((cls, sorted(options.items())))
        if key not in _Shared._known:
            _Shared._known[key] = super().__new__(cls)
        return _Shared._known[key]

    def __init__(self, **options: Any) -> None:
        if not self._is_made:
            super().__init__(**options)
            self._is_made, self.compiled = True, LRUCache(LARGEST)

    def initialize(self, connection: Any) -> None:
        """Ask the server who it is, once: all databases of a test process stand on the same one."""
        if not self._is_initialised:
            super().initialize(connection)  # type: ignore[misc]  the dialect that comes after this class
            self._is_initialised = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=engine.dialect.compiled)  # type: ignore[attr-defined]  it is one of these


class SQLite(_Shared, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class AsyncSQLite(_Shared, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


class PostgreSQL(_Shared, PGDialect_psycopg):
    """Sessions of the databases that tests use in turn are used in turn, too: a new one costs the server 10 ms."""

    supports_statement_cache = True
    _idle: ClassVar[dict[str, list[psycopg.Connection]]] = {}
    _opened: ClassVar["WeakKeyDictionary[psycopg.Connection, str]"] = WeakKeyDictionary()
    """By connection how it was opened, which is its place in `_idle`."""
    _met: ClassVar["WeakSet[psycopg.Connection]"] = WeakSet()

    def connect(self, *given: Any, **named: Any) -> Any:
        """A session of an earlier engine as good as new, or a new one."""
        opened = repr((given, sorted(named.items())))
        idle = self._idle.setdefault(opened, [])
        while idle:
            connection = idle.pop()
            if _is_reset(connection):
                return connection
        connection = super().connect(*given, **named)
        if IN_TURN in str(named.get("dbname")):
            self._opened[connection] = opened
        return connection

    def do_close(self, dbapi_connection: psycopg.Connection) -> None:
        opened = self._opened.get(dbapi_connection)
        if opened is None or not _is_idle(dbapi_connection):
            dbapi_connection.close()
        elif dbapi_connection not in self._idle[opened]:
            self._idle[opened].append(dbapi_connection)

    def do_terminate(self, dbapi_connection: psycopg.Connection) -> None:
        dbapi_connection.close()

    def on_connect(self) -> Callable[[psycopg.Connection], None]:
        first = super().on_connect()

        def once(connection: psycopg.Connection) -> None:
            if connection not in self._met:
                self._met.add(connection)
                first(connection)

        return once


def _is_idle(connection: psycopg.Connection) -> bool:
    """Whether the session is in no transaction any more: one that is kept may hold no lock."""
    with suppress(psycopg.Error):
        connection.rollback()
    return connection.info.transaction_status == TransactionStatus.IDLE


def _is_reset(connection: psycopg.Connection) -> bool:
    """Whether the session is now as a new one is; closed where the server has ended it."""
    try:
        connection.autocommit = True
        connection.execute("RESET ALL; SELECT pg_advisory_unlock_all(); DISCARD TEMP; UNLISTEN *; CLOSE ALL")
        connection.autocommit = False
    except psycopg.Error:
        connection.close()
    return not connection.closed


@atexit.register
def _close_idle() -> None:
    for connections in PostgreSQL._idle.values():
        for connection in connections:
            connection.close()


class AsyncPostgreSQL(_Shared, PGDialect_asyncpg):
    supports_statement_cache = True


def share() -> None:
    """Have every engine that is made from now on take its dialect from here."""
    registry.register("sqlite", __name__, "SQLite")
    registry.register("sqlite.aiosqlite", __name__, "AsyncSQLite")
    registry.register("postgresql.psycopg", __name__, "PostgreSQL")
    registry.register("postgresql.asyncpg", __name__, "AsyncPostgreSQL")
