"""Exports, written in the background, and deleted when their time is over."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.exports import housekeeping, writing
from resolvers.exports.writing import Part
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job
from .workbooks import book_for


def _prepared(scope: Scope, work: Work) -> Part:
    return writing.prepare(scope, work.arguments["export"], work.position, work.size, work.memory, book_for)


# Everybody may see their own jobs; the right to export, which each kind of record has, is asked for in each chunk.
@job("job.view", en="Export", zh="导出", ready=_prepared)
def export_records(scope: Scope, db: Session, work: Work) -> Progress:
    """Write the next rows of an export, or finish its file."""
    return writing.take(scope, db, work.arguments["export"], work.position, work.prepared)


@job("system.tidy", en="Clean-up of exports", zh="清理导出文件", schedule=Every(timedelta(hours=1), catches_up=False))
def expire_exports(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete files that were kept long enough."""
    return housekeeping.expire(scope, db, work)
