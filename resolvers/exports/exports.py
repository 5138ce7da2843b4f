"""Use cases of exports: ask for one, look at one's own, cancel, delete and download them.

An export belongs to its maker: for everybody else it is not there.  The right `export` of the kind of record is asked
for when it begins, at every chunk, and once more at each download.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry, Base, Export, Job, Organisation
from models.audit.entries import Changes, entry
from models.audit.recording import write_row
from models.errors import (
    ExportEnded,
    ExportExpired,
    ExportGone,
    JobEnded,
    NotExported,
    NotFound,
    NothingToExport,
    TooManyRecords,
    Validation,
)
from models.export import EXPORT, KEPT, ExportFormat, ExportRange, ExportState
from models.job import JobState

from ..jobs import control
from ..runtime.file_store import FileStore
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from . import reading
from .kinds import chosen_columns, exportable, seen_columns
from .listing import Listing
from .said import in_words

JOB = "export_records"
"""The kind of jobs that writes exports."""
REPORT = "Report"
"""What stands in place of a kind of records in an export of a report (`resolvers/reports/exporting.py`)."""
MAX_EXPORTS = 100
"""Maximum number of exports of one user that are not deleted."""
MAX_CHOSEN = 2_000
"""Maximum number of records in a selection."""
LARGEST_PAGE = 100
OPEN = (ExportState.WAITING, ExportState.RUNNING)
MEDIA = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.CSV: "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class Order:
    """What a user asks for.  `columns` are keys in the order of the file; none means all that the user sees."""

    model: type[Base]
    listing: Listing
    range: ExportRange
    columns: Sequence[str] = ()
    format: ExportFormat = ExportFormat.XLSX
    title: str = ""


@dataclass(frozen=True)
class Made:
    """An export as its maker gets it: its row and how far it is now."""

    row: Export
    state: ExportState
    error: tuple[str, str] | None = None
    """Why it failed, in English and Chinese."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True)
class Download:
    """A file to send: its name on the disk, the name that its reader gets, its media type and its size in bytes."""

    stored: str
    name: str
    media: str
    size: int


# --- asking for one --------------------------------------------------------------------------------------


def start(scope: Scope, order: Order, *, in_background: bool = True) -> int:
    """The id of a new export, which a job writes, or the caller itself (`writing.py`).

    Raises Forbidden, Validation, NothingToExport, TooManyRecords with the number of the organisation's limit.
    """
    with scope.write("user.exports") as db:
        scope.allow("export", order.model.module)
        _check(scope, db, order)
        keys = order.columns or [*seen_columns(scope, order.model)]
        columns = [column.key for column in chosen_columns(scope, order.model, keys)]
        names, now = order.model.names, scope.now()
        called = (names.zh_many or names.zh) if scope.language.startswith("zh") else names.many
        row = Export(
            owner_id=scope.me,
            entity=order.model.__name__,
            title=(order.title or called)[:100],
            range=order.range,
            listing=order.listing.stored(),
            said=in_words(scope, db, order.model, order.listing),
            columns=columns,
            format=order.format,
            language=scope.language[:8],
            state=ExportState.WAITING,
            file=FileStore.new_name(),
            created_at=now,
            expires_at=now + KEPT,
        )
        db.add(row)
        db.flush()
        if in_background:
            row.job_id = scope.later(JOB, {"export": row.id}, order_key=f"export:{scope.me}")
        return row.id


def _check(scope: Scope, db: Session, order: Order) -> None:
    refuse_too_many(scope, db)
    if order.range is ExportRange.SELECTION and not order.listing.ids:
        raise NothingToExport
    if len(order.listing.ids) > MAX_CHOSEN:
        raise Validation(
            f"At most {MAX_CHOSEN} records can be chosen one by one.", f"最多选择 {MAX_CHOSEN} 条记录。", field="ids"
        )
    limit = limit_of(db)
    if limit is not None and reading.count(scope, db, order.model, order.listing, limit + 1) > limit:
        raise TooManyRecords(limit=f"{limit:,}")


def refuse_too_many(scope: Scope, db: Session) -> None:
    """Raise Validation for a caller who keeps as many exports as one may."""
    kept = select(func.count()).select_from(Export).where(Export.owner_id == scope.me)
    if db.execute(kept.where(Export.state != ExportState.EXPIRED)).scalar_one() >= MAX_EXPORTS:
        raise Validation(
            f"You have {MAX_EXPORTS} exports; delete one first.", f"您已有 {MAX_EXPORTS} 个导出，请先删除一个。"
        )


def limit_of(db: Session) -> int | None:
    """The organisation's limit of the rows of one export; None for no limit."""
    return db.execute(select(Organisation.export_rows).limit(1)).scalar_one_or_none()


# --- looking ---------------------------------------------------------------------------------------------


def exports(
    scope: Scope, db: Session, *, before: int | None = None, first: int = 50, ids: Sequence[int] | None = None
) -> list[Made]:
    """The caller's own exports, newest first.  `before`: the id of the last one on the former page; `ids`: only these."""
    wanted = select(Export).where(Export.owner_id == scope.me)
    if before is not None:
        wanted = wanted.where(Export.id < before)
    if ids is not None:
        wanted = wanted.where(Export.id.in_(ids))
    rows = db.execute(wanted.order_by(Export.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))).scalars().all()
    jobs = _jobs(db, [row.job_id for row in rows if row.job_id is not None])
    return [_made(row, jobs.get(row.job_id or 0), scope.now()) for row in rows]


def export(scope: Scope, db: Session, id: int) -> Made | None:
    """One export of the caller; None for one that is not there or is somebody else's."""
    row = db.execute(select(Export).where(Export.id == id, Export.owner_id == scope.me)).scalars().first()
    if row is None:
        return None
    return _made(row, _jobs(db, [row.job_id or 0]).get(row.job_id or 0), scope.now())


def _jobs(db: Session, ids: Sequence[int]) -> dict[int, Job]:
    return {job.id: job for job in db.execute(select(Job).where(Job.id.in_(ids))).scalars()} if ids else {}


def _made(row: Export, job: Job | None, now: datetime) -> Made:
    """The export with the state of its job, as long as the job has not finished it."""
    if row.expires_at <= now:
        return Made(row, ExportState.EXPIRED)
    if row.state not in OPEN or row.job_id is None:
        return Made(row, row.state)
    if job is None:
        return Made(row, ExportState.FAILED)
    error = (job.error or "", job.error_zh or "") if job.error else None
    return Made(row, _STATES[job.state], error)


_STATES = {
    JobState.WAITING: ExportState.WAITING,
    JobState.RUNNING: ExportState.RUNNING,
    JobState.DONE: ExportState.DONE,
    JobState.FAILED: ExportState.FAILED,
    JobState.CANCELLED: ExportState.CANCELLED,
}


# --- acting ----------------------------------------------------------------------------------------------


def cancel(scope: Scope, id: int) -> None:
    """End an export; what is written of it is deleted with it.  Raises NotFound, ExportEnded."""
    with scope.write("user.exports") as db:
        row = own(scope, db, id)
        made = _made(row, _jobs(db, [row.job_id or 0]).get(row.job_id or 0), scope.now())
        if not made.is_open:
            raise ExportEnded
        if row.job_id is None:
            row.state, row.ended_at = ExportState.CANCELLED, scope.now()
            return
        try:
            control.cancel(scope, row.job_id)
        except JobEnded:
            raise ExportEnded from None


def delete(scope: Scope, id: int) -> None:
    """Delete an export with its file; one that is being written ends.  Raises NotFound."""
    with scope.write("user.drop_export") as db:
        row = own(scope, db, id)
        made = _made(row, _jobs(db, [row.job_id or 0]).get(row.job_id or 0), scope.now())
        if made.is_open and row.job_id is not None:
            control.cancel(scope, row.job_id)
        log_export(scope, db, row, {})
        delete_files(scope, row)
        db.delete(row)


def download(scope: Scope, id: int) -> Download:
    """The file of an export, for its maker alone.  Every download is logged.

    Raises NotFound, Forbidden where the right to export was taken away, NotExported, ExportExpired, ExportGone.
    """
    with scope.write("user.download") as db:
        row = own(scope, db, id)
        scope.allow("export", module_of(row))
        if row.expires_at <= scope.now() or row.state is ExportState.EXPIRED:
            raise ExportExpired(until=row.expires_at.astimezone(ZoneInfo(scope.person.zone or "UTC")))
        if row.state is not ExportState.DONE:
            raise NotExported
        stored = file_of(row)
        if not scope.backend.files.path(stored).exists():
            raise ExportGone
        row.downloads += 1
        log_export(scope, db, row, {"filter": [None, row.said], "rows": [None, row.done]})
        return Download(stored, name_of(row, scope.person.zone), MEDIA[row.format], row.size or 0)


def own(scope: Scope, db: Session, id: int) -> Export:
    """An export of the caller.  Raises NotFound."""
    row = db.execute(select(Export).where(Export.id == id, Export.owner_id == scope.me)).scalars().first()
    if row is None:
        raise NotFound(what=EXPORT, record_id=global_id(Export, id) if id else None)
    return row


def module_of(row: Export) -> str:
    """The module whose right `export` it asks for; the log's for a kind that this version does not know."""
    if row.entity == REPORT:
        return REPORT.lower()
    found = next((model for model in exportable() if model.__name__ == row.entity), AuditEntry)
    return found.module


def log_export(scope: Scope, db: Session, row: Export, changes: Changes) -> None:
    """Log what became of an export.  The entry is about no record, so that readers of the log alone see it."""
    write_row(db, entry(db.info["signature"], scope.now(), Export.__tablename__, None, changes, label=row.title))


def name_of(row: Export, zone: str) -> str:
    """The name of the file for its reader: `Customers 2026-11-29.xlsx`, `客户 2026-11-29.xlsx`."""
    day = row.created_at.astimezone(ZoneInfo(zone or "UTC")).date().isoformat()
    plain = re.sub(r'[\\/:*?"<>|\x00-\x1f\x7f]+', " ", row.title).strip(" .") or "Export"
    return f"{plain} {day}.{row.format.value.lower()}"


def file_of(row: Export) -> str:
    """The name of the finished file in the folder."""
    return f"{row.file}.{row.format.value.lower()}"


def delete_files(scope: Scope, row: Export) -> None:
    """Delete all files of an export, once the change is durable."""
    name, files = row.file, scope.backend.files
    scope.after_commit(lambda: files.delete_all(name))
