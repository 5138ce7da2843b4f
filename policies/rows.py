"""Row sources: what the SQL form of a policy word is written for, and how it gets from a record to its parent.

A condition on another table has two equivalent forms.  One collects all matching ids first, once for the statement, and
an index leads to them: fast where they are few.  The other tests each row by a correlated subquery (`by_row`): fast
where few rows are tested, as for a record that is named by its id, or a page that is soon full.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
    """A row source: `e` is the class, an alias, or anything with the model's column names."""

    model: type[Base]
    e: Any
    by_row: bool = False
    below: type[Base] | None = None
    """The child records for which the rows are asked about as parents: a share opens some kinds of them only."""

    def column(self, fact: str) -> Any | None:
        name: str = self.model.policy_columns.get(fact, fact)
        return getattr(self.e, name) if name in self.model.__table__.c else None

    def of_parent(self, clause: Callable[["Rows"], Clause]) -> Clause:
        """`clause` about the parent, the record through which this one is visible."""
        if isinstance(self.e, WithParent):
            return clause(replace(self.e.parent, below=self.model))
        parent, mine, table = _parent_of(self.model)
        inner = clause(Rows(parent, table.c, self.by_row, self.model))
        if isinstance(inner, False_):
            return inner
        column = getattr(self.e, str(mine.key))
        if self.by_row:
            one: Select[Any] = select(literal_column("1")).where(table.c.id == column, inner).correlate_except(table)
            return one.execution_options(policy=True).exists()
        reached = select(table.c.id).where(inner).correlate(None).execution_options(policy=True)
        found: Clause = column.in_(reached)
        return and_(column.is_not(None), found) if mine.nullable else found


class WithParent:
    """The columns of a row source, with the rows of its parent where those are joined in the same statement.

    Conditions on the parent then test the joined row instead of a subquery.
    """

    def __init__(self, columns: Any, parent: Rows) -> None:
        self.columns, self.parent = columns, parent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.columns, name)


@cache
def _parent_of(model: type[Base]) -> tuple[type[Base], Any, FromClause]:
    """(the parent of a model, the foreign key to it, an alias of its table).

    The alias is expensive to make and safe to share: no model is its own parent, so the alias never contains itself.
    """
    relation = inspect(model).relationships[model.visible_through]
    ((mine, _),) = relation.local_remote_pairs or ()
    parent: type[Base] = relation.mapper.class_
    return parent, mine, parent.__table__.alias(f"parent_{parent.__tablename__}")


class Listed(FunctionElement[bool]):
    """Whether a column is in a list that is computed once for the statement: `IN (SELECT …)`.

    PostgreSQL combines the index scan over such an array with those of other clauses, where it would scan the whole table
    for `IN`.  SQLite uses the index only for a bare `IN`.
    """

    type, inherit_cache = Boolean(), True

    def __init__(self, column: Any, *listed: Select[Any]) -> None:
        whole = union_all(*listed) if len(listed) > 1 else listed[0]
        super().__init__(column, whole.scalar_subquery())

    def self_group(self, against: Any = None) -> "Listed":
        """Itself: as a truth value it would be written `IN (…) = 1`, which no index of SQLite answers."""
        return self


@compiles(Listed)
def _listed(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} IN {listed}"


@compiles(Listed, "postgresql")
def _listed_on_postgresql(element: Listed, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} = ANY (ARRAY{listed})"
