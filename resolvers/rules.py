"""What an entity adds to being created, changed, deleted, restored and purged.

The use cases of `records.py` are the same for every entity; a class here, registered for one, adds its own rules.
An entity without such a class is plain.
"""

from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models import Entity

from .scope import Scope

E = TypeVar("E", bound=Entity)


class Rules(Generic[E]):
    """The rules of a plain entity: none.  Every method may raise a Refusal; the transaction is open."""

    extras: ClassVar[frozenset[str]] = frozenset()
    """Inputs beside the columns: the contact that comes with a new customer, the phones of a contact."""
    extras_once: ClassVar[frozenset[str]] = frozenset()
    """Those among them that are given at creation only."""

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        """Fill in what a new record needs and nobody has given."""

    def check(self, scope: Scope, db: Session, row: E, values: dict[str, Any]) -> None:
        """Judge a record with its new values, before it is written."""

    def created(self, scope: Scope, db: Session, row: E, extra: dict[str, Any]) -> None:
        """Do what follows from a new record."""

    def changed(self, scope: Scope, db: Session, row: E, before: dict[str, Any], extra: dict[str, Any]) -> None:
        """Do what follows from a change; `before` holds the former values of what was set."""

    def deleted(self, scope: Scope, db: Session, row: E) -> None:
        """Do what follows from a move to the bin."""

    def restored(self, scope: Scope, db: Session, row: E) -> None:
        """Do what follows from a return out of the bin."""

    def purged(self, scope: Scope, db: Session, row: E) -> None:
        """Do what must be done before a record is gone for good."""


_RULES: dict[type[Entity], Rules[Any]] = {}


def rules_for(model: type[E], rules: Rules[E]) -> None:
    """Register the rules of an entity; there is one set for each."""
    assert model not in _RULES, f"{model.__name__} has rules already"
    _RULES[model] = rules


_PLAIN: Rules[Any] = Rules()


def rules_of(model: type[Entity]) -> Rules[Any]:
    return _RULES.get(model, _PLAIN)


def is_new(row: Entity) -> bool:
    """Whether a record is only about to be written."""
    return not inspect(row).has_identity
