"""One list as it was asked for: which rows, in which order, which page, how many in all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select, true

from models.errors import Validation
from resolvers.reading.clauses import Key, behind, matching, order_of, value
from resolvers.reading.cursors import tag_of, values_of
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime.viewer import Viewer

from .arguments import filter_of, orders_of
from .cursor import cursor_of
from .dialect import Dialect, Value
from .row_set import Gathering, RowSet, place
from .shape import Kind

PAGE, LARGEST_PAGE = 50, 200
MOST_COUNTED = 10_001

Clauses = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Listing:
    """The rows below one row of `level`, or at the root without one."""

    viewer: Viewer
    kind: Kind
    level: RowSet | None
    conditions: Callable[[Viewer, Any], Clauses]
    keys: list[Key]
    after: list[Any] | None
    before: list[Any] | None
    size: int
    is_backward: bool
    """Whether the page is the last of the rows instead of the first."""
    is_sought: bool
    """Whether a search leads to the rows."""

    @property
    def is_sorted(self) -> bool:
        """Whether it is a list of its own that may have to be sorted, since he who asks sees little."""
        return self.level is None and not self.viewer.sees_many

    @property
    def is_walked(self) -> bool:
        """Whether rows of one table alone are gone through until there are enough."""
        is_alone = not (self.kind.sight or self.kind.model.visible_through or self.is_sought)
        return self.level is None and self.viewer.sees_many and is_alone

    def within(self, e: Any) -> Clauses:
        """The conditions of the list and of the page."""
        clauses = self.conditions(self.viewer, e)
        if self.after is not None:
            clauses.append(behind(self.keys, self.values(e), self.after))
        if self.before is not None:
            clauses.append(behind([key.back() for key in self.keys], self.values(e), self.before))
        return clauses

    def values(self, e: Any) -> list[Value]:
        return [value(self.viewer, self.kind.model, e, k.name) for k in self.keys]

    @property
    def steps(self) -> list[Key]:
        """The keys in the direction in which rows are taken: from the end when the page is the last."""
        return [key.back() for key in self.keys] if self.is_backward else self.keys

    def walk(self, e: Any) -> Sequence[Value]:
        """The order in which rows are taken until the page is full."""
        return [k.order(v) for k, v in zip(self.steps, self.values(e), strict=True)]

    def total(self, dialect: Dialect, most: int | None = None) -> Value:
        """How many rows the list has on all pages, counted no further than `most`."""
        rows = self.kind.model.__table__.alias()
        viewer = self.viewer.at_once if most is None else self.viewer
        where = and_(true(), *self.conditions(viewer, place(self.kind, self.level, rows).seen(rows.c)))
        if most is None:
            counted = select(func.count()).select_from(rows).where(where)
            total: Value = self._inside(counted).scalar_subquery()
            return total
        if not 1 <= most <= MOST_COUNTED:
            raise Validation(f"limit is 1 to {MOST_COUNTED}.", f"limit 须为 1 至 {MOST_COUNTED}。", field="limit")
        some: Any = select(literal_column("1").label("one")).select_from(rows).where(where)
        if self.is_walked:
            some = dialect.some(some, [key.order(rows.c[key.name]) for key in order_of(viewer, self.kind.model, [])])
        some = self._inside(some.limit(most)).subquery()
        return select(func.count()).select_from(some).scalar_subquery()

    def cursor(self, dialect: Dialect, level: RowSet) -> Value:
        return cursor_of(dialect, tag_of(self.keys), self.values(level.c))

    @property
    def costly(self) -> set[str]:
        """What can be told about a page only when its rows are numbered, and one more is looked for."""
        return {"startCursor", "endCursor", "hasPreviousPage" if self.is_backward else "hasNextPage"}

    def farthest(self, all_: Value) -> Value:
        """The number of the row where the page ends, when so many were found."""
        return case((all_ < self.size, all_), else_=self.size)

    def _inside(self, statement: Any) -> Any:
        return self.level.inside(statement) if self.level is not None else statement


class Ends:
    """What is told about the page of a gathered list; each of its answers is one for every row above."""

    def __init__(self, dialect: Dialect, listed: Listing, level: RowSet, gathering: Gathering) -> None:
        self.dialect, self.listed, self.level, self.gathering = dialect, listed, level, gathering

    def more(self) -> Value:
        """Whether the list goes on where the page ends."""
        more: Value = func.coalesce(self.gathering.take(self._found, "more_"), _NO) == _YES
        return more

    def end(self, *, is_far: bool) -> Value:
        """The cursor of the row where the page begins, or of the one where it ends, in the order of reading."""
        return self.gathering.take(self._found, "far_" if is_far else "near_")

    @cached_property
    def _found(self) -> Any:
        listed, c, cursor = self.listed, self.level.table.c, self.listed.cursor(self.dialect, self.level)
        more = case((func.count() > listed.size, _YES), else_=_NO)
        places = (("near_", _YES), ("far_", listed.farthest(c.all_)))
        ends = [func.max(case((c.n_ == place, cursor), else_=None)).label(name) for name, place in places]
        rows = select(c.up_, more.label("more_"), *(ends if listed.size else _NO_ENDS))
        return rows.select_from(self.level.with_above()).group_by(c.up_).cte()


_YES: Value = literal_column("1")
_NO: Value = literal_column("0")
_NO_ENDS: list[Value] = [literal_column("NULL").label("near_"), literal_column("NULL").label("far_")]


def read(
    viewer: Viewer,
    searches: Searches,
    kind: Kind,
    level: RowSet | None,
    arguments: Mapping[str, Any],
    where: Callable[[Any], ColumnElement[bool]],
) -> Listing:
    """The list that these arguments ask for.  Raises Validation for a page or search too large, or a foreign cursor."""
    model = kind.model
    tree = filter_of(model, arguments.get("filter") or {})
    text = arguments.get("search")
    is_found = searches.clause(viewer.one_by_one, model, text) if text else None

    def conditions(viewer: Viewer, e: Any) -> Clauses:
        clauses = [kind.rows(viewer, e), where(e)]
        if tree:
            clauses.append(matching(viewer, model, e, tree))
        if is_found is not None:
            clauses.append(is_found(e))
        return clauses

    keys = order_of(viewer, model, orders_of(arguments.get("orderBy")), tree)
    after, before = (values_of(model, keys, arguments[x]) if arguments.get(x) else None for x in ("after", "before"))
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise Validation("Ask for first or for last, not for both.", "first 与 last 只能使用一个。", field="last")
    is_backward = last is not None or (before is not None and first is None)
    size, is_sought = _size(first, last), is_found is not None
    return Listing(viewer, kind, level, conditions, keys, after, before, size, is_backward, is_sought)


def _size(first: int | None, last: int | None) -> int:
    name, size = ("first", first) if last is None else ("last", last)
    size = PAGE if size is None else size
    if not 0 <= size <= LARGEST_PAGE:
        raise Validation(f"{name} is 0 to {LARGEST_PAGE}.", f"{name} 须为 0 至 {LARGEST_PAGE}。", field=name)
    return size
