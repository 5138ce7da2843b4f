"""Locks that end by themselves are lifted, and their owners told."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.customers import lock
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job


@job(
    "customer.unlock",
    en="Locks that have ended",
    zh="锁定到期处理",
    schedule=Every(timedelta(minutes=1), catches_up=False),
    role="pool",
)
def lift_expired_locks(scope: Scope, db: Session, work: Work) -> Progress:
    """Open customers whose lock has ended, and tell their owners."""
    done = lock.lift_expired(scope, db, work.size)
    return Progress(work.position + done, done=done, more=done == work.size)
