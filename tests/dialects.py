"""One dialect per driver for a whole test process, so that engines share what SQLAlchemy has compiled.

Every test opens engines of its own, and a new engine compiles each statement again: a quarter of the time of all tests.
A compiled statement depends on its dialect alone, so engines with the same dialect may share a cache.  A server has one
engine for its whole life; the tests come closer to it in this way, because most statements come from the cache.
"""

from typing import Any, ClassVar

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

LARGEST = 5_000
"""Maximum number of compiled statements per dialect."""


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
    supports_statement_cache = True


class AsyncPostgreSQL(_Shared, PGDialect_asyncpg):
    supports_statement_cache = True


def share() -> None:
    """Have every engine that is made from now on take its dialect from here."""
    registry.register("sqlite", __name__, "SQLite")
    registry.register("sqlite.aiosqlite", __name__, "AsyncSQLite")
    registry.register("postgresql.psycopg", __name__, "PostgreSQL")
    registry.register("postgresql.asyncpg", __name__, "AsyncPostgreSQL")
