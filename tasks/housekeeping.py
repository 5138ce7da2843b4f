"""Housekeeping every night."""

from datetime import time

from sqlalchemy.orm import Session

from resolvers.jobs import housekeeping
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Daily
from resolvers.runtime.scope import Scope

from . import job


@job("system.tidy", en="Housekeeping", zh="日常清理", schedule=Daily(time(3, 30)))
def tidy(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete old jobs, events and notices."""
    return housekeeping.tidy(scope, db, work)
