"""Rules: what an entity adds when its records are created, changed, deleted, restored and purged.

The use cases of `records/` are the same for every entity.  A subclass of `Rules` in any module of `resolvers/` adds the
rules of its entity: `class CustomerRules(Rules[Customer])`.  An entity without such a class is plain.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar, get_args

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models import Entity
from models.declaration import Misdeclared, file_of

from .form_terms import PLAIN, FormTerms
from .scope import Scope

E = TypeVar("E", bound=Entity)


class Rules(Generic[E]):
    """The rules of a plain entity: none.  Every method may raise a Refusal; the transaction is open."""

    extra_inputs: ClassVar[frozenset[str]] = frozenset()
    """Inputs beside the columns: the contact that comes with a new customer, the phones of a contact."""
    create_only_inputs: ClassVar[frozenset[str]] = frozenset()
    """Those among them that are given at creation only."""
    merging_inputs: ClassVar[frozenset[str]] = frozenset()
    """Those among them that say what changes, so an edit of an older version undoes nothing."""

    form: ClassVar[FormTerms] = PLAIN
    """What a form has to know of these rules before they judge its record."""

    def __init_subclass__(cls, models: Sequence[type[Entity]] = (), **more: Any) -> None:
        """Register the class for its entity, the type argument; `models` names several that share it."""
        super().__init_subclass__(**more)
        argument = [get_args(base)[0] for base in cls.__orig_bases__ if get_args(base)]  # type: ignore[attr-defined]  # of every generic
        _register(cls(), models or [x for x in argument if isinstance(x, type)])

    def form_terms(self, scope: Scope, db: Session) -> FormTerms:
        """The terms of a form as the settings of the organisation make them."""
        return self.form

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        """Fill in what a new record needs and the request did not give."""

    def check(self, scope: Scope, db: Session, row: E, values: dict[str, Any]) -> None:
        """Judge a record with its new values, before it is written."""

    def created(self, scope: Scope, db: Session, row: E, extra: dict[str, Any]) -> None:
        """Do what follows from a new record."""

    def changed(self, scope: Scope, db: Session, row: E, before: dict[str, Any], extra: dict[str, Any]) -> None:
        """Do what follows from a change; `before` holds the former values of what was set."""

    def lock_first(self, db: Session, ids: Sequence[int], assignee_id: int | None) -> None:
        """Lock the other rows that a batch changes, in the same order in all transactions, so that batches never
        deadlock.  `assignee_id` is the user who is to own them."""

    def deleted(self, scope: Scope, db: Session, row: E) -> None:
        """Do what follows from a move to the bin."""

    def deleted_all(self, scope: Scope, db: Session, rows: Sequence[E]) -> None:
        """The same for many records at once, of which each moves to the bin by itself."""
        for row in rows:
            self.deleted(scope, db, row)

    def restored(self, scope: Scope, db: Session, row: E) -> None:
        """Do what follows from a return out of the bin."""

    def purged(self, scope: Scope, db: Session, row: E) -> None:
        """Do what must be done before a record is gone for good."""


_RULES: dict[type[Entity], Rules[Any]] = {}
_PLAIN: Rules[Any] = Rules()
_is_loaded = False


def _register(rules: Rules[Any], models: Sequence[Any]) -> None:
    """Note the rules of an entity.  Raises Misdeclared for what would never be called."""
    kind, at = type(rules), f"{file_of(type(rules))}: {type(rules).__name__}"
    if not models:
        raise Misdeclared(f"{at} names no entity. Derive it from Rules[…] of one.")
    for name in vars(kind):
        if not name.startswith("_") and not hasattr(Rules, name):
            hooks = ", ".join(hook for hook in vars(Rules) if not hook.startswith("_"))
            raise Misdeclared(f"{at}: nothing calls {name}; known: {hooks}. Begin its name with _ if it is a step.")
    for model in models:
        first = type(_RULES.setdefault(model, rules))
        if first is not kind:
            raise Misdeclared(f"{at} has rules for {model.__name__}, and {file_of(first)} has some: {first.__name__}.")


def all_are_loaded() -> None:
    """Note that every module which may define rules is imported.  `resolvers.load` calls it."""
    global _is_loaded  # noqa: PLW0603  a fact about the process
    _is_loaded = True


def rules_of(model: type[Entity]) -> Rules[Any]:
    """The rules of an entity.  Raises RuntimeError before `resolvers.load`, because rules may be missing until then."""
    if not _is_loaded:
        raise RuntimeError("the rules of the entities are not loaded: call resolvers.load() first")
    return _RULES.get(model, _PLAIN)


def is_new(row: Entity) -> bool:
    """Whether a record is only about to be written."""
    return not inspect(row).has_identity
