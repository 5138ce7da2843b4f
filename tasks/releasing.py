"""The clock of the pools: neglected customers go back, owners are told before, dates follow the rules."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Daily, Every
from resolvers.pool import release_clock, release_neglected
from resolvers.runtime.scope import Scope

from . import job

_EVERY_MINUTE, _NOW_AND_THEN = (Every(timedelta(minutes=n), catches_up=False) for n in (1, 5))


@job("customer.release", en="Release of neglected customers", zh="自动回收客户", schedule=_EVERY_MINUTE, role="pool")
def release_due_customers(scope: Scope, db: Session, work: Work) -> Progress:
    """Put the customers whose release date has come into their pools."""
    done = release_neglected.release_neglected(scope, db, work.size)
    return Progress(work.position + done, done=done, more=done == work.size)


@job("customer.edit", en="Reminders of releases", zh="回收提醒", schedule=_NOW_AND_THEN, role="pool")
def remind_of_releases(scope: Scope, db: Session, work: Work) -> Progress:
    """Tell owners of the releases that are coming."""
    done = release_clock.remind(scope, db, work.size)
    return Progress(work.position + done, done=done, more=done == work.size)


@job("customer.edit", en="Release dates", zh="计算回收日期", role="pool")
def renew_release_dates(scope: Scope, db: Session, work: Work) -> Progress:
    """Compute all release dates, after a rule, a pool, a seat or the calendar has changed."""
    last, done = release_clock.renew_next(scope, db, work.position, work.size)
    return Progress(last or work.position, done=done, more=done == work.size)


@job(
    "customer.edit",
    en="Nightly check of release dates",
    zh="回收日期夜间核对",
    schedule=Daily(time(2, 30), catches_up=False),
    role="pool",
)
def check_release_dates(scope: Scope, db: Session, work: Work) -> Progress:
    """The same every night, because roles that end change who sits in which pool."""
    if work.position == 0:
        release_clock.begin_check(scope, db)
    last, done = release_clock.renew_next(scope, db, work.position, work.size)
    return Progress(last or work.position, done=done, more=done == work.size)
