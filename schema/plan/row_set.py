"""Levels: the rows of one kind at one place of the answer, each a common table expression of its own.

Nesting in the answer is no nesting in the SQL.  A level is joined from the level above it, its JSON is gathered per
row above (`up_`) and joined back, so a statement is a flat list of CTEs however deep the question goes: SQLite's
parser stops at a hundred open brackets.  And every row is read, and judged, once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, true

from models.errors import Validation
from policies.rows import Hanging, Rows

from .dialect import Dialect, Value
from .shape import Kind, belongs_to

MOST_JOINS = 48
"""Relations of one row in one answer; SQLite joins at most 64 tables."""

Conditions = Callable[[Any], Sequence[ColumnElement[bool]]]
Order = Callable[[Any], Sequence[Value]]


@dataclass(frozen=True)
class RowSet:
    """Rows with a number of their own, `key_`, and the number of the row above, `up_`."""

    kind: Kind
    table: Any
    above: "RowSet | None" = None
    """The level of the record that these hang on, if that is in the statement: policy asks there."""

    @property
    def c(self) -> Any:
        """The columns, as policy and `find` want them."""
        return self.seen(self.table.c)

    def seen(self, columns: Any) -> Any:
        return (
            columns if self.above is None else Hanging(columns, Rows(self.above.kind.model, self.above.c, by_row=True))
        )

    def chain(self) -> Iterator["RowSet"]:
        """This level and those that its records hang on, one by one."""
        level: RowSet | None = self
        while level is not None:
            yield level
            level = level.above

    def with_above(self) -> Any:
        """The rows, each beside the rows that it hangs on."""
        source = self.table
        for level in self.chain():
            if level.above is not None:
                source = source.join(level.above.table, level.above.table.c.key_ == level.table.c.up_)
        return source

    def inside(self, statement: Select[Any]) -> Select[Any]:
        """A statement that speaks of these rows from within a SELECT over them."""
        return statement.correlate(*(level.table for level in self.chain()))


class Gathering:
    """One SELECT from a level, with what lies below its rows joined to it; without a level, the answer itself."""

    def __init__(self, level: RowSet | None) -> None:
        self.level = level
        self.source: Any = level.with_above() if level is not None else None
        self._joined: list[Any] = []

    def take(self, aggregated: Any, name: str = "json_") -> Value:
        """A column of something gathered per row of this level; NULL where nothing lies below a row."""
        if self.level is None:
            return select(aggregated.c[name]).scalar_subquery()
        if not any(aggregated is table for table in self._joined):
            self._join(self.level, aggregated)
        value: Value = aggregated.c[name]
        return value

    def _join(self, level: RowSet, aggregated: Any) -> None:
        self._joined.append(aggregated)
        if len(self._joined) > MOST_JOINS:
            raise Validation(
                f"A record shows at most {MOST_JOINS} relations in one request.",
                f"一次请求中每条记录最多显示 {MOST_JOINS} 个关联。",
            )
        self.source = self.source.outerjoin(aggregated, aggregated.c.up_ == level.table.c.key_)


def place(kind: Kind, level: RowSet | None, table: Any) -> RowSet:
    """Rows of `kind` below `level`, not numbered yet; policy asks `level` where the rows hang on its."""
    hanging = level is not None and belongs_to(kind.model, level.kind.model)
    return RowSet(kind, table, level if hanging else None)


def page(
    dialect: Dialect, kind: Kind, level: RowSet | None, conditions: Conditions, order: Order, limit: int
) -> RowSet:
    """The first rows of a list below every row of `level`, numbered `n_` in their order, `all_` of them."""
    rows = kind.model.__table__.alias()
    e = place(kind, level, rows).seen(rows.c)
    wanted = select(rows).where(and_(true(), *conditions(e))).order_by(*order(e)).limit(limit)
    if level is None:
        return _numbered(kind, None, wanted.add_columns(_TOP).subquery(), order)
    return _numbered(kind, level, dialect.below(level, level.inside(wanted), rows).subquery(), order)


def single(kind: Kind, level: RowSet | None, conditions: Conditions) -> RowSet:
    """At most one row below every row of `level`: what a key points to."""
    rows = kind.model.__table__.alias()
    e = place(kind, level, rows).seen(rows.c)
    if level is None:
        found = select(rows, _TOP).where(and_(true(), *conditions(e)))
    else:
        source = level.with_above().join(rows, and_(true(), *conditions(e)))
        found = select(rows, level.table.c.key_.label("up_")).select_from(source)
    inner = found.subquery()
    return place(kind, level, select(inner, inner.c.up_.label("key_")).cte())


_TOP: Value = literal_column("1").label("up_")


def _numbered(kind: Kind, level: RowSet | None, found: Any, order: Order) -> RowSet:
    bare = place(kind, level, found)
    by = order(bare.c)
    numbers = (
        func.row_number().over(partition_by=found.c.up_, order_by=by).label("n_"),
        func.count().over(partition_by=found.c.up_).label("all_"),
        func.row_number().over(order_by=[found.c.up_, *by]).label("key_"),
    )
    return place(kind, level, select(found, *numbers).select_from(bare.with_above()).cte())


def aggregated(
    dialect: Dialect,
    gathering: Gathering,
    item: Value,
    shown: Callable[[Any], Any] | None = None,
    *,
    is_reversed: bool = False,
) -> Any:
    """The items of a level as one JSON array per row above, in the order of `n_` or against it, under `json_`."""
    level = gathering.level
    assert level is not None, "only rows are gathered"
    table = level.table
    place = (-table.c.n_ if is_reversed else table.c.n_).label("n_")
    columns = [table.c.up_, place, item.label("item_")]
    rows = select(*columns).select_from(gathering.source).order_by(table.c.up_, place)
    if shown is not None:
        rows = rows.where(shown(table.c))
    inner = rows.subquery()
    array = dialect.array(dialect.json(inner.c.item_), inner.c.n_).label("json_")
    return select(inner.c.up_, array).group_by(inner.c.up_).cte()


def one(gathering: Gathering, item: Value) -> Any:
    """The item of a single row per row above, under `json_`."""
    assert gathering.level is not None, "only rows are gathered"
    return select(gathering.level.table.c.up_, item.label("json_")).select_from(gathering.source).cte()
