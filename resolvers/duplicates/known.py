"""What a user may compare with: a phone, an address or a number that they do not see never says whose it is.

A record that the user sees is compared by what they see of it.  One that they do not see is compared as a whole, because
it must not be entered twice, and is answered without telling which one it is.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, true
from sqlalchemy.orm import Session

from models import Contact, Customer
from models.duplicate_key import CUSTOMER_TRAITS, customer_traits
from models.duplicates import Traits
from models.search import SPAN, doc_id

from ..reading.clauses import visible, with_parents
from ..runtime.scope import Scope
from ..runtime.viewer import Viewer
from .lookup import Docs


class KnownTo:
    """The candidates as the caller may compare with them.  One query for each kind."""

    def __init__(self, scope: Scope, db: Session) -> None:
        self._viewer, self._db = scope.viewer.one_by_one, db
        self._seen: set[int] = set()

    def customers(self, found: Docs) -> Docs:
        """As far as they are seen; those that are not seen as they are."""
        rows = self._rows(_customers(self._viewer), [doc // SPAN for doc in found])
        self._seen = {id for id, *_ in rows}
        return {**found, **{doc_id(id): customer_traits(name or "", *more) for id, name, *more in rows}}

    def people(self, found: Docs) -> Docs:
        """A contact that is not seen says nothing of a customer that is."""
        shown = self._points_shown(found)
        return {
            doc: traits if shown.get(doc % SPAN) or doc // SPAN not in self._seen else _named(traits)
            for doc, traits in found.items()
        }

    def contacts(self, found: Docs) -> Docs:
        shown = self._points_shown(found)
        return {doc: traits if shown.get(doc % SPAN, True) else _named(traits) for doc, traits in found.items()}

    def _points_shown(self, found: Docs) -> dict[int, bool]:
        """Contact id -> whether its phones and addresses are seen, of contacts that are."""
        rows = self._rows(_contacts(self._viewer), [doc % SPAN for doc in found])
        return {id: bool(is_shown) for id, is_shown in rows}

    def _rows(self, asked: Select[Any], ids: list[int]) -> list[Any]:
        return [*self._db.execute(asked, {"ids": ids})] if ids else []


@lru_cache(maxsize=64)
def _customers(viewer: Viewer) -> Select[Any]:
    """(id, what is compared) of customers, as far as the viewer sees them.  Cached: it takes longer to write than to run."""
    e: Any = with_parents(Customer)[1]
    values = (viewer.value(Customer, e, key) for key in CUSTOMER_TRAITS)
    return visible(viewer, Customer, e.id, *values).where(e.id.in_(bindparam("ids", expanding=True)))


@lru_cache(maxsize=64)
def _contacts(viewer: Viewer) -> Select[Any]:
    """(id, whether its phones and addresses are seen) of contacts that the viewer sees."""
    e: Any = with_parents(Contact)[1]
    guard = viewer.guard(Contact, "points", e)
    is_shown = true() if guard is None else guard
    return visible(viewer, Contact, e.id, is_shown).where(e.id.in_(bindparam("ids", expanding=True)))


def _named(traits: Traits) -> Traits:
    """What is left of a contact without its phones and addresses."""
    return Traits(traits.name, person_at=traits.person_at)
