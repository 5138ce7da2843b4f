"""Row sources: what the SQL face of a policy word speaks of, and how it gets from a record to the one it hangs on.

A question that leads elsewhere has two forms that mean the same.  Either all that answer it are found first, once for the
statement, and an index leads to them: good where they are few.  Or each row is asked for itself (`by_row`): good where
few rows are asked, as one that is called by its id or a page that is soon full.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    False_,
    FromClause,
    Select,
    and_,
    inspect,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models import Base

Clause = ColumnElement[bool]


@dataclass(frozen=True)
class Rows:
    """A row source for the SQL face: `e` is the class, an alias, or anything with the model's column names."""

    model: type[Base]
    e: Any
    by_row: bool = False

    def column(self, fact: str) -> Any | None:
        name: str = self.model.policy_columns.get(fact, fact)
        return getattr(self.e, name) if name in self.model.__table__.c else None

    def whole(self, clause: Callable[["Rows"], Clause]) -> Clause:
        """`clause` about the record that this one hangs on."""
        if isinstance(self.e, Hanging):
            return clause(self.e.above)
        whole, mine, table = _whole_of(self.model)
        inner = clause(Rows(whole, table.c, self.by_row))
        if isinstance(inner, False_):
            return inner
        column = getattr(self.e, str(mine.key))
        if self.by_row:
            one: Select[Any] = select(literal_column("1")).where(table.c.id == column, inner).correlate_except(table)
            return one.execution_options(policy=True).exists()
        reached = select(table.c.id).where(inner).correlate(None).execution_options(policy=True)
        found: Clause = column.in_(reached)
        return and_(column.is_not(None), found) if mine.nullable else found


class Hanging:
    """The columns of a row source, together with the rows they hang on where those are in the same statement.

    Questions about the whole are then asked of that row itself instead of a sub-select.
    """

    def __init__(self, columns: Any, above: Rows) -> None:
        self.columns, self.above = columns, above

    def __getattr__(self, name: str) -> Any:
        return getattr(self.columns, name)


@cache
def _whole_of(model: type[Base]) -> tuple[type[Base], Any, FromClause]:
    """(what a record hangs on, the foreign key to it, an alias of its table).

    The alias is dear to make and safe to share: nothing hangs on its own kind, so it never stands within itself.
    """
    relation = inspect(model).relationships[model.visible_through]
    ((mine, _),) = relation.local_remote_pairs or ()
    whole: type[Base] = relation.mapper.class_
    return whole, mine, whole.__table__.alias(f"whole_{whole.__tablename__}")


class Listed(FunctionElement[bool]):
    """Whether a column is in a list that is made once for the statement: `IN (SELECT …)`.

    PostgreSQL makes the list first and then finds its members by their index beside those of other clauses, where it
    would walk the whole table for `IN`.  SQLite looks its members up only where nothing stands around the `IN`.
    """

    type, inherit_cache = Boolean(), True

    def __init__(self, column: Any, *listed: Select[Any]) -> None:
        whole = union_all(*listed) if len(listed) > 1 else listed[0]
        super().__init__(column, whole.scalar_subquery())

    def self_group(self, against: Any = None) -> "Listed":
        """Itself: as a truth value it would be written `IN (…) = 1`, and whoever sees little walk the whole table."""
        return self


@compiles(Listed)
def _listed(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} IN {listed}"


@compiles(Listed, "postgresql")
def _listed_on_postgresql(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} = ANY (ARRAY{listed})"
