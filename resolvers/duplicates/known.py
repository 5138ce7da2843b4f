"""What a user may compare with: a phone, an address or a number that they do not see never says whose it is.

A record that the user sees is compared by what they see of it.  One that they do not see is compared as a whole, because
it must not be entered twice, and is answered without telling which one it is.
"""

from typing import Any

from sqlalchemy import true
from sqlalchemy.orm import Session

from models import Base, Contact, Customer
from models.duplicate_key import CUSTOMER_TRAITS, customer_traits
from models.duplicates import Traits
from models.search import SPAN, doc_id

from ..reading.clauses import visible, with_parents
from ..runtime.scope import Scope
from .lookup import Docs


class KnownTo:
    """The candidates as the caller may compare with them.  One query for each kind."""

    def __init__(self, scope: Scope, db: Session) -> None:
        self._viewer, self._db = scope.viewer.one_by_one, db
        self._seen: set[int] = set()

    def customers(self, found: Docs) -> Docs:
        """As far as they are seen; those that are not seen as they are."""
        e: Any = with_parents(Customer)[1]
        values = (self._viewer.value(Customer, e, key) for key in CUSTOMER_TRAITS)
        rows = self._rows(Customer, [doc // SPAN for doc in found], *values)
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
        guard = self._viewer.guard(Contact, "points", with_parents(Contact)[1])
        rows = self._rows(Contact, [doc % SPAN for doc in found], true() if guard is None else guard)
        return {id: bool(is_shown) for id, is_shown in rows}

    def _rows(self, model: type[Base], ids: list[int], *values: Any) -> list[Any]:
        e: Any = with_parents(model)[1]
        return [*self._db.execute(visible(self._viewer, model, e.id, *values).where(e.id.in_(ids)))] if ids else []


def _named(traits: Traits) -> Traits:
    """What is left of a contact without its phones and addresses."""
    return Traits(traits.name, person_at=traits.person_at)
