"""What users do with jobs: look at them, cancel, resume and try again.  A user sees their own, unless a line says more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Job
from models.audit.entries import entry
from models.audit.recording import write_row
from models.errors import Forbidden, JobEnded, JobNotCancelled, JobNotFailed, NotFound
from models.job import JobState
from models.names import OF_MODULE, Names
from policies import Facts

from ..runtime.enqueue import wake
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from .kinds import KINDS

LARGEST_PAGE = 100
NAMES = OF_MODULE["job"]


def name_of(kind: str) -> Names:
    """What a job of this kind is called; “Job” for a kind that this version does not know."""
    return KINDS[kind].names if kind in KINDS else NAMES


# --- looking ---------------------------------------------------------------------------------------------


def jobs(
    scope: Scope,
    db: Session,
    *,
    states: Sequence[JobState] = (),
    before: int | None = None,
    first: int = 50,
    ids: Sequence[int] | None = None,
) -> list[Job]:
    """A page of at most LARGEST_PAGE jobs, newest first.  `before` is the id of the last job on the previous page.

    `ids`: only these.
    """
    wanted = _visible(scope)
    if states:
        wanted = wanted.where(Job.state.in_(states))
    if before is not None:
        wanted = wanted.where(Job.id < before)
    if ids is not None:
        wanted = wanted.where(Job.id.in_(ids))
    return list(db.execute(wanted.order_by(Job.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))).scalars())


def job(scope: Scope, db: Session, id: int) -> Job | None:
    """One job; None for one that is not there, or that the caller may not see."""
    return db.execute(_visible(scope).where(Job.id == id)).scalars().first()


def may_change(scope: Scope, row: Job) -> bool:
    """Whether the caller may cancel, resume and try this job again."""
    return scope.policy.may(scope.person, "edit", "job", Facts(owner_id=row.actor_id))


def _visible(scope: Scope) -> Any:
    return select(Job).where(scope.policy.where(scope.person, "view", Job))


# --- acting ----------------------------------------------------------------------------------------------


def cancel(scope: Scope, id: int) -> None:
    """End a job that waits, and have one that runs end before its next chunk.  What was done stays done.

    Raises NotFound, Forbidden, JobEnded.
    """
    with scope.write("job.cancel") as db:
        row = _locked(scope, db, id)
        if row.state == JobState.WAITING:
            _change(scope, db, row, state=JobState.CANCELLED, ended_at=scope.now(), stopping=False)
        elif row.state == JobState.RUNNING:
            _change(scope, db, row, stopping=True)
        else:
            raise JobEnded


def resume(scope: Scope, id: int) -> None:
    """Let a job that was cancelled go on where it stopped.  Raises NotFound, Forbidden, JobNotCancelled."""
    with scope.write("job.resume") as db:
        row = _locked(scope, db, id)
        if row.state != JobState.CANCELLED:
            raise JobNotCancelled
        _let_wait(scope, db, row)


def retry(scope: Scope, id: int) -> None:
    """Try a job that failed again, from where it failed.  Raises NotFound, Forbidden, JobNotFailed."""
    with scope.write("job.retry") as db:
        row = _locked(scope, db, id)
        if row.state != JobState.FAILED:
            raise JobNotFailed
        _let_wait(scope, db, row)


def _let_wait(scope: Scope, db: Session, row: Job) -> None:
    clean = dict.fromkeys(("ended_at", "error_code", "error", "error_zh"))
    _change(scope, db, row, state=JobState.WAITING, due_at=scope.now(), tries=0, stopping=False, **clean)
    wake(db.connection())


def _locked(scope: Scope, db: Session, id: int) -> Job:
    """The job, locked, which the caller may change."""
    row: Job | None = db.execute(_visible(scope).where(Job.id == id).with_for_update()).scalars().first()
    if row is None:
        raise scope.denied(NotFound(what=NAMES), None, id, "view", module="job")
    if not may_change(scope, row):
        raise scope.denied(Forbidden(action="job.edit"), None, id, "edit", module="job")
    return row


def _change(scope: Scope, db: Session, row: Job, **values: Any) -> None:
    """Change the job, with a line in the operation log."""
    changes: dict[str, list[Any]] = {}
    if (state := values.get("state")) is not None:
        changes["state"] = [row.state.value, state.value]
    for key, value in values.items():
        setattr(row, key, value)
    label = f"{name_of(row.kind).one} ({global_id(Job, row.id)})"
    write_row(db, entry(db.info["signature"], scope.now(), Job.__tablename__, row.id, changes, label=label))
