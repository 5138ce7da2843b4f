"""In place: what lies below a row, asked by a subquery right where its JSON is made.

This is how one would write it by hand, and the fastest form: no row is carried about, and none is sorted that an index
gives in order.  It nests in SQL as it nests in the answer, so it is for what is not deep (`MOST_NESTED`); anything
deeper is gathered level by level, see `row_set.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from .dialect import Dialect, Value
from .listing import Listing
from .row_set import RowSet, place
from .shape import Kind

MOST_NESTED = 4
"""How many relations lie below one another.  With deep filters even these may be too many for SQLite's parser
(`models.database.reads.TooNested`)."""


def rows_of(kind: Kind, parent: RowSet | None) -> RowSet:
    """The rows of a kind, to be asked for below a row of `parent`."""
    return place(kind, parent, kind.model.__table__.alias())


def single(dialect: Dialect, parent: RowSet | None, level: RowSet, item: Value, wanted: ColumnElement[bool]) -> Value:
    """The one wanted row as JSON, NULL when there is none."""
    found = select(item).select_from(level.table).where(wanted)
    return dialect.json(_below(parent, found).scalar_subquery())


def every(
    dialect: Dialect,
    parent: RowSet | None,
    level: RowSet,
    item: Value,
    wanted: ColumnElement[bool],
    order: Sequence[Value],
    most: int,
) -> Value:
    """The wanted rows as a JSON array in their order, no more than `most`."""
    rows = select(item.label("item_")).select_from(level.table).where(wanted).order_by(*order).limit(most)
    inner = _below(parent, rows).subquery()
    return dialect.json(select(_array(dialect, inner.c.item_)).select_from(inner).scalar_subquery())


class Page:
    """One page of a list: what was asked of each row, and what is told about the page itself.

    `told`: the names of what is asked about where the page lies.  Rows are numbered only for that, or where a page is
    read from the end of its list; then one more is looked for.
    """

    def __init__(
        self,
        dialect: Dialect,
        parent: RowSet | None,
        level: RowSet,
        listed: Listing,
        items: Mapping[str, Value],
        told: Collection[str],
    ) -> None:
        self.dialect, self.listed = dialect, listed
        self.is_numbered = bool(told) or (bool(items) and listed.is_backward)
        self._names = {alias: f"item{n}_" for n, alias in enumerate(items)}
        columns: list[Any] = [item.label(self._names[alias]) for alias, item in items.items()]
        if self.is_numbered:
            columns += [value.label(f"key{n}_") for n, value in enumerate(listed.values(level.c))]
        if {"startCursor", "endCursor"} & {*told}:
            columns.append(listed.cursor(dialect, level).label("cursor_"))
        self.rows: Any = None
        if columns:
            size = listed.size + 1 if self.is_numbered else listed.size
            rows = select(*columns).select_from(level.table).order_by(*listed.walk(level.c))
            if dialect.picks_first and listed.is_sorted:
                rows = rows.where(level.c.id.in_(_picked(listed, level, size)))
            else:
                rows = rows.where(*listed.within(level.c)).limit(size)
            self.rows = _below(parent, rows).subquery()
        if self.is_numbered:
            self.rows = self._numbered(self.rows)

    def array(self, alias: str) -> Value:
        """The items under one name, as a JSON array in the order of the list."""
        item = self.rows.c[self._names[alias]]
        return _array(self.dialect, item, self.rows.c.n_ <= self.listed.size if self.is_numbered else None)

    def more(self) -> Value:
        """Whether the list goes on where the page ends."""
        return func.count() > self.listed.size

    def end(self, *, is_far: bool) -> Value:
        """The cursor of the row where the page begins, or of the one where it ends, in the order of reading."""
        c = self.rows.c
        place = self.listed.farthest(c.all_) if is_far else literal_column("1" if self.listed.size else "0")
        return func.max(case((c.n_ == place, c.cursor_), else_=None))

    def shown(self, parts: Value) -> Value:
        """What was made of this page, as one JSON value."""
        if self.rows is None:
            return parts
        return self.dialect.json(select(parts).select_from(self.rows).scalar_subquery())

    def _numbered(self, inner: Any) -> Any:
        order = [key.order(inner.c[f"key{n}_"]) for n, key in enumerate(self.listed.steps)]
        n = func.row_number().over(order_by=order).label("n_")
        numbered = select(inner, n, func.count().over().label("all_"))
        return numbered.order_by(n.desc() if self.listed.is_backward else n).subquery()


def _picked(listed: Listing, level: RowSet, size: int) -> Select[Any]:
    """The ids of a page: an item is dear to make, so none is made of what is sorted and does not come to stand there."""
    bare = level.table.original.alias()
    return select(bare.c.id).where(*listed.within(bare.c)).order_by(*listed.walk(bare.c)).limit(size)


def _array(dialect: Dialect, item: Value, shown: ColumnElement[bool] | None = None) -> Value:
    array = dialect.array(dialect.json(item))
    return dialect.filled(array.filter(shown) if shown is not None else array)


def _below(parent: RowSet | None, statement: Select[Any]) -> Select[Any]:
    return parent.inside(statement) if parent is not None else statement
