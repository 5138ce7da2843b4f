"""Words of a dictionary whose word above comes with the same file: they wait for it, wherever it stands in the sheet."""

from collections import defaultdict
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import DictionaryItem, ImportBatch, ImportRow
from models.import_batch import RowState
from models.text import fold

from ..runtime.scope import Scope
from .checking import understood
from .targets import target_of
from .writing import Understood

_ROWS: Any = ImportRow.__table__
_KNOWN, _ABOVE, _WHOLE = "words of the file", "parent_id", "dictionary_id"
_NAMES = ("key", "label_en", "label_zh")


class WordsOfFile:
    """The words that rows bring, and which of them each row names as the one above."""

    def __init__(self, rows: Iterable[Understood]) -> None:
        self._rows: dict[tuple[Any, str], set[int]] = defaultdict(set)
        self._above: dict[int, tuple[Any, str]] = {}
        for row in rows:
            whole = row.values.values.get(_WHOLE)
            for name in _NAMES:
                if said := row.values.values.get(name):
                    self._rows[whole, fold(str(said))].add(row.number)
            if text := row.values.missing.get(_ABOVE):
                self._above[row.number] = whole, fold(text)

    def comes(self, number: int) -> bool:
        """Whether the word above that of a row comes with another row, and does not stand below it in turn."""
        seen: set[int] = set()
        ahead = {number}
        while ahead := {other for at in ahead for other in self._rows.get(self._above.get(at, (None, "")), ())} - seen:
            if number in ahead:
                return False
            seen |= ahead
        return bool(seen)


def let_wait(
    scope: Scope,
    db: Session,
    batch: ImportBatch,
    rows: Sequence[Understood],
    states: Sequence[RowState],
    memory: MutableMapping[str, Any],
) -> None:
    """Mark the rows whose word above comes with a row in one of these states, and take back that it was not found."""
    if target_of(batch.target).model is not DictionaryItem or not any(_ABOVE in row.values.missing for row in rows):
        return
    if _KNOWN not in memory:
        memory[_KNOWN] = WordsOfFile(understood(scope, db, batch, _all(db, batch, states), memory))
    for row in rows:
        if _ABOVE in row.values.missing and memory[_KNOWN].comes(row.number):
            row.waits = True
            row.values.refusals.pop(_ABOVE, None)


def goes_round_again(db: Session, batch: ImportBatch, memory: MutableMapping[str, Any]) -> bool:
    """Whether rows of an import that is being applied still wait; the next round looks anew at what they wait for."""
    memory.pop(_KNOWN, None)
    return target_of(batch.target).model is DictionaryItem and bool(_all(db, batch, [RowState.GOOD], most=1))


def _all(db: Session, batch: ImportBatch, states: Sequence[RowState], most: int | None = None) -> list[Any]:
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits).where(r.batch_id == batch.id, r.state.in_(states))
    return [*db.execute(asked.order_by(r.number).limit(most))]
