"""Everything that Millpond uses of SQLAlchemy beyond its public API, as short functions with names of their own.

No other file touches these attributes (`tests/project/test_layout.py`), and
`tests/runtime/test_sqlalchemy_contract.py` checks each of them against the installed version.  An upgrade of SQLAlchemy
that moves one of them is a failing test there and a change here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import Connection, Executable, Insert, Select, Update, inspect
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstanceState, QueryableAttribute, Session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PassiveFlag
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.util import extract_first_column_annotation

Processor = Callable[[Any], Any] | None
"""What converts a value into the form of the driver; None where the driver takes it as it is."""

# --- compiled statements ---------------------------------------------------------------------------------


class BoundParameter(NamedTuple):
    """One parameter of a compiled text, with the value that the statement brings; a required one has none."""

    name: str
    value: Any
    process: Processor
    is_required: bool


class Compiled(NamedTuple):
    """A statement in the form of one driver: the text, its parameters in their order, the types of its columns."""

    text: str
    parameters: tuple[BoundParameter, ...]
    is_positional: bool
    types: tuple[Any, ...]


def compile_for(dialect: Dialect, statement: Any, columns: Collection[str] | None = None) -> Compiled:
    """The statement compiled for this dialect.  `columns` are those that an INSERT or UPDATE without values sets.

    Raises AssertionError for a column with a default in Python, because a prepared statement does not compute defaults.
    """
    made = statement.compile(dialect=dialect, column_keys=columns)
    assert not [*made.insert_prefetch, *made.update_prefetch], "a column with a default is given its value"
    required = {name for name, bind in made.binds.items() if bind.required}
    state = made.construct_expanded_state(dict.fromkeys(required))
    processors: Mapping[str, Any] = {**made._bind_processors, **state.processors}
    names = state.positiontup if made.positional else list(state.parameters)
    parameters = tuple(BoundParameter(x, state.parameters[x], processors.get(x), x in required) for x in names or ())
    types = tuple(column.type for column in made._result_columns)
    return Compiled(state.statement, parameters, bool(made.positional), types)


def returns_rows(statement: Insert) -> bool:
    """Whether an INSERT has a RETURNING clause."""
    return bool(statement._returning)


def columns_set(statement: Update) -> list[str]:
    """The keys of the columns that an UPDATE sets by `values`."""
    return [column if isinstance(column, str) else column.key for column in statement._values or {}]


def raise_database_error(
    connection: Connection, failure: BaseException, text: str, parameters: Any, cursor: Any
) -> NoReturn:
    """Raise what SQLAlchemy raises for an error of the driver, with its own classes and its care for the connection."""
    connection._handle_dbapi_exception(failure, text, parameters, cursor, None)


# --- the unit of work ------------------------------------------------------------------------------------


def needs_flush(session: Session) -> bool:
    """Whether a flush would have something to do and is not under way already."""
    return not (session._flushing or session._is_clean())


def while_flushing(session: Session, write: Callable[[Session], bool]) -> bool:
    """The result of `write(session)`.  The session counts as flushing meanwhile, so that no query in it flushes again."""
    session._flushing = True
    try:
        return write(session)
    finally:
        session._flushing = False


def notify_before_flush(session: Session) -> None:
    """Call the listeners of `before_flush`, as the unit of work does."""
    session.dispatch.before_flush(session, None, None)


def notify_after_flush(session: Session) -> None:
    """Call the listeners of `after_flush`, as the unit of work does."""
    session.dispatch.after_flush(session, None)


def mark_flushed(session: Session, states: Iterable[InstanceState[Any]]) -> None:
    """Note that these records are now as in the database: a rolled back savepoint restores them."""
    session._register_persistent(set(states))


def attach_loaded(session: Session, row: object) -> None:
    """Put a detached record into the session, without the walk over its relations that `add` makes."""
    session._update_impl(inspect(row))


def former_values(row: object) -> Mapping[str, Any]:
    """The attributes of a record that were set since it was loaded or flushed, with their values before."""
    state: InstanceState[Any] = inspect(row)
    return state.committed_state


def keep_former_value(attribute: QueryableAttribute[Any]) -> None:
    """Make an attribute load its former value before it is set for the first time."""
    attribute.impl.active_history = True


def added_values(row: object, key: str) -> Iterable[Any]:
    """What was put into a column or relation since the record was loaded.  Loads nothing."""
    return get_history(row, key, PassiveFlag.PASSIVE_NO_INITIALIZE).added or ()


# --- what a statement is made of -------------------------------------------------------------------------


class Join(NamedTuple):
    """One join of a SELECT: what is joined, on what (None where a relation says it), and whether it is a FULL JOIN."""

    target: Any
    onclause: Any
    is_full: bool

    @property
    def clauses(self) -> list[Any]:
        """The parts that are SQL; a relation is none."""
        return [part for part in (self.target, self.onclause) if part is not None and not hasattr(part, "property")]


def has_loader_options(statement: Executable) -> bool:
    """Whether `options` were given to a statement, like an eager load."""
    return bool(getattr(statement, "_with_options", None))


def joins_of(statement: Select[Any]) -> list[Join]:
    """The joins that were made by `join` and its variants."""
    return [Join(target, on, bool(flags["full"])) for target, on, _left, flags in statement._setup_joins]


def parts_beside_joins(statement: Select[Any]) -> Iterable[Any]:
    """The direct parts of a SELECT without its joins, and without what it only correlates with."""
    return ClauseElement.get_children(statement, omit_attrs=("_correlate", "_correlate_except", "_setup_joins"))


def mapped_sources(statement: Select[Any]) -> Iterator[Any]:
    """The mappers and aliases to which SQLAlchemy adds loader criteria.

    They are the entities of the columns (the first of each), of `select_from` and of the joins.  None for a statement
    of Core.
    """
    if statement._propagate_attrs.get("compile_state_plugin") != "orm":
        return
    for column in statement._raw_columns:
        entity = extract_first_column_annotation(column, _ENTITY)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        if entity is not None:
            yield entity
    for source in (*statement._from_obj, *(join.target for join in joins_of(statement))):
        entity = source.entity if hasattr(source, "property") else source._annotations.get(_ENTITY)
        if entity is not None:
            yield inspect(entity)


_ENTITY = "parententity"
"""How SQLAlchemy marks what came through a model."""


def correlated_with(statement: Select[Any], outer: frozenset[Any]) -> frozenset[Any]:
    """Which row sources of the enclosing SELECT this one refers to instead of naming them again."""
    excepted, only = statement._correlate_except, statement._correlate
    if excepted is not None:
        return outer - frozenset(excepted)
    return outer if statement._auto_correlate else outer & frozenset(only)
