"""One list of an operation: the conditions on its rows, their order, the page and the counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select, true

from models.base import sort_key_of
from models.errors import Validation
from resolvers.reading.cursors import tag_of, values_of
from resolvers.reading.matching import matching
from resolvers.reading.order import Key, after_cursor, order_of, order_value
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime.viewer import Viewer

from .arguments import filter_of, orders_of
from .cursor import cursor_of
from .dialect import Dialect, Value
from .row_set import Joins, RowSet, row_set
from .shape import Kind

PAGE, MAX_PAGE = 50, 200
"""Default and maximum number of rows of a page."""
MAX_COUNTED = 10_001
"""Maximum of `limit` in `countUpTo`."""

Clauses = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Listing:
    """A list below one row of `parent`, or of a root field where `parent` is None."""

    viewer: Viewer
    kind: Kind
    parent: RowSet | None
    conditions: Callable[[Viewer, Any], Clauses]
    keys: list[Key]
    after: list[Any] | None
    before: list[Any] | None
    size: int
    is_backward: bool
    """Whether the page is the last of the list instead of the first."""
    is_search: bool
    """Whether a search selects the rows."""

    @property
    def is_sorted(self) -> bool:
        """Whether the database may have to sort: a root list of a viewer who sees few rows."""
        return self.parent is None and not self.viewer.sees_many

    @property
    def is_scan(self) -> bool:
        """Whether a count scans one table until its limit: a root list of a viewer who sees many rows of it."""
        is_plain = not (self.kind.visible or self.kind.model.visible_through or self.is_search)
        return self.parent is None and self.viewer.sees_many and is_plain

    def page_conditions(self, e: Any) -> Clauses:
        """The conditions of the list and of the page."""
        clauses = self.conditions(self.viewer, e)
        if self.after is not None:
            clauses.append(after_cursor(self.keys, self.values(e), self.after))
        if self.before is not None:
            clauses.append(after_cursor([key.back() for key in self.keys], self.values(e), self.before))
        return clauses

    def values(self, e: Any) -> list[Value]:
        return [order_value(self.viewer, self.kind.model, e, k.name) for k in self.keys]

    @property
    def reading_keys(self) -> list[Key]:
        """The keys in the direction of reading: backward when the page is the last of the list."""
        return [key.back() for key in self.keys] if self.is_backward else self.keys

    def order(self, e: Any) -> Sequence[Value]:
        """The order in which rows are read until the page is full."""
        return [k.order(v) for k, v in zip(self.reading_keys, self.values(e), strict=True)]

    def total(self, dialect: Dialect, limit: int | None = None) -> Value:
        """The number of rows on all pages, counted up to `limit`."""
        table = self.kind.model.__table__.alias()
        viewer = self.viewer.at_once if limit is None else self.viewer
        e = row_set(self.kind, self.parent, table).policy_columns(table.c)
        where = and_(true(), *self.conditions(viewer, e))
        if limit is None:
            counted = select(func.count()).select_from(table).where(where)
            total: Value = self._correlated(counted).scalar_subquery()
            return total
        if not 1 <= limit <= MAX_COUNTED:
            raise Validation(f"limit is 1 to {MAX_COUNTED}.", f"limit 须为 1 至 {MAX_COUNTED}。", field="limit")
        some: Any = select(literal_column("1").label("one")).select_from(table).where(where)
        if self.is_scan:
            model = self.kind.model
            default_order = [
                key.order(table.c[sort_key_of(model, key.name) or key.name]) for key in order_of(viewer, model, [])
            ]
            some = dialect.in_any_order(some, default_order)
        some = self._correlated(some.limit(limit)).subquery()
        return select(func.count()).select_from(some).scalar_subquery()

    def cursor(self, dialect: Dialect, rows: RowSet) -> Value:
        return cursor_of(dialect, tag_of(self.keys), self.values(rows.c))

    @property
    def needs_numbers(self) -> set[str]:
        """The fields of `pageInfo` for which the rows of the page are numbered, and one more is read."""
        return {"startCursor", "endCursor", "hasPreviousPage" if self.is_backward else "hasNextPage"}

    def last_position(self, found: Value) -> Value:
        """The position of the last row of the page, given the number of rows found."""
        return case((found < self.size, found), else_=self.size)

    def _correlated(self, statement: Any) -> Any:
        return self.parent.correlate(statement) if self.parent is not None else statement


class PageInfo:
    """The values of `pageInfo` where pages are row sets; each value holds one result per parent row."""

    def __init__(self, dialect: Dialect, listing: Listing, rows: RowSet, joins: Joins) -> None:
        self.dialect, self.listing, self.rows, self.joins = dialect, listing, rows, joins

    def has_more(self) -> Value:
        """Whether the list continues after the page, in the direction of reading."""
        more: Value = func.coalesce(self.joins.column(self._page_ends, "more_"), _NO) == _YES
        return more

    def cursor(self, *, is_last: bool) -> Value:
        """The cursor of the first or the last row of the page, in the direction of reading."""
        return self.joins.column(self._page_ends, "last_" if is_last else "first_")

    @cached_property
    def _page_ends(self) -> Any:
        listing, c, cursor = self.listing, self.rows.table.c, self.listing.cursor(self.dialect, self.rows)
        more = case((func.count() > listing.size, _YES), else_=_NO)
        positions = (("first_", _YES), ("last_", listing.last_position(c.all_)))
        cursors = [func.max(case((c.n_ == n, cursor), else_=None)).label(name) for name, n in positions]
        values = select(c.up_, more.label("more_"), *(cursors if listing.size else _NO_CURSORS))
        return values.select_from(self.rows.with_parents()).group_by(c.up_).cte()


_YES: Value = literal_column("1")
_NO: Value = literal_column("0")
_NO_CURSORS: list[Value] = [literal_column("NULL").label("first_"), literal_column("NULL").label("last_")]


def read(
    viewer: Viewer,
    searches: Searches,
    kind: Kind,
    parent: RowSet | None,
    arguments: Mapping[str, Any],
    where: Callable[[Any], ColumnElement[bool]],
) -> Listing:
    """The list for these arguments.  Raises Validation for a page or search too large, or a cursor of another list."""
    model = kind.model
    tree = filter_of(model, arguments.get("filter") or {}, viewer)
    text = arguments.get("search")
    search = searches.clause(viewer.one_by_one, model, text) if text else None

    def conditions(viewer: Viewer, e: Any) -> Clauses:
        clauses = [kind.rows(viewer, e), where(e)]
        if tree:
            clauses.append(matching(viewer, model, e, tree))
        if search is not None:
            clauses.append(search(e))
        return clauses

    keys = order_of(viewer, model, orders_of(arguments.get("orderBy")), tree)
    after, before = (values_of(model, keys, arguments[x]) if arguments.get(x) else None for x in ("after", "before"))
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise Validation("Ask for first or for last, not for both.", "first 与 last 只能使用一个。", field="last")
    is_backward = last is not None or (before is not None and first is None)
    size, is_search = _size(first, last), search is not None
    return Listing(viewer, kind, parent, conditions, keys, after, before, size, is_backward, is_search)


def _size(first: int | None, last: int | None) -> int:
    name, size = ("first", first) if last is None else ("last", last)
    size = PAGE if size is None else size
    if not 0 <= size <= MAX_PAGE:
        raise Validation(f"{name} is 0 to {MAX_PAGE}.", f"{name} 须为 0 至 {MAX_PAGE}。", field=name)
    return size
