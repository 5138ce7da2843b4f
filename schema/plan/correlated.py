"""Correlated subqueries: the form of a shallow answer, where each relation is a subquery inside its parent's JSON.

It is the fastest form, because no row is copied between CTEs and no row is sorted that an index returns in order.  It
nests in SQL as the answer nests, so it serves up to `MAX_NESTED` relations; `row_set.py` is the form of deeper answers.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from .dialect import Dialect, Value
from .listing import Listing
from .row_set import RowSet, row_set
from .shape import Kind

MAX_NESTED = 4
"""Maximum number of relations below one another.  With deep filters even these may be too many for SQLite's parser
(`models.database.reads.TooNested`)."""


def rows_of(kind: Kind, parent: RowSet | None) -> RowSet:
    """The rows of a kind for a subquery below `parent`."""
    return row_set(kind, parent, kind.model.__table__.alias())


def single(dialect: Dialect, parent: RowSet | None, rows: RowSet, item: Value, wanted: ColumnElement[bool]) -> Value:
    """The one wanted row as JSON, NULL when there is none."""
    found = select(item).select_from(rows.table).where(wanted)
    return dialect.json(_correlated(parent, found).scalar_subquery())


def every(
    dialect: Dialect,
    parent: RowSet | None,
    rows: RowSet,
    item: Value,
    wanted: ColumnElement[bool],
    order: Sequence[Value],
    limit: int,
) -> Value:
    """The first `limit` wanted rows as a JSON array."""
    items = select(item.label("item_")).select_from(rows.table).where(wanted).order_by(*order).limit(limit)
    inner = _correlated(parent, items).subquery()
    return dialect.json(select(_array(dialect, inner.c.item_)).select_from(inner).scalar_subquery())


class Page:
    """One page of a list: the items of its rows, and the values of its `pageInfo`.

    `page_info`: the selected fields that need numbered rows (`Listing.needs_numbers`).  Rows are numbered for these
    fields and for a page at the end of the list; then the page reads one row more than its size.
    """

    def __init__(
        self,
        dialect: Dialect,
        parent: RowSet | None,
        rows: RowSet,
        listing: Listing,
        items: Mapping[str, Value],
        page_info: Collection[str],
    ) -> None:
        self.dialect, self.listing = dialect, listing
        self.is_numbered = bool(page_info) or (bool(items) and listing.is_backward)
        self._names = {alias: f"item{n}_" for n, alias in enumerate(items)}
        columns: list[Any] = [item.label(self._names[alias]) for alias, item in items.items()]
        if self.is_numbered:
            columns += [value.label(f"key{n}_") for n, value in enumerate(listing.values(rows.c))]
        if {"startCursor", "endCursor"} & {*page_info}:
            columns.append(listing.cursor(dialect, rows).label("cursor_"))
        self.rows: Any = None
        if columns:
            size = listing.size + 1 if self.is_numbered else listing.size
            found = select(*columns).select_from(rows.table).order_by(*listing.order(rows.c))
            if dialect.selects_ids_first and listing.is_sorted:
                found = found.where(rows.c.id.in_(_page_ids(listing, rows, size)))
            else:
                found = found.where(*listing.page_conditions(rows.c)).limit(size)
            self.rows = _correlated(parent, found).subquery()
        if self.is_numbered:
            self.rows = self._numbered(self.rows)

    def array(self, alias: str) -> Value:
        """The items of one alias in the order of the list, as `Dialect.page` takes them."""
        item = self.rows.c[self._names[alias]]
        return _array(self.dialect, item, self.rows.c.n_ <= self.listing.size if self.is_numbered else None)

    def has_more(self) -> Value:
        """Whether the list continues after the page, in the direction of reading."""
        return func.count() > self.listing.size

    def cursor(self, *, is_last: bool) -> Value:
        """The cursor of the first or the last row of the page, in the direction of reading."""
        c = self.rows.c
        position = self.listing.last_position(c.all_) if is_last else literal_column("1" if self.listing.size else "0")
        return func.max(case((c.n_ == position, c.cursor_), else_=None))

    def json(self, value: Value) -> Value:
        """A value built from this page, as one JSON value of the parent."""
        if self.rows is None:
            return self.dialect.json(value)
        return self.dialect.json(select(value).select_from(self.rows).scalar_subquery())

    def _numbered(self, inner: Any) -> Any:
        order = [key.order(inner.c[f"key{n}_"]) for n, key in enumerate(self.listing.reading_keys)]
        n = func.row_number().over(order_by=order).label("n_")
        numbered = select(inner, n, func.count().over().label("all_"))
        return numbered.order_by(n.desc() if self.listing.is_backward else n).subquery()


def _page_ids(listing: Listing, rows: RowSet, size: int) -> Select[Any]:
    """The ids of a page.  An item is expensive to build, so the sort runs over ids instead of items."""
    bare = rows.table.original.alias()
    return select(bare.c.id).where(*listing.page_conditions(bare.c)).order_by(*listing.order(bare.c)).limit(size)


def _array(dialect: Dialect, item: Value, condition: ColumnElement[bool] | None = None) -> Value:
    objects = dialect.objects(item)
    return dialect.whole(objects.filter(condition) if condition is not None else objects)


def _correlated(parent: RowSet | None, statement: Select[Any]) -> Select[Any]:
    return parent.correlate(statement) if parent is not None else statement
