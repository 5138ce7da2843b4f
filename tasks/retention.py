"""Retention of pools, every five minutes."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.pool import retention
from resolvers.runtime.scope import Scope

from . import job


@job(
    "customer.move",
    en="Retention of pools",
    zh="公海到期处理",
    schedule=Every(timedelta(minutes=5), catches_up=False),
    role="pool",
)
def act_on_retention(scope: Scope, db: Session, work: Work) -> Progress:
    """Act on customers whose days in a pool are over, and remind its administrators."""
    return retention.act(scope, db, work)
