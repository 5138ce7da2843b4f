"""The application of an import: its good rows become records, chunk by chunk, each row exactly once.

A chunk's records, the states of its rows and the position of the import are one transaction.  A row that was good when it was
checked may be refused now; it stays behind with its reason, and the others go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity, ImportBatch, ImportRow
from models.audit.entries import plain
from models.errors import ImportEnded, ImportRowsGone, StillReturning, Validation
from models.import_batch import KEPT, ImportMode, ImportState, RowState
from models.text import fold

from ..customers.contacts import points_of
from ..jobs.kinds import Progress
from ..runtime.scope import Scope
from ..runtime.stored_refusals import restored_refusal
from .batches import APPLY, FIXES, allowed, are_rows_gone, cancel, enqueue, locked, log
from .checking import Memory, next_rows, understood
from .file_duplicates import KEYS_AT_ONCE, drop_keys
from .finding import given_key
from .primaries import note_demoted
from .row_notes import note_rows, problems_of
from .targets import Target
from .word_parents import goes_round_again, let_wait
from .writing import Understood, write

CHUNK = 80
"""Maximum number of rows of one transaction, for which all other writes on SQLite wait."""
_ROUND = "another round"
LEFT_BEHIND = (RowState.BAD, RowState.FAILED, RowState.STAGED, RowState.GOOD)
_ROWS: Any = ImportRow.__table__


def confirm(scope: Scope, id: int) -> None:
    """Let a job carry out a checked import, or what is left of one that was stopped.  Confirmed twice, it is carried out once.

    Raises NotFound, Forbidden, ImportEnded, ImportRowsGone, StillReturning, and Validation where no row is good.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        allowed(scope, row.target)
        if row.state is ImportState.APPLYING:
            return
        if row.state is not ImportState.CHECKED and not is_stopped(db, row):
            raise ImportEnded
        if are_rows_gone(row, scope.now()):
            raise ImportRowsGone(days=KEPT.days)
        if row.returned is not None:
            raise StillReturning
        there = counts(db, row)
        if there.get(RowState.STAGED) or row.options.get(FIXES):
            raise Validation(
                "Rows that were corrected are still being checked. Wait a moment, then confirm.",
                "修改过的行仍在检查中，请稍候再确认。",
            )
        if not there:
            raise Validation(
                "The sheet has no rows below its headings. Choose another row of headings, or another file.",
                "表头下方没有数据，请选择其他表头行或其他文件。",
            )
        if not (good := there.get(RowState.GOOD, 0)):
            raise Validation("No row can be imported. Correct them first.", "没有可导入的行，请先修改。")
        row.state, row.position, row.confirmed_at, row.ended_at = ImportState.APPLYING, 0, scope.now(), None
        enqueue(scope, row, APPLY)
        log(scope, db, row, {"rows": [None, good]})


def is_stopped(db: Session, batch: ImportBatch) -> bool:
    """Whether good rows were left when an import was stopped; a confirmation goes on with them."""
    return batch.state is ImportState.PARTLY and bool(counts(db, batch).get(RowState.GOOD))


def stop(scope: Scope, id: int) -> None:
    """End an import that is being carried out; what it has written stays.  Raises NotFound, ImportEnded."""
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        if row.state is not ImportState.APPLYING:
            raise ImportEnded
        _end(scope, db, row)
        row.version += 1  # which the job finds before its next chunk


def end(scope: Scope, id: int) -> None:
    """Cancel an import, or stop one that is being carried out; what it has written stays.  Raises NotFound, ImportEnded."""
    with scope.write("user.imports") as db:
        is_applying = locked(scope, db, id).state is ImportState.APPLYING
        (stop if is_applying else cancel)(scope, id)


def apply(scope: Scope, db: Session, id: int, version: int, memory: Memory | None = None) -> Progress:
    """Write the next rows.  `memory` is what the job keeps from chunk to chunk."""
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state is not ImportState.APPLYING:
        return Progress(0, more=False)
    target = allowed(scope, batch.target)
    memory = {} if memory is None else memory
    is_first = batch.position == 0 and not memory.get(_ROUND)
    total = counts(db, batch).get(RowState.GOOD, 0) if is_first else None
    drop_keys(db, batch, KEYS_AT_ONCE)
    rows = next_rows(db, batch, (RowState.GOOD,), CHUNK)
    found = _each_record_once(understood(scope, db, batch, rows, memory, is_applied=True), _key_of(batch))
    let_wait(scope, db, batch, found, (RowState.GOOD,), memory)
    dealt_with = [row for row in found if not row.waits]
    good = [row for row in dealt_with if not row.refusals]
    before = _before(scope, db, target.model, good)
    note_demoted(db, target.model, good)
    write(scope, db, target, good, batch.options.get("reason"))
    _note(db, batch, target, dealt_with, before)
    if found:
        batch.position = found[-1].number
    is_last = len(rows) < CHUNK and len(found) == len(rows)
    if is_last and goes_round_again(db, batch, memory):
        is_last, batch.position, memory[_ROUND] = False, 0, True
    if is_last:
        _end(scope, db, batch)
    failed = sum(1 for row in dealt_with if row.refusals)
    return Progress(batch.position, done=len(dealt_with) - failed, failed=failed, more=not is_last, total=total)


def counts(db: Session, batch: ImportBatch) -> Mapping[RowState, int]:
    """How many rows of an import are in each state; of one whose rows are deleted, were."""
    if "counts" in batch.options:
        return {RowState(state): number for state, number in batch.options["counts"].items()}
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


def _key_of(batch: ImportBatch) -> tuple[str, ...]:
    """The fields that find records; none where all rows are new."""
    return () if batch.mode is ImportMode.INSERT else tuple(batch.options.get("key") or ())


def _each_record_once(rows: Sequence[Understood], key: tuple[str, ...]) -> Sequence[Understood]:
    """The rows before the first one that changes a record a second time: it finds what the other has made of it."""
    seen: set[Any] = set()
    for place, row in enumerate(rows):
        meant = row.record_id if row.record_id is not None else _new_key(row, key)
        if meant in seen:
            return rows[:place]
        if meant is not None:
            seen.add(meant)
    return rows


def _new_key(row: Understood, key: tuple[str, ...]) -> tuple[Any, ...] | None:
    """By what a later row finds the record that this one creates; None where none does."""
    if not key or row.refusals:
        return None
    company = row.values.company and fold(row.values.company)
    values = given_key(key, row.values)
    found = tuple(company if name == "customer_id" and company else x for name, x in zip(key, values, strict=True))
    return None if None in found else found


@dataclass(frozen=True)
class _Before:
    """A record as it is before its row changes it: its version, and the values that an undoing brings back."""

    version: int
    values: dict[str, Any]


def _before(scope: Scope, db: Session, model: type[Entity], rows: Sequence[Understood]) -> dict[int, _Before]:
    """Record -> what it is now."""
    changed = {row.record_id: row.changes for row in rows if row.record_id is not None}
    if not changed:
        return {}
    keys = sorted({key for given in changed.values() for key in given if key in model.__table__.c})
    columns = [getattr(model, key) for key in keys]
    points = points_of(scope, db, [id for id, given in changed.items() if "points" in given])
    found = {}
    for id, version, *values in db.execute(
        select(model.id, model.version, *columns).where(model.id.in_(sorted(changed)))
    ):
        was = {key: plain(value) for key, value in zip(keys, values, strict=True) if key in changed[id]}
        if "points" in changed[id]:
            was["points"] = [{"kind": point.kind, "value": point.value} for point in points.get(id, ())]
        found[id] = _Before(version, was)
    return found


def _note(
    db: Session, batch: ImportBatch, target: Target, rows: Sequence[Understood], before: Mapping[int, _Before]
) -> None:
    if not rows:
        return
    db.expire_all()
    versions = _versions(db, target.model, [row.written_id for row in rows if row.written_id is not None])
    customers = _versions(db, Customer, [row.customer_id for row in rows if row.customer_id is not None])
    demoted = _versions(db, Contact, [row.demoted_id for row in rows if row.demoted_id is not None])
    noted = []
    for row in rows:
        was, version = before.get(row.record_id or 0), versions.get(row.written_id or 0)
        noted.append(
            {
                "number": row.number,
                "state": _state(row, was, version),
                "problems": problems_of(row.refusals),
                "record_id": row.written_id or row.record_id,
                "before": None if row.refusals else _kept(row, was, version, customers, demoted),
            }
        )
    note_rows(db, batch, noted)


def _state(row: Understood, was: _Before | None, version: int | None) -> RowState:
    if row.refusals:
        return RowState.FAILED
    if was is None:
        return RowState.CREATED
    return RowState.SAME if was.version == version else RowState.UPDATED


def _kept(
    row: Understood,
    was: _Before | None,
    version: int | None,
    customers: Mapping[int, int],
    demoted: Mapping[int, int],
) -> dict[str, Any]:
    """What an undoing needs of a row that was applied."""
    kept: dict[str, Any] = {"version": version, "values": was.values if was else None}
    if was is not None:
        kept["from"] = was.version
    if row.customer_id is not None:
        kept["customer"] = {"id": row.customer_id, "version": customers.get(row.customer_id)}
    if row.demoted_id is not None:
        kept["primary"] = {"id": row.demoted_id, "version": demoted.get(row.demoted_id)}
    return kept


def _versions(db: Session, model: type[Entity], ids: Sequence[int]) -> dict[int, int]:
    """Record -> its version after the import: what has another one was changed since."""
    asked = select(model.id, model.version).where(model.id.in_(sorted({*ids})))
    return {id: version for id, version in db.execute(asked)} if ids else {}  # noqa: C416  rows, not pairs


def _end(scope: Scope, db: Session, batch: ImportBatch) -> None:
    left = counts(db, batch)
    is_whole = not any(left.get(state) for state in LEFT_BEHIND)
    batch.state, batch.ended_at = (ImportState.DONE if is_whole else ImportState.PARTLY), scope.now()
    log(scope, db, batch, {"state": [None, batch.state]})
