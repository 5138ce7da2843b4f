"""One list as it was asked for: which rows, in which order, which page, how many in all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select, true

from models.errors import Validation
from resolvers.cursors import tag_of, values_of
from resolvers.find import Key, Look, behind, found, matching, order_of, value

from .arguments import filter_of, orders_of
from .cursor import cursor_of
from .dialect import Dialect, Value
from .level import Level, place
from .shape import Kind

PAGE, LARGEST_PAGE = 50, 200
MOST_COUNTED = 10_001

Clauses = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Listing:
    """The rows below one row of `level`, or at the root without one."""

    look: Look
    kind: Kind
    level: Level | None
    conditions: Callable[[Any], Clauses]
    keys: list[Key]
    after: list[Any] | None
    before: list[Any] | None
    size: int
    is_backward: bool
    """Whether the page is the last of the rows instead of the first."""

    def within(self, e: Any) -> Clauses:
        """The conditions of the list and of the page."""
        clauses = self.conditions(e)
        if self.after is not None:
            clauses.append(behind(self.keys, self.values(e), self.after))
        if self.before is not None:
            clauses.append(behind([key.back() for key in self.keys], self.values(e), self.before))
        return clauses

    def values(self, e: Any) -> list[Value]:
        return [value(self.look, self.kind.model, e, k.name) for k in self.keys]

    def walk(self, e: Any) -> Sequence[Value]:
        """The order in which rows are taken until the page is full: from its end when it is read backwards."""
        keys = [key.back() for key in self.keys] if self.is_backward else self.keys
        return [k.order(v) for k, v in zip(keys, self.values(e), strict=True)]

    def total(self, most: int | None = None) -> Value:
        """How many rows the list has on all pages, counted no further than `most`."""
        rows = self.kind.model.__table__.alias()
        where = and_(true(), *self.conditions(place(self.kind, self.level, rows).seen(rows.c)))
        if most is None:
            counted = select(func.count()).select_from(rows).where(where)
            total: Value = self._inside(counted).scalar_subquery()
            return total
        if not 1 <= most <= MOST_COUNTED:
            raise Validation(f"limit is 1 to {MOST_COUNTED}.", f"limit 须为 1 至 {MOST_COUNTED}。", field="limit")
        some: Any = select(literal_column("1").label("one")).select_from(rows).where(where).limit(most)
        return select(func.count()).select_from(self._inside(some).subquery()).scalar_subquery()

    def cursor(self, dialect: Dialect, level: Level) -> Value:
        return cursor_of(dialect, tag_of(self.keys), self.values(level.c))

    def ends(self, dialect: Dialect, level: Level) -> Any:
        """Per row above: the cursors of the first and the last row of the page, and 1 when there is one more."""
        c, cursor = level.table.c, self.cursor(dialect, level)
        farthest = case((c.all_ < self.size, c.all_), else_=self.size)
        more = case((func.count() > self.size, literal_column("1")), else_=literal_column("0"))
        names = ("last_", "first_") if self.is_backward else ("first_", "last_")
        places = zip(names, (literal_column("1"), farthest), strict=True)
        ends = [func.max(case((c.n_ == place, cursor), else_=None)).label(name) for name, place in places]
        rows = select(c.up_, more.label("more_"), *(ends if self.size else _NO_ENDS))
        return rows.select_from(level.with_above()).group_by(c.up_).cte()

    def _inside(self, statement: Any) -> Any:
        return self.level.inside(statement) if self.level is not None else statement


_NO_ENDS: list[Value] = [literal_column("NULL").label("first_"), literal_column("NULL").label("last_")]


def read(
    look: Look,
    kind: Kind,
    level: Level | None,
    arguments: Mapping[str, Any],
    where: Callable[[Any], ColumnElement[bool]],
) -> Listing:
    """The list that these arguments ask for.  Raises Validation for a page too large or a foreign cursor."""
    model = kind.model
    tree = filter_of(model, arguments.get("filter") or {})
    text = arguments.get("search")

    def conditions(e: Any) -> Clauses:
        clauses = [kind.rows(look, e), where(e)]
        if tree:
            clauses.append(matching(look, model, e, tree))
        if text:
            clauses.append(found(look, model, e, text))
        return clauses

    keys = order_of(look, model, orders_of(arguments.get("orderBy")), tree)
    after, before = (values_of(model, keys, arguments[x]) if arguments.get(x) else None for x in ("after", "before"))
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise Validation("Ask for first or for last, not for both.", "first 与 last 只能使用一个。", field="last")
    is_backward = last is not None or (before is not None and first is None)
    return Listing(look, kind, level, conditions, keys, after, before, _size(first, last), is_backward)


def _size(first: int | None, last: int | None) -> int:
    name, size = ("first", first) if last is None else ("last", last)
    size = PAGE if size is None else size
    if not 0 <= size <= LARGEST_PAGE:
        raise Validation(f"{name} is 0 to {LARGEST_PAGE}.", f"{name} 须为 0 至 {LARGEST_PAGE}。", field=name)
    return size
