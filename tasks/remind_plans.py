"""Reminders of plans, every minute."""

from datetime import timedelta

from sqlalchemy.orm import Session

from resolvers.customers import plan_reminders
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job


@job("plan.edit", en="Reminders of plans", zh="计划提醒", schedule=Every(timedelta(minutes=1), catches_up=False))
def remind_plans(scope: Scope, db: Session, work: Work) -> Progress:
    """Tell owners of plans that are due soon, or overdue."""
    done = plan_reminders.remind_plans(scope, db, work.size)
    return Progress(work.position + done, done, more=done == work.size)
