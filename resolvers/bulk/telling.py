"""What a bulk change does, in the words of its reader: the fields and the values that they get."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import BulkChange
from models.bulk_change import BulkKind
from models.choice_names import in_language

from ..exports import reading
from ..exports.cells import Cell, cell
from ..exports.kinds import ExportColumn, known_columns
from ..runtime.scope import Scope
from .changes import BY_NAME
from .wanted import OWNER, Handover, Words, restored


@dataclass(frozen=True)
class Setting:
    """One field: what it is called, and what it gets; None where it is cleared.  `added`, `removed`: words of a list."""

    label: str
    value: Cell = None
    added: str = ""
    removed: str = ""

    @property
    def is_cleared(self) -> bool:
        return self.value is None and not self.added and not self.removed


def settings_of(scope: Scope, db: Session, row: BulkChange) -> list[Setting]:
    """What a bulk change sets, in the reader's language; nothing for an undoing.  Records that the reader does not see have no name."""
    if row.kind is BulkKind.UNDO:
        return []
    model, given = BY_NAME[row.entity], restored(row.given)
    known = known_columns(scope, model)
    return [_setting(scope, db, known.get(key), key, value) for key, value in given.items()]


def _setting(scope: Scope, db: Session, column: ExportColumn | None, key: str, value: Any) -> Setting:
    if column is None:
        return Setting("")
    label = in_language(column.said, scope.language)
    if isinstance(value, Words):
        said = [_said(scope, db, column, [*some]) for some in (value.add, value.remove)]
        return Setting(label, added=str(said[0] or ""), removed=str(said[1] or ""))
    plain = value.user_id if key == OWNER and isinstance(value, Handover) else value
    return Setting(label, _said(scope, db, column, plain))


def _said(scope: Scope, db: Session, column: ExportColumn, value: Any) -> Cell:
    words = reading.words_for(scope, db, [column], [{column.key: value}] if not isinstance(value, list) else [])
    return cell(column, value, words)
