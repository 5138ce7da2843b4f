"""What the undoing of a merge leaves as it is, in words and as far as the caller sees it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from models import Customer, Entity
from models.names import in_sentence

from ..reading.pages import names_of
from ..records.field_rights import HIDDEN, open_fields
from ..runtime.batch import Note
from ..runtime.custom_fields import called
from ..runtime.scope import Scope
from .places import KEYS


class KeptReason(StrEnum):
    """Why something stays as it is."""

    CHANGED = "changed"
    PURGED = "purged"
    PARTED = "parted"


@dataclass(frozen=True)
class Kept:
    """A record that is not as it was before the merge, with the columns that stay."""

    model: type[Entity]
    id: int
    reason: KeptReason
    keys: tuple[str, ...] = ()

    def notes(self, scope: Scope, db: Session) -> Iterator[Note]:
        """One sentence for each field; none about what the caller does not see."""
        names = self.model.names
        if self.reason is KeptReason.PURGED:
            yield Note(f"{names.one} deleted for good since: it stays deleted.", f"{names.zh}已被永久删除，无法恢复。")
            return
        name = names_of(scope, db, self.model, [self.id]).get(self.id)
        if name is None:
            return
        for key in self._shown(scope, db):
            english, chinese = called(scope.policy, self.model, key)
            if self.reason is KeptReason.PARTED:
                yield Note(
                    f"{names.one} {name}: {in_sentence(english)} is empty now, because both belong to different customers.",
                    f"{names.zh} {name}：两者现属不同客户，{chinese}已清空。",
                )
            else:
                yield Note(
                    f"{names.one} {name}: {in_sentence(english)} was changed since and stays as it is.",
                    f"{names.zh} {name}：{chinese}之后有改动，保持现状。",
                )

    def _shown(self, scope: Scope, db: Session) -> list[str]:
        """The fields that the caller sees; of a place that stays, the owner stands for all of it."""
        keys = [key for key in self.keys if key not in HIDDEN and not key.startswith("deleted_")]
        if self.model is Customer and "owner_id" in keys:
            keys = [key for key in keys if key not in KEYS or key == "owner_id"]
        seen = open_fields(scope, db, self.model, self.id, keys, ("view",))
        return [key for key in keys if key in seen]
