"""Housekeeping: jobs, events and notices that have served their purpose are deleted, before tables grow without end."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models import Event, Job, Notice, SensitiveRead
from models.notice import KEPT as NOTICES_KEPT

from ..runtime.scope import Scope
from .kinds import Progress, Work

KEPT = timedelta(days=30)
"""How long jobs that ended are kept."""
EVENTS_KEPT = timedelta(days=2)
"""How long events are kept.  Listeners have read them within a second; more of them only fill the table."""
_JOBS: Any = Job.__table__
_EVENTS: Any = Event.__table__
_NOTICES: Any = Notice.__table__
_READS: Any = SensitiveRead.__table__
READS_KEPT = timedelta(days=365)
"""How long it is known who saw whose phone."""


def tidy(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete jobs that ended, events and notices, each after its time.

    The newest job of each schedule stays: it says which moments have become jobs.
    """
    before = scope.now() - KEPT
    other = _JOBS.alias("other")
    newest = select(func.max(other.c.slot)).where(other.c.kind == _JOBS.c.kind).scalar_subquery()
    is_spare = (_JOBS.c.slot.is_(None)) | (_JOBS.c.slot < newest)
    jobs = select(_JOBS.c.id).where(_JOBS.c.ended_at < before, is_spare).limit(work.size)
    events = (
        select(_EVENTS.c.id).where(_EVENTS.c.at < scope.now() - EVENTS_KEPT).order_by(_EVENTS.c.id).limit(work.size)
    )
    gone = 0
    notices = select(_NOTICES.c.id).where(_NOTICES.c.at < scope.now() - NOTICES_KEPT).limit(work.size)
    reads = select(_READS.c.id).where(_READS.c.at < scope.now() - READS_KEPT).limit(work.size)
    for table, ids in ((_JOBS, jobs), (_EVENTS, events), (_NOTICES, notices), (_READS, reads)):
        found = list(db.execute(ids).scalars())
        db.execute(delete(table).where(table.c.id.in_(found)))
        gone += len(found)
    return Progress(position=work.position + gone, done=gone, more=gone > 0)
