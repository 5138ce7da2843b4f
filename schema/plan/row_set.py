"""Row sets: the rows of one kind at one place of the answer, each a common table expression (CTE).

A deep answer does not nest in SQL, because SQLite's parser stops at a hundred open brackets.  The CTE of a row set is
joined from its parent's; its JSON is aggregated per parent row (`up_`) and joined back.  So the statement is a flat
list of CTEs at any depth, and every row is read and checked against the policy once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, true

from models.errors import Validation
from policies.rows import Rows, WithParent

from .dialect import Dialect, Value
from .shape import Kind, belongs_to

MAX_JOINS = 48
"""Maximum number of relations of one row in one answer; SQLite joins at most 64 tables."""

Conditions = Callable[[Any], Sequence[ColumnElement[bool]]]
Order = Callable[[Any], Sequence[Value]]


@dataclass(frozen=True)
class RowSet:
    """Rows with a number, `key_`, and the number of their parent row, `up_`."""

    kind: Kind
    table: Any
    visible_through: "RowSet | None" = None
    """The parent, where it decides who may see these rows: their policy clauses then use its columns."""

    @property
    def c(self) -> Any:
        """The columns for policy clauses and `resolvers/reading/clauses.py`."""
        return self.policy_columns(self.table.c)

    def policy_columns(self, columns: Any) -> Any:
        """Columns of these rows, together with those of the row set they are visible through."""
        if self.visible_through is None:
            return columns
        return WithParent(columns, Rows(self.visible_through.kind.model, self.visible_through.c, by_row=True))

    def lineage(self) -> Iterator["RowSet"]:
        """This row set, then the one that it is visible through, and so on."""
        rows: RowSet | None = self
        while rows is not None:
            yield rows
            rows = rows.visible_through

    def with_parents(self) -> Any:
        """The FROM clause of these rows, joined to the rows that they are visible through."""
        source = self.table
        for rows in self.lineage():
            parent = rows.visible_through
            if parent is not None:
                source = source.join(parent.table, parent.table.c.key_ == rows.table.c.up_)
        return source

    def correlate(self, statement: Select[Any]) -> Select[Any]:
        """A subquery that refers to the row of these that the outer SELECT is at."""
        return statement.correlate(*(rows.table for rows in self.lineage()))


class Joins:
    """A SELECT from a row set, to which the JSON below each row is joined; without a row set, the whole statement."""

    def __init__(self, rows: RowSet | None) -> None:
        self.rows = rows
        self.source: Any = rows.with_parents() if rows is not None else None
        self._joined: list[Any] = []

    def column(self, aggregated: Any, name: str = "json_") -> Value:
        """A column of a CTE with at most one row per row of the set; NULL for a row that it lacks."""
        if self.rows is None:
            return select(aggregated.c[name]).scalar_subquery()
        if not any(aggregated is table for table in self._joined):
            self._join(self.rows, aggregated)
        value: Value = aggregated.c[name]
        return value

    def _join(self, rows: RowSet, aggregated: Any) -> None:
        self._joined.append(aggregated)
        if len(self._joined) > MAX_JOINS:
            raise Validation(
                f"A record shows at most {MAX_JOINS} relations in one request.",
                f"一次请求中每条记录最多显示 {MAX_JOINS} 个关联。",
            )
        self.source = self.source.outerjoin(aggregated, aggregated.c.up_ == rows.table.c.key_)


def row_set(kind: Kind, parent: RowSet | None, table: Any) -> RowSet:
    """The rows of `table` below `parent`, without numbers."""
    is_part = parent is not None and belongs_to(kind.model, parent.kind.model)
    return RowSet(kind, table, parent if is_part else None)


def page(
    dialect: Dialect, kind: Kind, parent: RowSet | None, conditions: Conditions, order: Order, limit: int
) -> RowSet:
    """The first rows of a list below every row of `parent`: `n_` is their position, `all_` their number."""
    table = kind.model.__table__.alias()
    e = row_set(kind, parent, table).policy_columns(table.c)
    wanted = select(table).where(and_(true(), *conditions(e))).order_by(*order(e)).limit(limit)
    if parent is None:
        return _numbered(kind, None, wanted.add_columns(_ROOT).subquery(), order)
    below = dialect.below(parent.with_parents(), parent.table.c.key_, parent.correlate(wanted), table)
    return _numbered(kind, parent, below.subquery(), order)


def single(kind: Kind, parent: RowSet | None, conditions: Conditions) -> RowSet:
    """At most one row below every row of `parent`: the target of a foreign key."""
    table = kind.model.__table__.alias()
    e = row_set(kind, parent, table).policy_columns(table.c)
    if parent is None:
        found = select(table, _ROOT).where(and_(true(), *conditions(e)))
    else:
        source = parent.with_parents().join(table, and_(true(), *conditions(e)))
        found = select(table, parent.table.c.key_.label("up_")).select_from(source)
    inner = found.subquery()
    return row_set(kind, parent, select(inner, inner.c.up_.label("key_")).cte())


_ROOT: Value = literal_column("1").label("up_")
"""The parent number of the rows of a root field."""


def _numbered(kind: Kind, parent: RowSet | None, found: Any, order: Order) -> RowSet:
    rows = row_set(kind, parent, found)
    by = order(rows.c)
    numbers = (
        func.row_number().over(partition_by=found.c.up_, order_by=by).label("n_"),
        func.count().over(partition_by=found.c.up_).label("all_"),
        func.row_number().over(order_by=[found.c.up_, *by]).label("key_"),
    )
    return row_set(kind, parent, select(found, *numbers).select_from(rows.with_parents()).cte())


def aggregated(
    dialect: Dialect,
    joins: Joins,
    item: Value,
    condition: Callable[[Any], Any] | None = None,
    *,
    is_reversed: bool = False,
) -> Any:
    """The items as one JSON array per parent row, `json_`, in the order of `n_` or, `is_reversed`, against it."""
    assert joins.rows is not None, "the root has no items"
    table = joins.rows.table
    position = (-table.c.n_ if is_reversed else table.c.n_).label("n_")
    columns = [table.c.up_, position, item.label("item_")]
    rows = select(*columns).select_from(joins.source).order_by(table.c.up_, position)
    if condition is not None:
        rows = rows.where(condition(table.c))
    inner = rows.subquery()
    array = dialect.whole(dialect.objects(inner.c.item_, inner.c.n_)).label("json_")
    return select(inner.c.up_, array).group_by(inner.c.up_).cte()


def one(joins: Joins, item: Value) -> Any:
    """The item of a single row per parent row, `json_`."""
    assert joins.rows is not None, "the root has no items"
    return select(joins.rows.table.c.up_, item.label("json_")).select_from(joins.source).cte()
