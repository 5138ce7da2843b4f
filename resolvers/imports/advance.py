"""How far an import is, and what it would do: for the pages and queries that show it.  Reads alone."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow, Job
from models.import_batch import ImportMode, ImportState, Overwrite, RowState
from models.job import JobState

from ..runtime.scope import Scope
from .applying import counts
from .date_columns import Order
from .mapping import Plan

_LEAST = timedelta(seconds=2)
"""Time after which a rate says something."""
WRITTEN = (RowState.CREATED, RowState.UPDATED)
UNDOING = (*WRITTEN, RowState.UNDONE, RowState.KEPT)


@dataclass(frozen=True)
class Advance:
    """How far the job of the present step is.

    `done` of `total` rows; `total` is None while it is not known.  `per_second` and `seconds_left` are None until a rate
    is known.  `job`: the state of the job, None for an import without one.  `error`: English and Chinese, why it stopped.
    """

    done: int
    total: int | None
    per_second: float | None = None
    seconds_left: int | None = None
    job: JobState | None = None
    job_id: int | None = None
    error: tuple[str, str] | None = None


@dataclass(frozen=True)
class Outlook:
    """What a confirmation would do: numbers of rows."""

    created: int
    changed: int
    behind: int
    skipped: int

    @property
    def good(self) -> int:
        return self.created + self.changed


def advance(scope: Scope, db: Session, batch: ImportBatch) -> Advance:
    """How far the job of an import is.  Two statements; rows are counted only until a job has done its first chunk."""
    job = db.get(Job, batch.job_id) if batch.job_id is not None else None
    if job is None:
        return Advance(0, None)
    total = _total(db, batch, job)
    done = job.done + job.failed if total is None else min(total, job.done + job.failed)
    error = (job.error, job.error_zh or job.error) if job.error and job.ended_at is not None else None
    rate, left = _rate(scope, job, done, total)
    return Advance(done, total, rate, left, job.state, job.id, error)


def outlook(_scope: Scope, db: Session, batch: ImportBatch) -> Outlook:
    """What a confirmation of a checked import would do.  One statement."""
    r = ImportRow.__table__.c
    asked = select(r.state, r.record_id.is_(None), func.count()).where(r.batch_id == batch.id)
    found = {(RowState(state), bool(is_new)): n for state, is_new, n in db.execute(asked.group_by(r.state, r.record_id.is_(None)))}  # fmt: skip

    def of(*states: RowState) -> int:
        return sum(n for (state, _), n in found.items() if state in states)

    return Outlook(
        found.get((RowState.GOOD, True), 0),
        found.get((RowState.GOOD, False), 0),
        of(RowState.BAD, RowState.STAGED),
        of(RowState.SKIPPED),
    )


def plan_of(batch: ImportBatch) -> Plan:
    """What its user chose last, to choose it again with a change."""
    options = batch.options
    return Plan(
        {int(place): key for place, key in (batch.mapping or {}).items()},
        batch.mode or ImportMode.INSERT,
        tuple(options.get("key") or ()),
        dict(options.get("given") or {}),
        {int(place): Order(order) for place, order in (options.get("dates") or {}).items()},
        {key: Overwrite(how) for key, how in (options.get("overwrite") or {}).items()},
        clears=bool(options.get("clears")),
        reason=options.get("reason"),
        creates_customers=bool(options.get("creates_customers")),
    )


# --- steps -----------------------------------------------------------------------------------------------


def _total(db: Session, batch: ImportBatch, job: Job) -> int | None:
    """Number of rows with which the job of the present step deals."""
    if batch.state is ImportState.UPLOADED:
        return (batch.overview or {}).get("rows")
    if batch.state is ImportState.APPLYING:
        return job.total if job.total is not None else job.done + job.failed + counts(db, batch).get(RowState.GOOD, 0)
    if batch.state is ImportState.UNDOING:
        if job.total is not None:
            return job.total
        found = counts(db, batch)
        return sum(found.get(state, 0) for state in UNDOING)
    return batch.rows


def _rate(scope: Scope, job: Job, done: int, total: int | None) -> tuple[float | None, int | None]:
    """(rows in a second, seconds that are left)."""
    if job.state is not JobState.RUNNING or job.started_at is None or not done:
        return None, None
    spent = scope.now() - job.started_at
    if spent < _LEAST:
        return None, None
    rate = done / spent.total_seconds()
    return rate, None if total is None else round((total - done) / rate)
