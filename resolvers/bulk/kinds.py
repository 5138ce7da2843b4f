"""Kinds: what the rules of an entity ask about many new records at once.

A subclass asks the same functions as the entity's `Rules`, each once for a chunk.  What it cannot decide it leaves in
doubt, and the single use case decides.  So it may doubt too much, which costs time, and must never doubt too little.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import Entity

from ..runtime.scope import Scope
from .drafts import Draft


class Kind:
    """One entity, in one transaction."""

    model: ClassVar[type[Entity]]

    def __init__(self, scope: Scope, db: Session) -> None:
        self.scope, self.db = scope, db

    def prepare(self, draft: Draft) -> None:
        """Ask what `Rules.prepare` asks of this row alone.  Raises Refusal, Doubt."""

    def check(self, draft: Draft) -> None:
        """Ask what `Rules.check` asks of this row alone.  Raises Refusal, Doubt."""

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Leave those in doubt that the other rules may refuse.  `drafts` are the open ones, in their order."""

    def complete(self, drafts: Sequence[Draft]) -> None:
        """Set the values that depend on all rows before, like numbers; may refuse drafts."""

    def fit(self, drafts: Sequence[Draft]) -> bool:
        """Count records that are written and allowed against what there is room for.

        Returns False, with drafts refused, where some cannot stay; then all is undone and done again without them.
        """
        return True

    def follow(self, drafts: Sequence[Draft]) -> None:
        """Do what follows from new records that stay."""

    def log(self, draft: Draft) -> None:
        """Note for the log what came into being with a new record."""

    def doubt_changes(self, drafts: Sequence[Draft]) -> None:
        """Leave those changes in doubt that a rule may refuse which reads other records than the changed one."""

    def changed(self, draft: Draft) -> None:
        """Do what `Rules.changed` does, without what `doubt_changes` has asked.  The change is flushed."""

    def parts_of(self, draft: Draft) -> dict[str, Any]:
        """What the log says of the parts of a new record."""
        return {}


def kind_of(model: type[Entity]) -> type[Kind] | None:
    """How many records of an entity are created at once; None for one of which each is created by itself."""
    return next((kind for kind in _all(Kind) if getattr(kind, "model", None) is model), None)


def _all(kind: type[Kind]) -> list[type[Kind]]:
    return [found for each in kind.__subclasses__() for found in (each, *_all(each))]
