"""The ids of the customers and contacts that a text finds by the index, and of the customers that it names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, false, or_, select, true, union
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Entity
from models.text import name_key, number_key

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value
from .clauses import in_bin, visible, with_parents
from .order import order_of, order_value
from .search import ABOUT_CUSTOMERS, candidates, find
from .search_conditions import is_about, says_joined
from .search_words import Word, words_of

CUSTOMERS, CONTACTS, NAMED = "customers", "contacts", "named"
_LISTS: dict[type[Base], str] = {Customer: CUSTOMERS, Contact: CONTACTS}
MOST_EXACT = 50


@dataclass
class FoundIds:
    """Name of a list -> its ids.  `many`: the kinds of which more are found; `is_partial`: whether more customers are named."""

    lists: dict[str, list[int]] = field(default_factory=lambda: {CUSTOMERS: [], CONTACTS: [], NAMED: []})
    many: set[type[Base]] = field(default_factory=set)
    is_partial: bool = False


def find_ids(scope: Scope, db: Session, text: str, kinds: Sequence[type[Entity]], most: int, latest: int) -> FoundIds:
    """All ids where there are at most `most`; else those of exact matches, and those among the `latest` records."""
    found, words = FoundIds(), words_of(text)
    is_about_asked = bool({*kinds} & {*ABOUT_CUSTOMERS}) and scope.policy.ever(scope.person, "view", Customer.module)
    asked = [x for x in _LISTS if x in kinds or (x is Customer and is_about_asked)]
    for model in asked if words else ():
        search = _Search(scope, db, model, text, words, latest)
        ids = candidates(scope, db, model, text, most, [search.alive])
        found.lists[_LISTS[model]] = search.best() if ids is None else ids
        found.many |= {model} if ids is None else set()
        if model is Customer and is_about_asked and found.lists[CUSTOMERS]:
            found.lists[NAMED] = search.named(found.lists[CUSTOMERS])
            found.is_partial = ids is None
    return found


class _Search:
    """The search for a frequent word in one kind."""

    def __init__(
        self, scope: Scope, db: Session, model: type[Base], text: str, words: Sequence[Word], latest: int
    ) -> None:
        self.scope, self.db, self.model, self.text, self.words, self.latest = scope, db, model, text, words, latest
        self.viewer, self.e = scope.viewer, with_parents(model)[1]
        self.alive = in_bin(model, self.e, wanted=False)
        self.said = says_joined(self.viewer, model, tuple(words))

    def best(self) -> list[int]:
        """The ids of exact matches and of those among the latest records; if there are none, the first of the list."""
        ids = dict.fromkeys(self._exact())
        newest = self._visible().order_by(*self._listed()).limit(self.latest)
        ids |= dict.fromkeys(self._ids(self.e.id.in_(newest), self.said))
        return [*ids] or self._first()

    def _first(self) -> list[int]:
        found = find(self.scope, self.db, self.model, self.text, [self.alive], self.latest)
        clause = found.clause if found.further is None else found.further
        return [*self.db.scalars(self._visible().where(clause).order_by(*self._listed()).limit(MOST_EXACT))]

    def named(self, ids: Sequence[int]) -> list[int]:
        """Those among these customers whose number or name holds the words."""
        return self._ids(self.e.id.in_(ids), and_(*(is_about(self.viewer, self.e.id, word) for word in self.words)))

    def _exact(self) -> list[int]:
        """The records whose whole number or name the text is: the keys lead there, the conditions decide."""
        columns = self.model.__table__.c
        known = [(name, key) for name, key in (("number", number_key), ("name", name_key)) if f"{name}_key" in columns]
        led_to = [*self.db.scalars(union(*(self._keyed(name, key) for name, key in known)))]
        guarded = (self._is_keyed(name, key) for name, key in known)
        return self._ids(self.e.id.in_(led_to), or_(false(), *guarded), self.said) if led_to else []

    def _keyed(self, name: str, key: Callable[[str], str]) -> Select[Any]:
        same = self.model.__table__
        keyed = select(same.c.id).where(
            same.c[f"{name}_key"] == key(self.text), in_bin(self.model, same.c, wanted=False)
        )
        return keyed.execution_options(policy=True)

    def _is_keyed(self, name: str, key: Callable[[str], str]) -> Clause:
        guard = self.viewer.guard(self.model, name, self.e)
        return and_(true() if guard is None else guard, getattr(self.e, f"{name}_key") == key(self.text))

    def _visible(self) -> Select[Any]:
        return visible(self.viewer, self.model, self.e.id).where(self.alive)

    def _ids(self, *conditions: Clause) -> list[int]:
        return [*self.db.scalars(self._visible().where(*conditions))]

    def _listed(self) -> list[Value]:
        """The order of the list, the newest first."""
        keys = order_of(self.viewer, self.model, ())
        return [key.order(order_value(self.viewer, self.model, self.e, key.name)) for key in keys]
