"""The application of an import: its good rows become records, chunk by chunk, each row exactly once.

A chunk's records, the states of its rows and the position of the import are one transaction.  A row that was good when it was
checked may be refused now; it stays behind with its reason, and the others go on.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Entity, ImportBatch, ImportRow
from models.audit.entries import plain
from models.errors import ImportEnded, Validation
from models.import_batch import ImportState, RowState

from ..bulk.many import create_many, update_many
from ..bulk.verdicts import Verdict
from ..jobs.kinds import Progress
from ..runtime.scope import Scope
from ..runtime.stored_refusals import restored_refusal
from .batches import APPLY, allowed, enqueue, log, own
from .checking import Understood, as_write, next_rows, understood
from .row_notes import note_rows, problems_of
from .targets import Target

CHUNK = 80
"""Maximum number of rows of one transaction, for which all other writes on SQLite wait."""
LEFT_BEHIND = (RowState.BAD, RowState.FAILED, RowState.STAGED, RowState.GOOD)
_ROWS: Any = ImportRow.__table__


def confirm(scope: Scope, id: int) -> None:
    """Let a job carry out a checked import.  Confirmed twice, it is carried out once.

    Raises NotFound, Forbidden, ImportEnded, and Validation where no row is good.
    """
    with scope.write("user.imports") as db:
        row = own(scope, db, id)
        allowed(scope, row.target)
        if row.state is ImportState.APPLYING:
            return
        if row.state is not ImportState.CHECKED:
            raise ImportEnded
        there = counts(db, row)
        if there.get(RowState.STAGED):
            raise Validation(
                "Rows that were corrected are still being checked. Wait a moment, then confirm.",
                "修改过的行仍在检查中，请稍候再确认。",
            )
        if not (good := there.get(RowState.GOOD, 0)):
            raise Validation("No row can be imported. Correct them first.", "没有可导入的行，请先修改。")
        row.state, row.position, row.confirmed_at = ImportState.APPLYING, 0, scope.now()
        enqueue(scope, row, APPLY)
        log(scope, db, row, {"rows": [None, good]})


def stop(scope: Scope, id: int) -> None:
    """End an import that is being carried out; what it has written stays.  Raises NotFound, ImportEnded."""
    with scope.write("user.imports") as db:
        row = own(scope, db, id)
        if row.state is not ImportState.APPLYING:
            raise ImportEnded
        _end(scope, db, row)
        row.version += 1  # which the job finds before its next chunk


def apply(scope: Scope, db: Session, id: int, version: int) -> Progress:
    """Write the next rows."""
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state is not ImportState.APPLYING:
        return Progress(0, more=False)
    target = allowed(scope, batch.target)
    found = understood(scope, db, batch, next_rows(db, batch, (RowState.GOOD,), CHUNK))
    good = [row for row in found if not row.refusals]
    before = _before(db, target.model, good)
    for row, verdict in zip(good, _write(scope, target, good), strict=True):
        if verdict.refusal is not None:
            row.values.refusals[verdict.refusal.field or ""] = verdict.refusal
        else:
            row.written_id = verdict.id
    _note(db, batch, target, found, before)
    if found:
        batch.position = found[-1].number
    is_last = len(found) < CHUNK
    if is_last:
        _end(scope, db, batch)
    failed = sum(1 for row in found if row.refusals)
    return Progress(batch.position, done=len(found) - failed, failed=failed, more=not is_last, total=batch.rows)


def counts(db: Session, batch: ImportBatch) -> Mapping[RowState, int]:
    """How many rows of an import are in each state."""
    asked = select(_ROWS.c.state, func.count()).where(_ROWS.c.batch_id == batch.id).group_by(_ROWS.c.state)
    return {RowState(state): number for state, number in db.execute(asked)}


def reasons(scope: Scope, db: Session, batch: ImportBatch) -> list[dict[str, Any]]:
    """Of each row that stayed behind its number and its reasons: {row, codes, sentences}, in the order of the sheet."""
    r = _ROWS.c
    asked = select(r.number, r.problems).where(r.batch_id == batch.id, r.state.in_((RowState.BAD, RowState.FAILED)))
    found = []
    for number, problems in db.execute(asked.order_by(r.number)):
        refusals = [restored_refusal(each) for each in problems or ()]
        told = {"codes": [x.code() for x in refusals], "sentences": [x.say(scope.language) for x in refusals]}
        found.append({"row": number, **told})
    return found


# --- steps -----------------------------------------------------------------------------------------------


def _write(scope: Scope, target: Target, rows: Sequence[Understood]) -> list[Verdict]:
    """New records and changes, in the order of the rows."""
    verdicts: list[Verdict] = []
    for is_new, run in groupby(rows, key=lambda row: row.record_id is None):
        given: list[Any] = [as_write(row) for row in run]
        many = create_many if is_new else update_many
        verdicts += many(scope, target.model, given, action=target.right)
    return verdicts


def _before(db: Session, model: type[Entity], rows: Sequence[Understood]) -> dict[int, dict[str, Any]]:
    """Record -> the values that its row changes, as they are now: what an undoing brings back."""
    changes = {row.record_id: as_write(row)[1] for row in rows if row.record_id is not None}  # type: ignore[index]
    if not changes:
        return {}
    keys = sorted({key for given in changes.values() for key in given if key in model.__table__.c})
    columns = [getattr(model, key) for key in keys]
    found = db.execute(select(model.id, *columns).where(model.id.in_(sorted(changes))))
    return {
        id: {key: plain(value) for key, value in zip(keys, values, strict=True) if key in changes[id]}
        for id, *values in found
    }


def _note(
    db: Session, batch: ImportBatch, target: Target, rows: Sequence[Understood], before: Mapping[int, dict[str, Any]]
) -> None:
    if not rows:
        return
    versions = _versions(db, target.model, [row.written_id for row in rows if row.written_id is not None])
    noted = []
    for row in rows:
        state = RowState.CREATED if row.record_id is None else RowState.UPDATED
        was = {"version": versions.get(row.written_id or 0), "values": before.get(row.record_id or 0)}
        noted.append(
            {
                "number": row.number,
                "state": RowState.FAILED if row.refusals else state,
                "problems": problems_of(row.refusals),
                "record_id": row.written_id or row.record_id,
                "before": None if row.refusals else was,
            }
        )
    note_rows(db, batch, noted)


def _versions(db: Session, model: type[Entity], ids: Sequence[int]) -> dict[int, int]:
    """Record -> its version after the import: what has another one was changed since."""
    db.expire_all()
    asked = select(model.id, model.version).where(model.id.in_(sorted(ids)))
    return {id: version for id, version in db.execute(asked)} if ids else {}  # noqa: C416  rows, not pairs


def _end(scope: Scope, db: Session, batch: ImportBatch) -> None:
    left = counts(db, batch)
    is_whole = not any(left.get(state) for state in LEFT_BEHIND)
    batch.state, batch.ended_at = (ImportState.DONE if is_whole else ImportState.PARTLY), scope.now()
    log(scope, db, batch, {"state": [None, batch.state]})
