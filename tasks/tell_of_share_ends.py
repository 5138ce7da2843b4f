"""Notices about the ends of shares, every minute."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.customers import share_ending
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job


@job("customer.share", en="Ends of shares", zh="共享到期提醒", schedule=Every(timedelta(minutes=1), catches_up=False))
def tell_of_share_ends(scope: Scope, db: Session, work: Work) -> Progress:
    """Tell users that what is shared with them ends soon, or has ended."""
    done = share_ending.tell_of_ends(scope, db, work.size)
    return Progress(work.position + done, done, more=done == work.size)
