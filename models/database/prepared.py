"""Statements of the write side that are asked again and again: compiled once, then given to the driver as they are.

A session needs a third of a millisecond for a statement that SQLite answers in ten microseconds: most of it is spent on
finding out anew what statement it is.  What stands here is known beforehand.  It runs in the transaction of the session
and after its flush like any other, but no wall looks at it: it is for what use cases keep for themselves, counters and
periods, the log and the like, and for clauses that carry the policy with them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from ..base import Base

BYPASS_POLICY = {"bypass_policy": True}
"""Execution option of the few statements that reach protected tables below the policy: the log's own."""

B = TypeVar("B", bound=Base)

Row = tuple[Any, ...]
Process = Callable[[Any], Any] | None


class Prepared:
    """One statement with `bindparam`s.  Values are given by their names, rows come back as plain tuples.

    Some ten microseconds and what the database needs.  Raises what SQLAlchemy raises.
    """

    def __init__(self, statement: Any, columns: Sequence[str] = ()) -> None:
        """`columns`: those that an INSERT without values is given."""
        self.statement = statement.inline() if _is_mute(statement) else statement
        self._columns = list(columns) or None
        self._forms: dict[str, _Form] = {}

    def rows(self, at: Session | Connection, /, **given: Any) -> list[Row]:
        """Every row of the answer."""
        connection = _connection(at)
        if connection.dialect.is_async:
            found = at.execute(self.statement, given, execution_options=BYPASS_POLICY)
            return [tuple(row) for row in found]
        form = self._form(connection.dialect)
        cursor = _run(connection, form.sql, form.values(given))
        return form.results(cursor)

    def first(self, at: Session | Connection, /, **given: Any) -> Row | None:
        """The first row of the answer."""
        found = self.rows(at, **given)
        return found[0] if found else None

    def run(self, at: Session | Connection, /, **given: Any) -> int:
        """Change something; gives how many rows."""
        connection = _connection(at)
        form = self._form(connection.dialect)
        count: int = _run(connection, form.sql, form.values(given)).rowcount
        return count

    def run_each(self, at: Session | Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for every set of values."""
        connection = _connection(at)
        form = self._form(connection.dialect)
        if len(rows) == 1:
            _run(connection, form.sql, form.values(rows[0]))
        else:
            _run(connection, form.sql, [form.values(row) for row in rows], many=True)

    def _form(self, dialect: Dialect) -> "_Form":
        form = self._forms.get(dialect.driver)
        if form is None:
            form = self._forms[dialect.driver] = _formed(self.statement, dialect, self._columns)
        return form


def held(db: Session, model: type[B], row: Row) -> B:
    """The record that a row of its whole table holds, in the session as if that had loaded it just now."""
    known: B | None = db.identity_map.get(identity_key(model, row[0]))
    columns = model.__table__.c.keys()
    if known is not None:
        for key, value in zip(columns, row, strict=True):
            set_committed_value(known, key, value)
        return known
    made = model()
    made.__dict__.update(zip(columns, row, strict=True))
    make_transient_to_detached(made)
    db._update_impl(inspect(made))  # noqa: SLF001  `add` without looking for what hangs on it: nothing does yet
    return made


class _Form:
    """The statement as one driver takes it."""

    def __init__(
        self, sql: str, places: Sequence["_Place"], *, positional: bool, types: Sequence[Any], dialect: Dialect
    ):
        self.sql, self._places, self._positional = sql, places, positional
        self._types, self._dialect = types, dialect
        self._reading: list[tuple[int, Callable[[Any], Any]]] | None = None

    def values(self, given: Mapping[str, Any]) -> Any:
        """The parameters in the driver's form.  Raises KeyError for one that is missing."""
        if self._positional:
            return tuple([place.value(given) for place in self._places])
        return {place.name: place.value(given) for place in self._places}

    def results(self, cursor: Any) -> list[Row]:
        """The rows with their values as the columns mean them."""
        if self._reading is None:  # a driver puts the description together anew whenever it is asked
            self._reading = list(self._processes(cursor.description))
        rows: list[Row] = cursor.fetchall()
        return [self._read(row) for row in rows] if self._reading else rows

    def _read(self, row: Row) -> Row:
        values = list(row)
        for place, process in self._reading or ():
            values[place] = process(values[place])
        return tuple(values)

    def _processes(self, description: Any) -> Any:
        for place, (type_, column) in enumerate(zip(self._types, description, strict=True)):
            process = type_.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if process is not None:
                yield place, process


@dataclass(frozen=True)
class _Place:
    """One parameter: its name in the text, its value unless one is asked for, and how the driver wants it."""

    name: str
    constant: Any
    is_asked: bool
    process: Process

    def value(self, given: Mapping[str, Any]) -> Any:
        if not self.is_asked:
            return self.constant
        value = given[self.name]
        return self.process(value) if self.process is not None else value


def _formed(statement: Any, dialect: Dialect, columns: Sequence[str] | None) -> _Form:
    made: Any = statement.compile(dialect=dialect, column_keys=columns)
    assert not [*made.insert_prefetch, *made.update_prefetch], "a column with a default is given its value"
    asked = {name for name, bind in made.binds.items() if bind.required}
    state = made.construct_expanded_state(dict.fromkeys(asked))
    processors: Mapping[str, Any] = {**made._bind_processors, **state.processors}  # noqa: SLF001  no public way to them
    names = state.positiontup if made.positional else list(state.parameters)
    places = []
    for name in names:
        process, value = processors.get(name), state.parameters[name]
        constant = process(value) if process is not None and name not in asked else value
        places.append(_Place(name, constant, name in asked, process))
    types = [column.type for column in made._result_columns]  # noqa: SLF001  as above
    return _Form(state.statement, places, positional=made.positional, types=types, dialect=dialect)


def _is_mute(statement: Any) -> bool:
    return isinstance(statement, Insert) and not statement._returning  # noqa: SLF001  no public way to what it returns


def _connection(at: Session | Connection) -> Connection:
    """The connection of the open transaction, which has what the session was still to write."""
    if isinstance(at, Connection):
        return at
    if at.autoflush:
        at.flush()
    return at.bind if isinstance(at.bind, Connection) else at.connection()


def in_words(connection: Connection, sql: str) -> None:
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
    except Exception as failure:  # noqa: BLE001  SQLAlchemy knows which of them are the database's
        connection._handle_dbapi_exception(failure, sql, parameters, cursor, None)  # noqa: SLF001  as all its own statements do
    return cursor


def upsert(dialect: Dialect):  # type: ignore[no-untyped-def]  # the two dialects share a form and no type
    """The `insert` of the open database, which knows ON CONFLICT."""
    return postgresql.insert if dialect.name == "postgresql" else sqlite.insert
