"""Imports of a user: begun with a file, read by a job, looked at again at any step, read anew, and cancelled.

An import belongs to its user: for everybody else it is not there.  The right `import` of the kind of record is asked for when it
begins and at every later step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow, Job
from models.audit.entries import entry
from models.audit.recording import write_row
from models.errors import ImportEnded, NotFound, Validation
from models.import_batch import IMPORT, KEPT, ImportState, RowState
from models.job import JobState
from models.sheet_choices import Choices as Choices

from ..runtime.batch import Note
from ..runtime.file_store import FileStore
from ..runtime.ids import global_id
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .dropping import drop_rows
from .targets import Target, target_of

READ, CHECK, APPLY, UNDO = "read_import", "check_import", "apply_import", "undo_import"
"""The kinds of jobs that read files, judge rows, write records and undo that."""
RETURN = "return_import"
"""The kind of jobs that take the corrections of a file over."""
FIXES = "fixes"
"""Among the options of an import: values that are to be fixed in rows to which its check has not come yet."""
MAX_OPEN = 20
"""Maximum number of imports of one user that have not ended."""
LARGEST_PAGE = 100
ENDED = (ImportState.DONE, ImportState.PARTLY, ImportState.CANCELLED, ImportState.UNDONE, ImportState.FAILED)
UNREAD = (ImportState.UPLOADED, ImportState.READ, ImportState.MAPPED, ImportState.CHECKED, ImportState.FAILED)
"""States in which the file may be read in another way, because no record has been written."""


@dataclass(frozen=True)
class Earlier:
    """An import of the same file by the same user that has written records."""

    id: int
    at: datetime
    rows: int


def begin(scope: Scope, target: str, file_name: str, stored: str, file_hash: str) -> int:
    """The id of a new import of a file, which lies in the store under the name `stored`; a job reads it.

    `file_hash` is its SHA-256.  Raises Forbidden, and Validation for an unknown target and beyond MAX_OPEN.
    """
    with scope.write("user.imports") as db:
        wanted = allowed(scope, target)
        _check_room(scope, db)
        row = ImportBatch(
            owner_id=scope.me,
            target=wanted.code,
            file_name=plain_name(file_name),
            file=stored,
            file_hash=file_hash,
            choices={},
            options={},
            state=ImportState.UPLOADED,
            created_at=scope.now(),
        )
        db.add(row)
        db.flush()
        enqueue(scope, row, READ)
        log(scope, db, row, {"target": [None, row.target]})
        return row.id


def read_anew(scope: Scope, id: int, choices: Choices) -> None:
    """Read the file in another way: another sheet, heading row, encoding or delimiter, with hidden rows or without.

    Staged rows, mapping and corrections are given up.  Raises NotFound, Forbidden, ImportEnded.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        allowed(scope, row.target)
        if row.state not in UNREAD or row.confirmed_at is not None:  # records came of its rows, which an undoing needs
            raise ImportEnded
        give_up_return(scope, row)
        drop_rows(db, row)
        row.choices = {key: value for key, value in asdict(choices).items() if value not in (None, False)}
        row.overview = row.mapping = row.signature = row.ended_at = None
        row.options = {}
        row.error_code = row.error = row.error_zh = row.result = row.result_at = None
        row.state, row.rows, row.position, row.version = ImportState.UPLOADED, 0, 0, row.version + 1
        enqueue(scope, row, READ)


def cancel(scope: Scope, id: int) -> None:
    """End an import before anything was written; its rows and its file are deleted, many rows within the hour.

    Raises NotFound, ImportEnded.
    One that goes on with a corrected file, after records came of it, ends as it was, and can still be undone.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        if row.state not in UNREAD or row.state is ImportState.FAILED:
            raise ImportEnded
        give_up_return(scope, row)
        if row.confirmed_at is not None:
            row.state, row.ended_at, row.version = ImportState.PARTLY, scope.now(), row.version + 1
            return
        drop_rows(db, row)
        row.state, row.rows, row.ended_at, row.version = ImportState.CANCELLED, 0, scope.now(), row.version + 1
        row.options = {**row.options, "counts": {}}  # whatever waits to be deleted
        name, files = row.file.partition(".")[0], scope.backend.files
        scope.after_commit(lambda: files.delete_all(name))
        log(scope, db, row, {"state": [None, row.state]})


def go_on(scope: Scope, id: int) -> None:
    """Let a new job go on with an import whose job has failed, was cancelled or is gone.  Where one is at work, nothing is done.

    Raises NotFound, Forbidden, and ImportEnded where there is nothing to go on with.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        allowed(scope, row.target)
        step = _step(db, row)
        if step is None:
            raise ImportEnded
        if not stalled(db, [row]):
            return
        if step == RETURN:
            _return_again(scope, db, row)
            return
        row.version += 1  # so that the other job does nothing if it is tried again
        enqueue(scope, row, step)


# --- looking ---------------------------------------------------------------------------------------------


def imports(
    scope: Scope, db: Session, *, before: int | None = None, first: int = 50, ids: Sequence[int] | None = None
) -> Sequence[ImportBatch]:
    """The caller's own imports, newest first.  `before`: the id of the last one on the former page; `ids`: only these."""
    wanted = select(ImportBatch).where(ImportBatch.owner_id == scope.me)
    wanted = wanted if before is None else wanted.where(ImportBatch.id < before)
    wanted = wanted if ids is None else wanted.where(ImportBatch.id.in_(ids))
    return db.execute(wanted.order_by(ImportBatch.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))).scalars().all()


def find(scope: Scope, db: Session, id: int) -> ImportBatch | None:
    """One import of the caller, or whose undoing they have asked for; None for one that is not there or somebody else's."""
    undoing = select(Job.id).where(Job.actor_id == scope.me, Job.kind == UNDO)
    mine = or_(ImportBatch.owner_id == scope.me, ImportBatch.job_id.in_(undoing))
    return db.execute(select(ImportBatch).where(ImportBatch.id == id, mine)).scalars().first()


def stalled(db: Session, rows: Sequence[ImportBatch]) -> dict[int, Note]:
    """Import -> why it stands still, and what its user can do: its job has failed, was cancelled or is gone.

    A job whose worker died is taken over by another one, so it is no reason.
    """
    at_work = {row.id: row for row in rows if _step(db, row) is not None}
    asked = select(Job).where(Job.id.in_([row.job_id for row in at_work.values()]))
    jobs = {job.id: job for job in db.execute(asked).scalars()} if at_work else {}
    found = {id: jobs.get(row.job_id or 0) for id, row in at_work.items()}
    return {id: _why(job) for id, job in found.items() if job is None or job.state not in _ALIVE}


def are_rows_gone(row: ImportBatch, now: datetime) -> bool:
    """Whether an import ended so long ago that its rows and its file are deleted, or will be within the hour."""
    return row.state in ENDED and row.ended_at is not None and row.ended_at <= now - KEPT


def came_before(scope: Scope, db: Session, row: ImportBatch) -> list[Earlier]:
    """Imports of the same file for the same target that have written records, the newest first."""
    b = ImportBatch
    same = (b.owner_id == scope.me, b.file_hash == row.file_hash, b.target == row.target, b.id != row.id)
    written = b.confirmed_at.is_not(None) & (b.state != ImportState.UNDONE)
    found = db.execute(select(b.id, b.confirmed_at, b.rows).where(*same, written).order_by(b.id.desc()))
    return [Earlier(id, at, rows) for id, at, rows in found if at is not None]


def own(scope: Scope, db: Session, id: int) -> ImportBatch:
    """An import of the caller.  Raises NotFound."""
    row = find(scope, db, id)
    if row is None:
        raise NotFound(what=IMPORT, record_id=global_id(ImportBatch, id) if id else None)
    return row


def locked(scope: Scope, db: Session, id: int) -> ImportBatch:
    """The same, locked, so that nobody takes another step and no chunk of a job is done meanwhile.  Raises NotFound."""
    row = own(scope, db, id)
    db.refresh(row, with_for_update=True)
    return row


def choices_of(row: ImportBatch) -> Choices:
    """How its file is read."""
    known = {field.name for field in fields(Choices)}
    return Choices(**{key: value for key, value in row.choices.items() if key in known})


# --- steps -----------------------------------------------------------------------------------------------


def allowed(scope: Scope, target: str) -> Target:
    found = target_of(target)
    scope.allow("import", found.model.module)
    return found


def _check_room(scope: Scope, db: Session) -> None:
    waiting = select(func.count()).select_from(ImportBatch).where(ImportBatch.owner_id == scope.me)
    if db.execute(waiting.where(ImportBatch.state.not_in(ENDED))).scalar_one() >= MAX_OPEN:
        raise Validation(
            f"You have {MAX_OPEN} imports that are not finished; finish or cancel one first.",
            f"您已有 {MAX_OPEN} 个未完成的导入，请先完成或取消一个。",
        )


def _step(db: Session, row: ImportBatch) -> str | None:
    """The kind of jobs that has to do something about an import; None where its user, or nobody, has."""
    if row.returned is not None:
        return RETURN
    if row.state is ImportState.CHECKED:
        if row.options.get(FIXES):
            return CHECK
        edited = select(ImportRow.number).where(ImportRow.batch_id == row.id, ImportRow.state == RowState.STAGED)
        return CHECK if db.execute(edited.limit(1)).first() else None
    return _STEPS.get(row.state)


_STEPS = {
    ImportState.UPLOADED: READ,
    ImportState.MAPPED: CHECK,
    ImportState.APPLYING: APPLY,
    ImportState.UNDOING: UNDO,
}
_ALIVE = (JobState.WAITING, JobState.RUNNING)


def _why(job: Job | None) -> Note:
    if job is None or not job.error or not job.error_zh:
        return Note("It was stopped before it was finished. You can let it go on.", "任务在完成前已停止，可选择继续。")
    return Note(f"{job.error} You can let it go on.", f"{job.error_zh}处理后可选择继续。")


def give_up_return(scope: Scope, row: ImportBatch) -> None:
    """Take no more corrections of the file that came back, if one did; it is deleted."""
    if row.returned is not None:
        name, files = row.returned.partition(".")[0], scope.backend.files
        scope.after_commit(lambda: files.delete_all(name))
        row.returned = None


def _return_again(scope: Scope, db: Session, row: ImportBatch) -> None:
    """Compare a corrected file anew; one of which too little is known is given up, and may be sent again."""
    job = db.get(Job, row.job_id) if row.job_id is not None else None
    if job is None or job.arguments.get("file") != row.returned:
        give_up_return(scope, row)
        return
    row.job_id = scope.later(RETURN, dict(job.arguments), order_key=f"import:{row.id}")


def enqueue(scope: Scope, row: ImportBatch, kind: str) -> None:
    """Let a job do the next step of an import, as it is now."""
    row.job_id = scope.later(kind, {"import": row.id, "version": row.version}, order_key=f"import:{row.id}")


def reading_of(row: ImportBatch) -> str:
    """What tells the readings of one file apart: a hash of its user's choices."""
    return blake2b(orjson.dumps(row.choices, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()


def plain_name(file_name: str) -> str:
    """The name of a file without folders and without what cannot be printed, as short as a line."""
    name = "".join(x for x in file_name.replace("\\", "/").rsplit("/", 1)[-1][-200:] if x.isprintable())
    return line(name, "file_name") or "–"


def log(scope: Scope, db: Session, row: ImportBatch, changes: Mapping[str, Any]) -> None:
    """Log a step of an import.  The entry is about no record, so that readers of the log alone see it."""
    write_row(
        db,
        entry(db.info["signature"], scope.now(), ImportBatch.__tablename__, None, dict(changes), label=row.file_name),
    )


def stored_name(kind: str) -> str:
    """A name for a file that comes in; `kind` is its ending, like xlsx."""
    return f"{FileStore.new_name()}.{kind}"
