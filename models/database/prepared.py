"""Prepared statements of the write side: compiled once, then given to the driver as they are.

A session needs a third of a millisecond for a statement that SQLite answers in ten microseconds, because it finds out
anew each time which statement it is.  A prepared statement runs in the transaction of the session.  One that is asked
for rows has the session flush first, like any query; one that only changes something (`run`) does not, so a use case
flushes by itself where the order matters.  The read guard of the session does not see it, so it is checked when it is compiled: it names no
protected table, carries the policy clause, or says why neither is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from ..base import Base
from .bypass import Because, bypass_policy
from .compiled import CompiledStatement, compile_statement
from .sqlalchemy_internals import attach_loaded, raise_database_error, returns_rows

B = TypeVar("B", bound=Base)

Row = tuple[Any, ...]

WHEN_COMPILED: list[Callable[[Any], object]] = []
"""Called with each statement that has no reason to bypass the policy.  A check raises when the statement would."""


class Prepared:
    """One statement with `bindparam`s.  Values are given by their names, rows come back as plain tuples.

    Some ten microseconds and what the database needs.  Raises what SQLAlchemy raises.
    """

    def __init__(self, statement: Any, columns: Sequence[str] = (), *, because: Because | None = None) -> None:
        """`columns`: those that an INSERT or UPDATE without values sets.  `because`: why it may bypass the policy."""
        self.statement = statement.inline() if _is_mute(statement) else statement
        self.because = because
        self._columns = list(columns) or None
        self._forms: dict[str, _Form] = {}

    def rows(self, at: Session | Connection, /, **given: Any) -> list[Row]:
        """Every row of the answer."""
        connection = _flushed(at)
        if connection.dialect.is_async:
            found = at.execute(self.statement, given, execution_options=self._options)
            return [tuple(row) for row in found]
        form = self._form(connection.dialect)
        cursor = _run(connection, form.statement.text, form.statement.values(given))
        return form.results(cursor)

    def first(self, at: Session | Connection, /, **given: Any) -> Row | None:
        """The first row of the answer."""
        found = self.rows(at, **given)
        return found[0] if found else None

    def run(self, at: Session | Connection, /, **given: Any) -> int:
        """Change something, without a flush before; returns the number of rows."""
        connection = _connection(at)
        statement = self._form(connection.dialect).statement
        count: int = _run(connection, statement.text, statement.values(given)).rowcount
        return count

    def run_each(self, at: Session | Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change something for every set of values, without a flush before."""
        connection = _connection(at)
        statement = self._form(connection.dialect).statement
        if len(rows) == 1:
            _run(connection, statement.text, statement.values(rows[0]))
        else:
            _run(connection, statement.text, [statement.values(row) for row in rows], many=True)

    @property
    def _options(self) -> dict[str, Any]:
        return bypass_policy(self.because) if self.because is not None else {}

    def _form(self, dialect: Dialect) -> "_Form":
        form = self._forms.get(dialect.driver)
        if form is None:
            for check in WHEN_COMPILED if self.because is None else ():
                check(self.statement)
            compiled = compile_statement(self.statement, dialect, self._columns)
            form = self._forms[dialect.driver] = _Form(compiled, dialect)
        return form


def attach(db: Session, model: type[B], row: Row) -> B:
    """The record that a row of its whole table describes, in the session as if that had loaded it just now."""
    known: B | None = db.identity_map.get(identity_key(model, row[0]))
    columns = model.__table__.c.keys()
    if known is not None:
        for key, value in zip(columns, row, strict=True):
            set_committed_value(known, key, value)
        return known
    made = model()
    made.__dict__.update(zip(columns, row, strict=True))
    make_transient_to_detached(made)
    attach_loaded(db, made)
    return made


class _Form:
    """The statement as one driver takes it, and the conversion of its rows into what the columns mean."""

    def __init__(self, statement: CompiledStatement, dialect: Dialect) -> None:
        self.statement, self._dialect = statement, dialect
        self._converted: list[tuple[int, Callable[[Any], Any]]] | None = None

    def results(self, cursor: Any) -> list[Row]:
        """The rows with their values as the columns mean them."""
        if self._converted is None:  # a driver computes the description anew at each access
            self._converted = list(self._processes(cursor.description))
        rows: list[Row] = cursor.fetchall()
        return [self._read(row) for row in rows] if self._converted else rows

    def _read(self, row: Row) -> Row:
        values = list(row)
        for place, process in self._converted or ():
            values[place] = process(values[place])
        return tuple(values)

    def _processes(self, description: Any) -> Any:
        for place, (type_, column) in enumerate(zip(self.statement.types, description, strict=True)):
            process = type_.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if process is not None:
                yield place, process


def _is_mute(statement: Any) -> bool:
    return isinstance(statement, Insert) and not returns_rows(statement)


def _flushed(at: Session | Connection) -> Connection:
    """The connection of the open transaction, after a flush of the session unless it flushes nothing by itself."""
    if isinstance(at, Session) and at.autoflush:
        at.flush()
    return _connection(at)


def _connection(at: Session | Connection) -> Connection:
    if isinstance(at, Connection):
        return at
    return at.bind if isinstance(at.bind, Connection) else at.connection()


def run_text(connection: Connection, sql: str) -> None:
    """Run a text without parameters."""
    _run(connection, sql, ())


def _run(connection: Connection, sql: str, parameters: Any, *, many: bool = False) -> Any:
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    try:
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
    except Exception as failure:  # noqa: BLE001  SQLAlchemy decides which of them are the database's
        raise_database_error(connection, failure, sql, parameters, cursor)
    return cursor


def upsert(dialect: Dialect):  # type: ignore[no-untyped-def]  # the two dialects share a form and no type
    """The `insert` of the open database, which knows ON CONFLICT."""
    return postgresql.insert if dialect.name == "postgresql" else sqlite.insert
