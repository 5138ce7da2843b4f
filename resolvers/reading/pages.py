"""A page of a list as people read it: guarded values, the names of what they point to, what may be done to each row.

One statement for the page and one for the capped count, both over a session behind the read wall.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from models import Base
from models.base import column_of

from ..runtime.scope import Scope
from ..runtime.statement_guard import MODELS
from ..runtime.viewer import Clause, Value, Viewer
from .clauses import COMPUTED, Key, behind, beside, in_bin, matching, open_to, order_of, value, visible
from .cursors import values_of, written
from .search import SearchResult, find

MOST_COUNTED = 1_000
"""A list counts no further; beyond it says `1,000+`."""
LARGEST_PAGE = 200


@dataclass(frozen=True)
class Asked:
    """Which list, and which page of it.  `columns` are column keys or computed ones, in any order.

    `binned`: the rows in the recycle bin, those outside it, or (None) both.  `may`: the actions that each row is
    asked about.  `after` and `before` are cursors of this list; one at most.  `counts`: whether it matters how many
    rows the list has.
    """

    model: type[Base]
    columns: tuple[str, ...]
    filter: Mapping[str, Any] = field(default_factory=dict)
    search: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    after: str | None = None
    before: str | None = None
    size: int = 25
    binned: bool | None = False
    may: tuple[str, ...] = ()
    counts: bool = True


@dataclass(frozen=True)
class Row:
    """One record: values by key (None where hidden), names of what foreign keys point to, the actions it is open to."""

    id: int
    values: Mapping[str, Any]
    names: Mapping[str, str | None]
    may: frozenset[str]

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)


@dataclass(frozen=True)
class Page:
    """Rows in order, how many there are up to MOST_COUNTED + 1, and the cursors of the pages beside this one.

    `count` is None where it does not matter.
    """

    rows: list[Row]
    count: int | None
    after: str | None
    before: str | None

    @property
    def is_counted(self) -> bool:
        return self.count is not None and self.count <= MOST_COUNTED


def page(scope: Scope, db: Session, asked: Asked) -> Page:
    """The page that was asked for.  Raises Validation for a foreign cursor or a search too long."""
    reading = _Reading(scope, asked)
    reading.search(db)
    rows = [*reading.rows(db)]
    is_more, rows = len(rows) > reading.size, rows[: reading.size]
    if asked.before:
        rows.reverse()
    forward = is_more if not asked.before else True
    backward = bool(asked.after) or (is_more if asked.before else False)
    return Page(
        _read(scope, db, reading, rows),
        reading.count(db) if asked.counts else None,
        reading.cursor(rows[-1]) if rows and forward else None,
        reading.cursor(rows[0]) if rows and backward else None,
    )


def count(scope: Scope, db: Session, asked: Asked) -> int:
    """How many rows the list has, up to MOST_COUNTED + 1."""
    reading = _Reading(scope, asked)
    reading.search(db)
    return reading.count(db)


def one(scope: Scope, db: Session, asked: Asked, id: int) -> Row | None:
    """The record with this id, if the list could show it; its filter, search and page do not matter."""
    reading = _Reading(scope, replace(asked, filter={}, search="", after=None, before=None))
    model: Any = asked.model
    found = db.execute(reading.statement().where(model.id == id)).first() if id else None
    return _read(scope, db, reading, [found])[0] if found is not None else None


def display_column(model: type[Base]) -> str:
    """The column by which people call a record: its name or label, else what the model is named by."""
    named = (key for key in ("name", "label_en") if key in model.__table__.c)
    return next(named, getattr(model, "named_by", "id"))


def _title(viewer: Viewer, model: type[Base], e: Any) -> Value:
    """What people call a record, in Chinese where it has a Chinese name and the reader reads it."""
    title = value(viewer, model, e, display_column(model))
    zh = _CHINESE.get(display_column(model), "")
    if zh not in model.__table__.c or not viewer.language.startswith("zh"):
        return title
    return func.coalesce(func.nullif(value(viewer, model, e, zh), ""), title)


_CHINESE = {"name": "name_zh", "label_en": "label_zh"}


def target_of(model: type[Base], key: str) -> type[Base] | None:
    """The protected model that a column points to."""
    if (model, key) in COMPUTED:
        return None
    keys = column_of(model, key).foreign_keys
    return next((MODELS[k.column.table.name] for k in keys if k.column.table.name in MODELS), None)


def _read(scope: Scope, db: Session, reading: "_Reading", rows: Sequence[Any]) -> list[Row]:
    """The rows with the names of what they point to: one query for each kind of record that is pointed to."""
    values = [reading.values(row) for row in rows]
    pointing = {key: target for key in reading.asked.columns if (target := target_of(reading.asked.model, key))}
    names: dict[type[Base], dict[int, str]] = {}
    for target in dict.fromkeys(pointing.values()):
        ids = {held[key] for held in values for key, kind in pointing.items() if kind is target} - {None}
        names[target] = _titles(scope, db, target, sorted(ids)) if ids else {}
    return [
        Row(row.id, held, {key: names[kind].get(held[key]) for key, kind in pointing.items()}, reading.may(row))
        for row, held in zip(rows, values, strict=True)
    ]


def _titles(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, str]:
    e: Any = model
    title = _title(scope.viewer, model, e)
    return {id: str(name) for id, name in db.execute(select(e.id, title).where(e.id.in_(ids))) if name is not None}


class _Reading:
    """The statement of one list, and how its rows are read."""

    def __init__(self, scope: Scope, asked: Asked) -> None:
        self.asked, self.size = asked, max(1, min(asked.size, LARGEST_PAGE))
        self.model: Any = asked.model
        self.e = beside(asked.model)[1]
        self.viewer = scope.viewer
        self.keys = order_of(self.viewer, asked.model, asked.order, asked.filter)
        self.scope = scope
        self.finding: SearchResult | None = None

    def search(self, db: Session) -> None:
        """Find out what the search leads to, before rows or their number are asked for."""
        if self.asked.search.strip():
            self.finding = find(self.scope, db, self.asked.model, self.asked.search, self.listed(), MOST_COUNTED)

    def rows(self, db: Session) -> Sequence[Any]:
        """One row more than the page has.  What finds much mostly fills a page from the beginning of the list."""
        wanted = self.statement().limit(self.size + 1)
        if self.finding is None or self.finding.further is None:
            return db.execute(wanted).all()
        beginning = visible(self.viewer, self.model, self.e.id).where(*self.listed(), *self._beyond())
        beginning = beginning.order_by(*self._order()).limit(MOST_COUNTED)
        rows = db.execute(wanted.where(self.e.id.in_(beginning))).all()
        if len(rows) > self.size:
            return rows
        self.finding = replace(self.finding, clause=self.finding.further)
        return db.execute(self.statement().limit(self.size + 1)).all()

    def count(self, db: Session) -> int:
        if self.finding is not None and self.finding.count is not None:
            return self.finding.count
        some = visible(self.viewer, self.model, self.e.id).where(*self.conditions()).limit(MOST_COUNTED + 1)
        return db.execute(select(func.count()).select_from(some.subquery())).scalar_one()

    def statement(self) -> Select[Any]:
        asked, e = self.asked, self.e
        values = [self._value(key).label(f"v{n}") for n, key in enumerate(asked.columns)]
        may = [self._may(action).label(f"m{n}") for n, action in enumerate(asked.may)]
        order = [self._value(key.name).label(f"k{n}") for n, key in enumerate(self.keys)]
        statement = visible(self.viewer, self.model, e.id, *values, *may, *order).where(*self.conditions())
        return statement.where(*self._beyond()).order_by(*self._order())

    def listed(self) -> list[Clause]:
        """What the rows of the list have in common, whatever is searched."""
        asked = self.asked
        clauses = [matching(self.viewer, self.model, self.e, asked.filter)] if asked.filter else []
        if asked.binned is not None:
            clauses.append(in_bin(self.model, self.e, wanted=asked.binned))
        return clauses

    def conditions(self) -> list[Clause]:
        return self.listed() if self.finding is None else [*self.listed(), self.finding.clause]

    def values(self, row: Any) -> dict[str, Any]:
        return {key: getattr(row, f"v{n}") for n, key in enumerate(self.asked.columns)}

    def may(self, row: Any) -> frozenset[str]:
        return frozenset(action for n, action in enumerate(self.asked.may) if getattr(row, f"m{n}"))

    def cursor(self, row: Any) -> str:
        return written(self.keys, [getattr(row, f"k{n}") for n in range(len(self.keys))])

    def _value(self, key: str) -> Value:
        return value(self.viewer, self.model, self.e, key)

    def _may(self, action: str) -> Clause:
        return open_to(self.viewer, action, self.model)

    def _steps(self) -> Sequence[Key]:
        return [key.back() for key in self.keys] if self.asked.before else self.keys

    def _order(self) -> Iterator[Value]:
        return (key.order(self._value(key.name)) for key in self._steps())

    def _beyond(self) -> Iterable[Clause]:
        at = self.asked.before or self.asked.after
        if not at:
            return ()
        values = [self._value(key.name) for key in self.keys]
        return (and_(behind(self._steps(), values, values_of(self.asked.model, self.keys, at))),)


def names_of(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, str]:
    """What these records are called, number first where they have one; those out of sight are left out."""
    reading = _Reading(scope, Asked(model, ()))
    e = reading.e
    number = [value(reading.viewer, model, e, "number")] if "number" in model.__table__.c else []
    values = [*number, _title(reading.viewer, model, e)]
    statement = visible(reading.viewer, model, e.id, *values).where(e.id.in_([*ids][:LARGEST_PAGE]))
    return {id: " ".join(str(part) for part in parts if part) for id, *parts in db.execute(statement)}
