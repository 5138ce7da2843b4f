"""The check of an import: what each staged row would come to now, by the very rules of single writes, without a change.

Rows are judged in chunks, in the order of the sheet, and beside all good rows before them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal
from models.import_batch import ImportState, RowState

from ..jobs.kinds import Progress
from ..runtime.scope import Scope
from .checking import CHUNK, Memory, next_rows, understood
from .file_duplicates import Claim, Claims, EarlierClaims, earlier_claims, note_keys, touched_by
from .likely_duplicates import warnings
from .row_notes import note_rows, problems_of
from .targets import target_of
from .word_parents import let_wait
from .writing import DUPLICATES, Understood, ask_rules

AT_ONCE = 1_000
CORRECTABLE = (RowState.STAGED, RowState.GOOD, RowState.BAD, RowState.SKIPPED, RowState.FAILED)
"""States of rows that are no records yet."""
_JUDGED = (RowState.STAGED, RowState.GOOD, RowState.BAD)
_ROWS: Any = ImportRow.__table__


def check(scope: Scope, db: Session, id: int, version: int, memory: Memory | None = None) -> Progress:
    """Judge the next rows.  An import that was mapped anew meanwhile is left to its next check.

    A mapped import is judged as a whole, a checked one where cells were edited since.  `memory` is what the job keeps from
    chunk to chunk.
    """
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state not in (ImportState.MAPPED, ImportState.CHECKED):
        return Progress(0, more=False)
    is_whole = batch.state is ImportState.MAPPED
    rows = next_rows(db, batch, _JUDGED, CHUNK) if is_whole else _edited(db, batch)
    found = judge(scope, db, batch, rows, memory)
    if found and is_whole:
        batch.position = found[-1].number
    elif found:
        stage_again(db, batch, later_rows(db, batch, found))
    is_last = len(found) < CHUNK
    if is_last and is_whole:
        batch.state, batch.position = ImportState.CHECKED, 0
    is_last = is_last and not _edited(db, batch)
    bad = sum(1 for row in found if row.refusals)
    return Progress(batch.position, done=len(found) - bad, failed=bad, more=not is_last, total=batch.rows)


def judge(
    scope: Scope, db: Session, batch: ImportBatch, rows: Sequence[Any], memory: Memory | None = None
) -> list[Understood]:
    """Note for each of these rows whether it is good now, or what is wrong with it.

    `rows`: (number, cells, edits), at most CHUNK, in the order of the sheet.
    """
    memory = {} if memory is None else memory
    found, target = understood(scope, db, batch, rows, memory), target_of(batch.target)
    let_wait(scope, db, batch, found, _JUDGED, memory)
    reason = batch.options.get("reason")
    claims = Claims(db, target.model, reason)
    for row in found:
        row.claim = _claim(claims, row)
    earlier = _earlier(scope, db, batch, claims, found, memory)
    clashing = [row for row in found if row.claim and claims.clash(row.claim, earlier.beside(row.claim))]
    theirs = {row.number for row in clashing}
    ask_rules(scope, target, [x for x in found if not x.refusals and x.number not in theirs], reason)
    ask_rules(scope, target, clashing, reason, alone=True)
    _refuse_clashes(claims, earlier, found)
    good = [(row.claim, row.possible) for row in found if row.claim and row.possible and not row.refusals]
    _note(db, batch, found, warnings(scope, db, target.model, good))
    note_keys(db, batch, [row.claim for row in found if row.claim])
    return found


def later_rows(db: Session, batch: ImportBatch, judged: Sequence[Understood]) -> list[int]:
    """The numbers of rows behind these that have to be judged again, because these were."""
    standing = [row.claim for row in judged if row.claim and not row.refusals]
    return touched_by(db, batch, standing, [row.number for row in judged])


def stage_again(db: Session, batch: ImportBatch, numbers: Sequence[int], state: RowState = RowState.STAGED) -> None:
    """Let rows be judged again, or leave them out.  One statement for each AT_ONCE of them."""
    fresh = {"state": state, "problems": None, "warnings": None, "same_as": None, "record_id": None}
    for start in range(0, len(numbers), AT_ONCE):
        some = _ROWS.c.number.in_(numbers[start : start + AT_ONCE])
        db.execute(update(_ROWS).where(_ROWS.c.batch_id == batch.id, some).values(fresh))


def rows_at(db: Session, batch: ImportBatch, numbers: Collection[int]) -> list[Any]:
    """These rows, in the order of the sheet: (number, cells, edits, state)."""
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits, r.state).where(r.batch_id == batch.id, r.number.in_(sorted(numbers)))
    return [*db.execute(asked.order_by(r.number))]


# --- steps -----------------------------------------------------------------------------------------------


def _edited(db: Session, batch: ImportBatch) -> list[Any]:
    """The next rows that are to be judged again, wherever they stand."""
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits).where(r.batch_id == batch.id, r.state == RowState.STAGED)
    return [*db.execute(asked.order_by(r.number).limit(CHUNK))]


def _claim(claims: Claims, row: Understood) -> Claim | None:
    is_new = row.record_id is None and not row.refusals
    return claims.of(row.number, row.values) if is_new else None


def _earlier(
    scope: Scope, db: Session, batch: ImportBatch, claims: Claims, rows: Sequence[Understood], memory: Memory
) -> EarlierClaims:
    """What the good rows of the file claim that are not among these."""

    def claims_at(numbers: Collection[int]) -> list[Claim]:
        found = understood(scope, db, batch, rows_at(db, batch, numbers), memory)
        return [claim for row in found if (claim := _claim(claims, row)) is not None]

    mine = [row.claim for row in rows if row.claim]
    return earlier_claims(db, batch, mine, claims_at, {row.number for row in rows})


def _refuse_clashes(claims: Claims, earlier: EarlierClaims, rows: Sequence[Understood]) -> None:
    """Refuse new records that are the same as one of a good row before them; what else says so goes."""
    for row in rows:
        if row.claim is None:
            continue
        if (refusal := claims.clash(row.claim, earlier.beside(row.claim))) is not None:
            others = {at: why for at, why in row.values.refusals.items() if not isinstance(why, DUPLICATES)}
            row.values.refusals = {refusal.code(): refusal, **others}
            row.same_as = refusal.params["row"]
        elif not row.refusals:
            earlier.add(row.claim)


def _note(db: Session, batch: ImportBatch, rows: Sequence[Understood], warned: Mapping[int, Sequence[Refusal]]) -> None:
    note_rows(
        db,
        batch,
        [
            {
                "number": row.number,
                "state": RowState.BAD if row.refusals else RowState.GOOD,
                "problems": problems_of(row.refusals),
                "warnings": problems_of(warned.get(row.number, ())),
                "same_as": row.same_as,
                "record_id": row.record_id,
            }
            for row in rows
        ],
    )
