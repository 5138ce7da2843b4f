"""Bulk changes and their undoing, carried out in the background, and forgotten when their time is over."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.bulk import changing, housekeeping
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job


def _found(scope: Scope, work: Work) -> None:
    changing.prepare(scope, work.arguments["change"], work.memory)


# Everybody may see their own jobs; the right to edit, which each kind of record has, is asked for in every record.
@job("job.view", en="Bulk change", zh="批量修改", ready=_found)
def change_in_bulk(scope: Scope, db: Session, work: Work) -> Progress:
    """Change the next records of a bulk change, or undo them."""
    return changing.carry_on(scope, db, work.arguments["change"], work.size, work.memory)


@job(
    "system.tidy",
    en="Clean-up of bulk changes",
    zh="清理批量修改记录",
    schedule=Every(timedelta(hours=1), catches_up=False),
)
def expire_bulk_changes(scope: Scope, db: Session, work: Work) -> Progress:
    """Forget bulk changes that ended long ago."""
    return housekeeping.expire(scope, db, work)
