"""Housekeeping: what is old is deleted, and no more than that."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from models import Event, Job, Notice
from models.notice import KEPT as NOTICES_KEPT
from resolvers.jobs.housekeeping import KEPT
from resolvers.jobs.schedules import Every
from tasks.housekeeping import tidy
from tests.support.jobs import Jobs, enqueue
from tests.support.world import World


@pytest.mark.parametrize("count", [1, 50])
def test_old_jobs_and_events_are_deleted_and_schedules_know_their_moments_still(
    world: World, jobs: Jobs, count: int
) -> None:
    jobs.declare("tick", lambda *_: jobs.nothing, "system.tidy", schedule=Every(timedelta(minutes=1)))
    for _ in range(2):
        jobs.run_due()
        world.clock.pass_by(minutes=1)
    old = [jobs.enqueue("remark", {"remark": "x"}) for _ in range(count)]
    jobs.run_due()
    waiting = jobs.enqueue("of_tomorrow")
    newest_tick = max(row["id"] for row in world.rows(Job, Job.__table__.c.kind == "tick"))
    with world.backend.writer.engine.begin() as connection:
        connection.execute(insert(Event.__table__), {"at": world.clock.now, "topic": "t", "action": "a"})
        connection.execute(update(Job.__table__).values(created_at=world.clock.now))
    del jobs.kinds["tick"]
    world.clock.now += KEPT + timedelta(seconds=1)
    young = jobs.enqueue("remark", {"remark": "young"})
    jobs.run_due()
    jobs.declare("tidy", tidy, "system.tidy")

    world.system.do(enqueue, "tidy")
    jobs.run_due()

    left = [row["id"] for row in world.rows(Job, Job.__table__.c.kind != "tidy")]
    assert left == [newest_tick, waiting, young]
    assert not set(left) & set(old)
    assert world.count(Event) == 1  # that of the young job's end
    assert world.count(Notice) == count + 1  # of the jobs that users enqueued; younger than half a year

    world.clock.now += NOTICES_KEPT + timedelta(seconds=1)
    world.system.do(enqueue, "tidy")
    jobs.run_due()
    assert world.count(Notice) == 0
