"""Global search: one text looked for in every kind of record that has a search box, grouped, ranked and counted.

Every kind is searched as its list is, so a group counts what the list of the same text shows to the same user.  The
order follows from values that the user may see.  The time of each kind is bounded: of a text that finds many records,
those among the newest are ranked, and those whose number or name it is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import ENTITIES, Base, Entity

from ..runtime.budgets import Costly
from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value, Viewer
from .clauses import in_bin, search_text, value, visible, with_parents
from .fit import EXACT, Fit
from .order import order_of, order_value
from .pages import MOST_COUNTED, display_column, target_of, title_of, titles_of
from .search import find

USUAL, MOST = 5, 20
"""Default and maximum number of hits of a group."""
LONGEST_TITLE = 120
"""Maximum length of a title: a follow-up is called by its text."""
FOUND: tuple[type[Entity], ...] = tuple(model for model in ENTITIES if model.search and not model.singleton)
"""The kinds that are searched, in the order of their groups."""


@dataclass(frozen=True)
class Hit:
    """A record: its title, the texts that tell it apart, and whether the text is its whole number or name."""

    model: type[Entity]
    id: int
    title: str
    beside: tuple[str, ...]
    is_exact: bool

    @property
    def subtitle(self) -> str:
        return " · ".join(self.beside)


@dataclass(frozen=True)
class Group:
    """The best hits of one kind, and the number of records found, at most MOST_COUNTED.  `is_capped`: there are more."""

    model: type[Entity]
    hits: tuple[Hit, ...]
    count: int
    is_capped: bool


@dataclass(frozen=True)
class _Found:
    """One kind as read: its rows (id, exactness, title, values beside), and the number of records up to one too many."""

    model: type[Entity]
    rows: Sequence[Any]
    count: int


def global_search(
    scope: Scope, db: Session, text: str, size: int = USUAL, kinds: Sequence[type[Entity]] = FOUND
) -> list[Group]:
    """The groups of the kinds in which the text finds something; none for an empty text.

    Raises Validation for a text that is too long, TooManyAttempts for a user who has searched too often.
    """
    if not search_text(text):
        return []
    scope.backend.budgets.spend(scope.person.id, Costly.SEARCHES)
    asked = [model for model in kinds if scope.policy.ever(scope.person, "view", model.module)]
    found = [each for model in asked if (each := _Kind(scope, db, model, text, max(1, min(size, MOST))).read()).rows]
    names = _names_beside(scope, db, found)
    return [_group(each, names) for each in found]


class _Kind:
    """The search in one kind."""

    def __init__(self, scope: Scope, db: Session, model: type[Entity], text: str, size: int) -> None:
        self.scope, self.db, self.model, self.text, self.size = scope, db, model, text, size
        self.viewer, self.e = scope.viewer, with_parents(model)[1]
        self.alive, self.keys = in_bin(model, self.e, wanted=False), order_of(scope.viewer, model, ())
        self.fit = Fit(self.viewer, model, self.e, text)

    def read(self) -> _Found:
        found = find(self.scope, self.db, self.model, self.text, [self.alive], MOST_COUNTED)
        if found.count == 0:
            return _Found(self.model, [], 0)
        if found.further is not None:
            return _Found(self.model, self._best_of_many(found.clause, found.further), found.count or 0)
        some = self._statement().where(found.clause).order_by(*self._listed()).limit(MOST_COUNTED + 1).subquery()
        listed = (key.order(some.c[f"k{n}"]) for n, key in enumerate(self.keys))
        best = select(some, func.count().over().label("count")).order_by(*self.fit.order(some.c), *listed)
        rows = self.db.execute(best.limit(self.size).execution_options(policy=True)).all()
        return _Found(self.model, rows, rows[0].count if rows else 0)

    def _best_of_many(self, clause: Clause, further: Clause) -> list[Any]:
        """Whose number or name it is, then the best among the newest records, then the newest of all."""
        newest = visible(self.viewer, self.model, self.e.id).where(self.alive).order_by(*self._listed())
        among = self.e.id.in_(newest.limit(MOST_COUNTED))
        rows: dict[int, Any] = {}
        for ranked, conditions in ((True, (self.fit.exact, clause)), (True, (among, clause)), (False, (further,))):
            if len(rows) < self.size:
                wanted = self._statement().where(*conditions).limit(self.size)
                wanted = wanted.order_by(*(self.fit.values if ranked else ()), *self._listed())
                rows |= {row.id: row for row in self.db.execute(wanted) if row.id not in rows}
        return [*rows.values()][: self.size]

    def _statement(self) -> Select[Any]:
        viewer, model, e = self.viewer, self.model, self.e
        beside = [value(viewer, model, e, key).label(f"b{n}") for n, key in enumerate(model.beside)]
        keys = [order_value(viewer, model, e, key.name).label(f"k{n}") for n, key in enumerate(self.keys)]
        title = _title(viewer, model, e).label("title")
        return visible(viewer, model, e.id, title, *self.fit.columns, *beside, *keys).where(self.alive)

    def _listed(self) -> list[Value]:
        """The order of the list: mostly the newest first."""
        return [key.order(order_value(self.viewer, self.model, self.e, key.name)) for key in self.keys]


def _title(viewer: Viewer, model: type[Entity], e: Any) -> Value:
    """The name of a record, or the beginning of its text where it has no name."""
    key = display_column(model)
    return (
        func.substr(value(viewer, model, e, model.search[0]), 1, LONGEST_TITLE)
        if key == "id"
        else title_of(viewer, model, e)
    )


def _group(found: _Found, names: Mapping[type[Base], Mapping[int, str]]) -> Group:
    hits = tuple(_hit(found.model, row, names) for row in found.rows)
    return Group(found.model, hits, min(found.count, MOST_COUNTED), found.count > MOST_COUNTED)


def _hit(model: type[Entity], row: Any, names: Mapping[type[Base], Mapping[int, str]]) -> Hit:
    beside = []
    for n, key in enumerate(model.beside):
        stored, target = getattr(row, f"b{n}"), target_of(model, key)
        said = stored if target is None else names[target].get(stored)
        beside += [str(said)] if said else []
    return Hit(model, row.id, " ".join(str(row.title or "").split()), tuple(beside), row.tier == EXACT)


def _names_beside(scope: Scope, db: Session, found: Sequence[_Found]) -> dict[type[Base], dict[int, str]]:
    """The names of the records to which the hits refer: one statement per kind, whatever refers to it."""
    wanted: dict[type[Base], set[int]] = defaultdict(set)
    for each in found:
        for n, key in enumerate(each.model.beside):
            target = target_of(each.model, key)
            if target is not None:
                wanted[target] |= {getattr(row, f"b{n}") for row in each.rows} - {None}
    return {target: titles_of(scope, db, target, sorted(ids)) if ids else {} for target, ids in wanted.items()}
