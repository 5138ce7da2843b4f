"""The undoing of an import: what it wrote goes back, as far as nobody has touched it since.

What it created goes to the bin, what it changed gets its old values, the last row first.  A row is UNDONE, KEPT because its record
was touched since, or keeps its state with the reason why it could not be undone.
"""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import AuditEntry, Customer, Entity, ImportBatch, ImportRow
from models.errors import ImportEnded, ImportRowsGone, Refusal, Validation
from models.import_batch import KEPT, ImportState, RowState

from ..bulk.many import delete_many
from ..bulk.restoring import changed_since, gone_since, put_back
from ..jobs.kinds import Progress
from ..records.references import live_parents, touched_parents
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from .applying import CHUNK, counts
from .batches import UNDO, allowed, are_rows_gone, enqueue, give_up_return, locked, log
from .primaries import promote_again
from .row_notes import note_rows, problems_of

UNDOABLE = (ImportState.DONE, ImportState.PARTLY)
WRITTEN = (RowState.CREATED, RowState.UPDATED)
_ROWS: Any = ImportRow.__table__
_REPEATED, _HAS_BEGUN = "repeated", "has begun"


def begin_undoing(scope: Scope, id: int) -> None:
    """Let a job undo an import that was carried out.  Asked twice, it is undone once.

    Of one that is undone, the rows that were refused are tried again, with the rights of who asks: its user, or another
    one who may read the log.  Raises NotFound, Forbidden, ImportEnded (no row is left), and ImportRowsGone long after
    its end.
    """
    with scope.write("user.imports") as db:
        row = _refused_before(scope, db, id) or locked(scope, db, id)
        allowed(scope, row.target)
        if row.state is ImportState.UNDOING:
            return
        if row.state not in UNDOABLE and not has_refused(db, row):
            raise ImportEnded
        if are_rows_gone(row, scope.now()):
            raise ImportRowsGone(days=KEPT.days)
        give_up_return(scope, row)
        last = select(func.max(_ROWS.c.number)).where(_ROWS.c.batch_id == row.id)
        row.position = (db.execute(last).scalar() or 0) + 1
        row.state, row.version = ImportState.UNDOING, row.version + 1
        enqueue(scope, row, UNDO)
        log(scope, db, row, {"state": [None, row.state]})


def has_refused(db: Session, row: ImportBatch) -> bool:
    """Whether an import is undone but for rows that were refused."""
    left = select(_ROWS.c.number).where(_ROWS.c.batch_id == row.id, _ROWS.c.state.in_(WRITTEN)).limit(1)
    return row.state is ImportState.UNDONE and db.execute(left).first() is not None


def _refused_before(scope: Scope, db: Session, id: int) -> ImportBatch | None:
    """An undone import of another user with refused rows, locked, for a caller who may read the log."""
    if not scope.policy.ever(scope.person, "view", AuditEntry.module):
        return None
    row = db.get(ImportBatch, id, with_for_update=True)
    return row if row is not None and has_refused(db, row) else None


def prepare(scope: Scope, id: int, memory: MutableMapping[str, Any]) -> None:
    """Look once for the records that several rows have written, which reads every row, while nobody waits."""
    if _REPEATED not in memory:
        now = as_they_are(scope)
        memory[_REPEATED] = read_beside(now, now.backend.url, _repeated, id)


def undo(scope: Scope, db: Session, id: int, version: int, memory: MutableMapping[str, Any] | None = None) -> Progress:
    """Undo the rows before the last ones that were undone.  `memory`: what `prepare` has found, kept from chunk to chunk."""
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state is not ImportState.UNDOING:
        return Progress(0, more=False)
    target = allowed(scope, batch.target)
    memory = {} if memory is None else memory
    total = None
    if _REPEATED not in memory:
        memory[_REPEATED] = _repeated(scope, db, batch.id)
    if not memory.get(_HAS_BEGUN):
        memory[_HAS_BEGUN] = True
        total = sum(counts(db, batch).get(state, 0) for state in (*WRITTEN, RowState.UNDONE, RowState.KEPT))
    rows = _next(db, batch)
    part = _each_record_once(rows)
    became = _undone(scope, db, batch, target.model, part, memory[_REPEATED])
    _note(db, batch, became)
    if part:
        batch.position = part[-1].number
    is_last = len(rows) < CHUNK and len(part) == len(rows)
    if is_last:
        batch.state, batch.ended_at = ImportState.UNDONE, scope.now()
        log(scope, db, batch, {"state": [None, batch.state]})
    undone = sum(1 for state, _ in became.values() if state is RowState.UNDONE)
    return Progress(batch.position, done=undone, failed=len(part) - undone, more=not is_last, total=total)


# --- which rows ------------------------------------------------------------------------------------------

Became = Mapping[int, tuple[RowState, Refusal | None]]
"""Number of a row -> its state, and why it or its customer could not be undone."""


def _next(db: Session, batch: ImportBatch) -> list[Any]:
    """The last rows that are not dealt with, the last one first."""
    r = _ROWS.c
    asked = select(r.number, r.state, r.record_id, r.before)
    asked = asked.where(r.batch_id == batch.id, r.number < batch.position, r.state.in_(WRITTEN))
    return [*db.execute(asked.order_by(r.number.desc()).limit(CHUNK))]


def _each_record_once(rows: Sequence[Any]) -> Sequence[Any]:
    """The rows before the first one whose record stands among them already."""
    seen: set[int] = set()
    for place, row in enumerate(rows):
        if row.record_id in seen:
            return rows[:place]
        seen.add(row.record_id)
    return rows


def _repeated(_scope: Scope, db: Session, id: int) -> frozenset[int]:
    """The records that several rows have written."""
    r = _ROWS.c
    asked = select(r.record_id).where(r.batch_id == id, r.state.in_((*WRITTEN, RowState.UNDONE)))
    return frozenset(db.execute(asked.group_by(r.record_id).having(func.count() > 1)).scalars())


# --- back to what was ------------------------------------------------------------------------------------


def _undone(
    scope: Scope, db: Session, batch: ImportBatch, model: type[Entity], rows: Sequence[Any], repeated: Collection[int]
) -> Became:
    """What has become of each row."""
    now = _versions(db, model, [row.record_id for row in rows])
    later = _undone_later(db, batch, [row.record_id for row in rows if row.record_id in repeated])
    found: dict[int, tuple[RowState, Refusal | None]] = {}
    same = []
    for row in rows:
        if row.record_id not in now:
            found[row.number] = RowState.KEPT, gone_since()
        elif now[row.record_id] != _expected(row, later):
            found[row.number] = RowState.KEPT, changed_since()
        else:
            same.append(row)
    found |= _created_undone(scope, db, model, [row for row in same if row.state == RowState.CREATED])
    found |= _changed_undone(scope, db, model, [row for row in same if row.state == RowState.UPDATED])
    done = [row for row in rows if found[row.number][0] is RowState.UNDONE]
    _keep_versions(db, batch, model, [row for row in done if row.record_id in repeated])
    promote_again(scope, db, [row.before["primary"] for row in done if "primary" in row.before])
    return {**found, **_companies_undone(scope, db, [row for row in done if "customer" in row.before])}


def _created_undone(scope: Scope, db: Session, model: type[Entity], rows: Sequence[Any]) -> Became:
    """A record that got a contact, a follow-up or the like since was touched."""
    touched = touched_parents(db, model, [row.record_id for row in rows])
    kept = {row.number: (RowState.KEPT, _in_use()) for row in rows if row.record_id in touched}
    alone = [row for row in rows if row.number not in kept]
    verdicts = delete_many(scope, model, [row.record_id for row in alone]) if alone else []
    return kept | {
        row.number: (row.state if verdict.refusal else RowState.UNDONE, verdict.refusal)
        for row, verdict in zip(alone, verdicts, strict=True)
    }


def _changed_undone(scope: Scope, db: Session, model: type[Entity], rows: Sequence[Any]) -> Became:
    """The old values come back even where another record has become like them, as they were there before."""
    old = [(row.record_id, row.before["values"] or {}) for row in rows]
    reason = "撤销导入" if scope.language.startswith("zh") else "Undoing of an import"
    verdicts = put_back(scope, db, model, old, reason)
    return {
        row.number: (row.state if verdict.refusal else RowState.UNDONE, verdict.refusal)
        for row, verdict in zip(rows, verdicts, strict=True)
    }


def _companies_undone(scope: Scope, db: Session, rows: Sequence[Any]) -> Became:
    """The customers that came with these rows go, too, unless somebody has worked with them.

    All later rows of such a customer are dealt with already.
    """
    noted = {row.before["customer"]["id"]: row for row in rows}
    now = _versions(db, Customer, [*noted])
    used = live_parents(db, Customer, [*noted])
    found = {}
    for id, row in noted.items():
        if id in now and (now[id] != row.before["customer"]["version"] or id in used):
            found[row.number] = RowState.UNDONE, _customer_stays()
    going = [id for id, row in noted.items() if id in now and row.number not in found]
    for id, verdict in zip(going, delete_many(scope, Customer, going) if going else [], strict=True):
        if verdict.refusal is not None:
            found[noted[id].number] = RowState.UNDONE, verdict.refusal
    return found


# --- versions --------------------------------------------------------------------------------------------


def _versions(db: Session, model: type[Entity], ids: Sequence[int]) -> dict[int, int]:
    """Record -> its version, of those that are not in the bin."""
    if not ids:
        return {}
    db.expire_all()
    asked = select(model.id, model.version).where(model.id.in_(sorted({*ids})), model.deleted_at.is_(None))
    return {id: version for id, version in db.execute(asked)}  # noqa: C416  rows, not pairs


def _expected(row: Any, later: Mapping[int, Mapping[str, Any]]) -> int | None:
    """The version of a record that was not touched since: what the row left, or what the undoing of the next one left."""
    mine: int | None = row.before["version"]
    after = later.get(row.record_id)
    return after["undone"] if after is not None and after["from"] == mine else mine


def _undone_later(db: Session, batch: ImportBatch, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Record -> what is kept with its row that was undone last."""
    if not ids:
        return {}
    r = _ROWS.c
    asked = select(r.record_id, r.before).where(r.batch_id == batch.id, r.state == RowState.UNDONE)
    found = db.execute(asked.where(r.number >= batch.position, r.record_id.in_(ids)).order_by(r.number.desc()))
    return {id: before for id, before in found if "undone" in before}


def _keep_versions(db: Session, batch: ImportBatch, model: type[Entity], rows: Sequence[Any]) -> None:
    """Note which version the undoing of a row left, for the rows of the same record before it."""
    now = _versions(db, model, [row.record_id for row in rows])
    for row in rows:
        before = {**row.before, "undone": now.get(row.record_id)}
        this = (_ROWS.c.batch_id == batch.id, _ROWS.c.number == row.number)
        db.execute(update(_ROWS).where(*this).values(before=before))


# --- what is said ----------------------------------------------------------------------------------------


def _in_use() -> Refusal:
    return Validation("Somebody has worked with it since, so it stays.", "之后已有后续记录，因此保留。")


def _customer_stays() -> Refusal:
    return Validation(
        "The customer that came with it has been worked with since, so it stays.",
        "随该行新建的客户之后已有改动或后续记录，因此保留。",
    )


def _note(db: Session, batch: ImportBatch, became: Became) -> None:
    noted = [
        {"number": number, "state": state, "problems": problems_of([refusal] if refusal else [])}
        for number, (state, refusal) in became.items()
    ]
    note_rows(db, batch, noted)
