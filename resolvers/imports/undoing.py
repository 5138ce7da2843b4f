"""The undoing of an import: what it wrote goes back, as far as nobody has touched it since.

What it created goes to the bin, what it changed gets its old values.  A row is UNDONE, KEPT because the record has changed since, or keeps its state with the reason why it could not be undone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Entity, ImportBatch, ImportRow
from models.base import column_of
from models.errors import ImportEnded, Refusal
from models.import_batch import ImportState, RowState

from ..bulk.many import update_many
from ..jobs.kinds import Progress
from ..merging.moves import stored
from ..records import recycle_bin
from ..runtime.ids import number_of
from ..runtime.scope import Scope
from .applying import CHUNK
from .batches import UNDO, allowed, enqueue, log, own
from .row_notes import note_rows, problems_of

UNDOABLE = (ImportState.DONE, ImportState.PARTLY)
WRITTEN = (RowState.CREATED, RowState.UPDATED)
_ROWS: Any = ImportRow.__table__


def begin_undoing(scope: Scope, id: int) -> None:
    """Let a job undo an import that was carried out.  Asked twice, it is undone once.

    Raises NotFound, Forbidden, ImportEnded.
    """
    with scope.write("user.imports") as db:
        row = own(scope, db, id)
        allowed(scope, row.target)
        if row.state is ImportState.UNDOING:
            return
        if row.state not in UNDOABLE:
            raise ImportEnded
        row.state, row.position, row.version = ImportState.UNDOING, 0, row.version + 1
        enqueue(scope, row, UNDO)
        log(scope, db, row, {"state": [None, row.state]})


def undo(scope: Scope, db: Session, id: int, version: int) -> Progress:
    """Undo the next rows."""
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state is not ImportState.UNDOING:
        return Progress(0, more=False)
    target = allowed(scope, batch.target)
    rows = _next(db, batch)
    became = _undone(scope, db, target.model, rows)
    _note(db, batch, became)
    if rows:
        batch.position = rows[-1].number
    is_last = len(rows) < CHUNK
    if is_last:
        batch.state, batch.ended_at = ImportState.UNDONE, scope.now()
        log(scope, db, batch, {"state": [None, batch.state]})
    undone = sum(1 for state, _ in became.values() if state is RowState.UNDONE)
    return Progress(batch.position, done=undone, failed=len(rows) - undone, more=not is_last, total=batch.rows)


# --- steps -----------------------------------------------------------------------------------------------

Became = Mapping[int, tuple[RowState, Refusal | None]]
"""Number of a row -> its state, and why it could not be undone."""


def _next(db: Session, batch: ImportBatch) -> list[Any]:
    r = _ROWS.c
    asked = select(r.number, r.state, r.record_id, r.before)
    asked = asked.where(r.batch_id == batch.id, r.number > batch.position, r.state.in_(WRITTEN))
    return [*db.execute(asked.order_by(r.number).limit(CHUNK))]


def _undone(scope: Scope, db: Session, model: type[Entity], rows: Sequence[Any]) -> Became:
    """What has become of each row.  A record that several rows have changed goes back with the last of them."""
    ids = sorted({row.record_id for row in rows})
    asked = select(model.id, model.version).where(model.id.in_(ids), model.deleted_at.is_(None))
    now = {id: version for id, version in db.execute(asked)} if ids else {}  # noqa: C416  rows, not pairs
    same = [row for row in rows if now.get(row.record_id) == (row.before or {}).get("version")]
    found: dict[int, tuple[RowState, Refusal | None]] = {row.number: (RowState.KEPT, None) for row in rows}
    created = [row for row in same if row.state == RowState.CREATED]
    changed = [row for row in same if row.state == RowState.UPDATED]
    outcome = recycle_bin.delete(scope, model, [row.record_id for row in created]) if created else None
    refused = {number_of(model, each.record_id): each for each in outcome.problems} if outcome else {}
    for row in created:
        refusal = refused.get(row.record_id)
        found[row.number] = (row.state if refusal else RowState.UNDONE, refusal)
    old = [(row.record_id, _old(model, row.before["values"] or {})) for row in changed]
    for row, verdict in zip(changed, update_many(scope, model, old) if old else [], strict=True):
        found[row.number] = (row.state if verdict.refusal else RowState.UNDONE, verdict.refusal)
    return found


def _old(model: type[Entity], values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: stored(column_of(model, key), value) for key, value in values.items()}


def _note(db: Session, batch: ImportBatch, became: Became) -> None:
    told = ((number, state, [refusal] if refusal else []) for number, (state, refusal) in became.items())
    note_rows(db, batch, [{"number": at, "state": now, "problems": problems_of(wrong)} for at, now, wrong in told])
