"""Pages of lists for the panel: guarded values, names of referenced records, and the actions allowed on each row.

One statement for the page, one for the capped count and one per referenced entity, all under the read guard.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, and_, func, inspect, select
from sqlalchemy.orm import Session

from models import Base
from models.base import column_of
from models.custom_field import Book, is_custom

from ..runtime.budgets import Costly
from ..runtime.custom_fields import referred_kind, visible_book
from ..runtime.scope import Scope
from ..runtime.statement_guard import MODELS
from ..runtime.viewer import Clause, Value
from .clauses import COMPUTED, in_bin, open_to, value, visible, with_parents
from .condition_check import NO_FIELDS
from .conditions import Asker, Condition, checked, filter_of
from .cursors import values_of, written
from .matching import matching
from .order import Key, after_cursor, order_of, order_value
from .ranking import ranked
from .search import SearchResult, find
from .titles import display_column as display_column
from .titles import title_of as title_of

MOST_COUNTED = 1_000
"""Maximum count of a list; beyond it the panel shows `1,000+`."""
LARGEST_PAGE = 200


@dataclass(frozen=True)
class ListRequest:
    """Which list, and which page of it.  `columns` are keys of columns or of computed values, in any order.

    `filter` is that of a screen, by column keys; `condition` is one that a user wrote (`conditions.py`).
    `binned`: rows in the recycle bin, rows outside it, or (None) both.  `may`: actions that are tested on each row.
    `after` and `before` are cursors of this list; at most one of them.  `last`: the last page, without a cursor.  `counts`: whether to count the rows.
    """

    model: type[Base]
    columns: tuple[str, ...]
    filter: Mapping[str, Any] = field(default_factory=dict)
    condition: Condition = field(default_factory=dict)
    search: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    after: str | None = None
    before: str | None = None
    last: bool = False
    size: int = 25
    binned: bool | None = False
    may: tuple[str, ...] = ()
    counts: bool = True
    best_first: bool = False
    """Whether a search puts the best matches first, instead of the order; such a list has one page."""


@dataclass(frozen=True)
class Row:
    """One record: values by key (None where hidden), names of referenced records by key, and the allowed actions."""

    id: int
    values: Mapping[str, Any]
    names: Mapping[str, str | None]
    may: frozenset[str]

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)


@dataclass(frozen=True)
class Page:
    """The rows in order, the count of the list up to MOST_COUNTED + 1, and the cursors of the next and previous page.

    `count` is None where the request does not ask for it.
    """

    rows: list[Row]
    count: int | None
    after: str | None
    before: str | None

    @property
    def is_counted(self) -> bool:
        return self.count is not None and self.count <= MOST_COUNTED


def page(scope: Scope, db: Session, request: ListRequest) -> Page:
    """The requested page.  Raises Validation for a cursor of another list or a search that is too long."""
    reading = Reading(scope, request)
    if request.best_first and request.search.strip():
        return _best(scope, db, reading)
    reading.search(db)
    rows = [*reading.rows(db)]
    is_more, rows = len(rows) > reading.size, rows[: reading.size]
    if reading.is_backward:
        rows.reverse()
    forward = bool(request.before) or (is_more and not request.last)
    backward = bool(request.after) or (is_more and reading.is_backward)
    return Page(
        _read(scope, db, reading, rows),
        reading.count(db) if request.counts else None,
        reading.cursor(rows[-1]) if rows and forward else None,
        reading.cursor(rows[0]) if rows and backward else None,
    )


def _best(scope: Scope, db: Session, reading: "Reading") -> Page:
    """The best matches of a search, best first, on one page."""
    scope.backend.budgets.spend(scope.person.id, Costly.SEARCHES)
    found = ranked(scope, db, reading.model, reading.request.search, reading.size, reading.listed())
    rows = {row.id: row for row in db.execute(reading.statement().where(reading.e.id.in_(found.ids)))}
    shown = _read(scope, db, reading, [rows[id] for id in found.ids if id in rows])
    return Page(shown, found.count if reading.request.counts else None, None, None)


def count(scope: Scope, db: Session, request: ListRequest) -> int:
    """The number of rows of the list, up to MOST_COUNTED + 1."""
    reading = Reading(scope, request)
    reading.search(db)
    return reading.count(db)


def one(scope: Scope, db: Session, request: ListRequest, id: int) -> Row | None:
    """The record with this id, if the caller may see it; filter, search and page of the request are ignored."""
    reading = Reading(scope, replace(request, filter={}, condition={}, search="", after=None, before=None))
    model: Any = request.model
    found = db.execute(reading.statement().where(model.id == id)).first() if id else None
    return _read(scope, db, reading, [found])[0] if found is not None else None


def parent_of(model: type[Base]) -> tuple[type[Base], str] | None:
    """(the model with which a record of this one goes to the bin, the foreign key to it); None where there is none."""
    relation = getattr(model, "cascades_with", "") or model.visible_through
    return (inspect(model).relationships[relation].mapper.class_, f"{relation}_id") if relation else None


def target_of(model: type[Base], key: str, book: Book = NO_FIELDS) -> type[Base] | None:
    """The protected model that a foreign key column, or a custom field of the book, refers to; None for any other."""
    if is_custom(key):
        custom = book.find(model.module, key)
        return referred_kind(custom) if custom is not None else None
    if (model, key) in COMPUTED:
        return None
    keys = column_of(model, key).foreign_keys
    return next((MODELS[k.column.table.name] for k in keys if k.column.table.name in MODELS), None)


def _read(scope: Scope, db: Session, reading: "Reading", rows: Sequence[Any]) -> list[Row]:
    """The rows with the names of the records that they refer to: one query per referenced entity."""
    values = [reading.values(row) for row in rows]
    book, columns = reading.viewer.policy.book, reading.request.columns
    targets = {key: target for key in columns if (target := target_of(reading.request.model, key, book))}
    names: dict[type[Base], dict[int, str]] = {}
    for target in dict.fromkeys(targets.values()):
        ids = {each[key] for each in values for key, model in targets.items() if model is target} - {None}
        names[target] = titles_of(scope, db, target, sorted(ids)) if ids else {}
    return [
        Row(row.id, each, {key: names[model].get(each[key]) for key, model in targets.items()}, reading.may(row))
        for row, each in zip(rows, values, strict=True)
    ]


def titles_of(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, str]:
    e: Any = model
    title = title_of(scope.viewer, model, e)
    return {id: str(name) for id, name in db.execute(select(e.id, title).where(e.id.in_(ids))) if name is not None}


class Reading:
    """One list: its statement, its search result, and the values of its rows."""

    def __init__(self, scope: Scope, request: ListRequest) -> None:
        self.request, self.size = request, max(1, min(request.size, LARGEST_PAGE))
        self.model: Any = request.model
        self.e = with_parents(request.model)[1]
        self.viewer = scope.viewer
        self.wanted = self._condition(scope)
        self.keys = order_of(self.viewer, request.model, request.order, {**self.wanted, **request.filter})
        self.scope = scope
        self.found: SearchResult | None = None

    def _condition(self, scope: Scope) -> Mapping[str, Any]:
        """The condition as a filter.  Raises Validation."""
        book = visible_book(scope.policy, scope.person)
        asked = checked(self.model, self.request.condition, book=book)
        return filter_of(self.model, asked, Asker.of(scope.person, scope.now(), book)) if asked else {}

    @property
    def is_backward(self) -> bool:
        """Whether the rows are read from the end of the page."""
        return self.request.last or bool(self.request.before)

    def search(self, db: Session) -> None:
        """Run the search of the list, if it has one; call it before `rows` and `count`."""
        if self.request.search.strip():
            self.scope.backend.budgets.spend(self.scope.person.id, Costly.SEARCHES)
            self.found = find(self.scope, db, self.request.model, self.request.search, self.listed(), MOST_COUNTED)

    def rows(self, db: Session) -> Sequence[Any]:
        """The rows of the page and one more.  A search that finds much tries the first rows of the list."""
        wanted = self.statement().limit(self.size + 1)
        if self.found is None or self.found.further is None:
            return db.execute(wanted).all()
        beginning = visible(self.viewer, self.model, self.e.id).where(*self.listed(), *self._after())
        beginning = beginning.order_by(*self._order()).limit(self.found.beginning(self.size))
        rows = db.execute(wanted.where(self.e.id.in_(beginning))).all()
        if len(rows) > self.size:
            return rows
        self.found = replace(self.found, clause=self.found.further)
        return db.execute(self.statement().limit(self.size + 1)).all()

    def count(self, db: Session) -> int:
        """The number of rows, up to MOST_COUNTED + 1."""
        if self.found is not None and self.found.count is not None:
            return self.found.count
        some = visible(self.viewer, self.model, self.e.id).where(*self.conditions()).limit(MOST_COUNTED + 1)
        return db.execute(select(func.count()).select_from(some.subquery())).scalar_one()

    def statement(self) -> Select[Any]:
        request, e = self.request, self.e
        values = [self._value(key).label(f"v{n}") for n, key in enumerate(request.columns)]
        may = [self._may(action).label(f"m{n}") for n, action in enumerate(request.may)]
        order = [self._order_value(key).label(f"k{n}") for n, key in enumerate(self.keys)]
        statement = visible(self.viewer, self.model, e.id, *values, *may, *order).where(*self.conditions())
        return statement.where(*self._after()).order_by(*self._order())

    def listed(self) -> list[Clause]:
        """The conditions of the list without its search."""
        request = self.request
        clauses = [matching(self.viewer, self.model, self.e, tree) for tree in (request.filter, self.wanted) if tree]
        if request.binned is not None:
            clauses.append(in_bin(self.model, self.e, wanted=request.binned))
        return clauses

    def conditions(self) -> list[Clause]:
        """The conditions of the list, its search included."""
        return self.listed() if self.found is None else [*self.listed(), self.found.clause]

    def values(self, row: Any) -> dict[str, Any]:
        return {key: getattr(row, f"v{n}") for n, key in enumerate(self.request.columns)}

    def may(self, row: Any) -> frozenset[str]:
        return frozenset(action for n, action in enumerate(self.request.may) if getattr(row, f"m{n}"))

    def cursor(self, row: Any) -> str:
        return written(self.keys, [getattr(row, f"k{n}") for n in range(len(self.keys))])

    def _value(self, key: str) -> Value:
        return value(self.viewer, self.model, self.e, key)

    def _order_value(self, key: Key) -> Value:
        return order_value(self.viewer, self.model, self.e, key.name)

    def _may(self, action: str) -> Clause:
        """Condition: the caller may do it to the row.  A child record in the bin comes back with its parent alone."""
        allowed = open_to(self.viewer, action, self.model)
        parent = parent_of(self.model) if action == "restore" else None
        if parent is None:
            return allowed
        key, above = parent[1], parent[0].__table__.alias()
        gone = select(above.c.id).where(above.c.id == getattr(self.e, key), above.c.deleted_at.is_not(None))
        return and_(allowed, ~gone.correlate_except(above).execution_options(policy=True).exists())

    def _steps(self) -> Sequence[Key]:
        return [key.back() for key in self.keys] if self.is_backward else self.keys

    def _order(self) -> Iterator[Value]:
        return (key.order(self._order_value(key)) for key in self._steps())

    def _after(self) -> Iterable[Clause]:
        """The condition that the row comes after the cursor; none without a cursor."""
        at = self.request.before or self.request.after
        if not at:
            return ()
        values, limits = [*map(self._order_value, self.keys)], values_of(self.request.model, self.keys, at)
        return (and_(after_cursor(self._steps(), values, limits)),)


def names_of(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, str]:
    """Id -> number and title, of the visible ones among the first LARGEST_PAGE of these records."""
    viewer, e = scope.viewer, with_parents(model)[1]
    number = [value(viewer, model, e, "number")] if "number" in model.__table__.c else []
    named = visible(viewer, model, e.id, *number, title_of(viewer, model, e)).where(e.id.in_([*ids][:LARGEST_PAGE]))
    return {id: " ".join(str(part) for part in parts if part) for id, *parts in db.execute(named)}
