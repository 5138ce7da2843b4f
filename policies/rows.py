"""Row sources: what the SQL face of a policy word speaks of, and how it gets from a record to the one it hangs on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, False_, FromClause, Select, and_, inspect, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models import Base

Clause = ColumnElement[bool]


@dataclass(frozen=True)
class Rows:
    """A row source for the SQL face: `e` is the class, an alias, or anything with the model's column names."""

    model: type[Base]
    e: Any

    def column(self, fact: str) -> Any | None:
        name: str = self.model.facts.get(fact, fact)
        return getattr(self.e, name) if name in self.model.__table__.c else None

    def whole(self, clause: Callable[["Rows"], Clause]) -> Clause:
        """`clause` about the record that this one hangs on.  `IN (SELECT …)`, never EXISTS: far less work on SQLite."""
        if isinstance(self.e, Hanging):
            return clause(self.e.above)
        whole, mine, table = _whole_of(self.model)
        inner = clause(Rows(whole, table.c))
        if isinstance(inner, False_):
            return inner
        reached = select(table.c.id).where(inner).correlate(None).execution_options(policy=True)
        column = getattr(self.e, str(mine.key))
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

    The alias is dear to make and safe to share: nothing is correlated to it, and nothing hangs on its own kind.
    """
    relation = inspect(model).relationships[model.through]
    ((mine, _),) = relation.local_remote_pairs or ()
    whole: type[Base] = relation.mapper.class_
    return whole, mine, whole.__table__.alias(f"whole_{whole.__tablename__}")


class Listed(FunctionElement[bool]):
    """Whether a column is in a list that is made once for the statement: `IN (SELECT …)`.

    PostgreSQL makes the list first and then finds its members by their index beside those of other clauses, where it
    would walk the whole table for `IN`.
    """

    type, inherit_cache = Boolean(), True

    def __init__(self, column: Any, *listed: Select[Any]) -> None:
        whole = union_all(*listed) if len(listed) > 1 else listed[0]
        super().__init__(column, whole.scalar_subquery())


@compiles(Listed)
def _listed(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} IN {listed}"


@compiles(Listed, "postgresql")
def _listed_on_postgresql(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} = ANY (ARRAY{listed})"
