"""Telling users that a background job of theirs has ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, select
from sqlalchemy.orm import Session

from models import Job
from models.database.prepared import Prepared
from models.job import JobState

from ..jobs.queue import WHEN_ENDED
from .notify import notify_of_job

_JOBS: Any = Job.__table__
_ENDED = Prepared(
    select(_JOBS.c.kind, _JOBS.c.actor_id, _JOBS.c.state, _JOBS.c.done, _JOBS.c.failed).where(
        _JOBS.c.id == bindparam("job", type_=Integer())
    )
)


SAYS_MORE = frozenset({"change_in_bulk"})
"""Kinds of jobs that tell by themselves what they came to."""


def tell_actor(at: Session | Connection, job: int, now: datetime) -> None:
    """Tell who started a job that it is done or has failed; one who has cancelled it knows."""
    found = _ENDED.first(at, job=job)
    if found is None:
        return
    kind, actor_id, state, done, failed = found
    if actor_id is not None and state != JobState.CANCELLED:
        notice = "job_failed" if state == JobState.FAILED else "job_ended"
        if notice == "job_ended" and kind in SAYS_MORE:
            return
        notify_of_job(at, notice, actor_id, now, job=kind, done=done, failed=failed)


WHEN_ENDED.append(tell_actor)
