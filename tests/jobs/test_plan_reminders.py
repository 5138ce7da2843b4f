"""Reminders of plans: once before a plan is due, once when it is forgotten, never after it has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Organisation
from models.notice import Notice
from resolvers.customers import plans
from resolvers.jobs.schedules import Every
from resolvers.records import create_update
from tasks.remind_plans import remind_plans
from tests.customers.test_plans import planned
from tests.support.jobs import Jobs
from tests.support.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def reminders(world: World, jobs: Jobs) -> list[tuple[str, int]]:
    """Run the job, and return (kind, receiver) of every notice about plans."""
    jobs.run_due()
    found = world.rows(Notice, Notice.kind.in_(("plan_due", "plan_overdue")))
    return [(row["kind"], row["receiver_id"]) for row in found]


@pytest.fixture
def clock(jobs: Jobs) -> Jobs:
    """The job of plans, on its schedule."""
    jobs.declare("remind_plans", remind_plans, "plan.edit", schedule=Every(timedelta(minutes=1)))
    return jobs


def test_n28_a_reminder_comes_once_before_the_plan_and_none_after_completion(world: World, clock: Jobs) -> None:
    """Due at 10:00 in Warsaw on the day when its clocks go back, 15 minutes before; completed at 9:50."""
    world.ada.do(create_update.update, Organisation, 1, {"time_zone": "Europe/Warsaw"})
    world.clock.now = datetime(2027, 10, 30, 12, 0, tzinfo=UTC)
    due = datetime(2027, 10, 31, 9, 0, tzinfo=UTC)  # 10:00 after the change
    customer = world.customer(owner="li")
    plan = planned(world, customer, ahead=due - world.clock.now)
    reminders(world, clock)

    world.clock.now = due - timedelta(minutes=16)
    assert reminders(world, clock) == []
    world.clock.now = due - timedelta(minutes=15)
    assert reminders(world, clock) == [("plan_due", world.ids["li"])]
    world.clock.now = due - timedelta(minutes=12)
    assert len(reminders(world, clock)) == 1
    world.clock.now = due - timedelta(minutes=10)
    world.li.do(plans.complete, plan, {"content": "They called"})
    world.clock.now = due + DAY

    assert len(reminders(world, clock)) == 1


def test_a_forgotten_plan_is_told_of_once_more_and_one_put_off_anew(world: World, clock: Jobs) -> None:
    li, customer = world.ids["li"], world.customer(owner="li")
    plan = planned(world, customer, ahead=HOUR)
    planned(world, customer, ahead=HOUR, remind_minutes=None)
    world.clock.pass_by(minutes=50)
    assert reminders(world, clock) == [("plan_due", li)]
    world.li.do(plans.reschedule, plan, world.clock.now + 2 * HOUR)
    world.clock.pass_by(minutes=100)
    assert reminders(world, clock) == [("plan_due", li)]
    world.clock.pass_by(minutes=10)
    assert reminders(world, clock) == [("plan_due", li)] * 2
    world.clock.pass_by(hours=2)
    assert reminders(world, clock)[2:] == [("plan_overdue", li)]
    world.clock.pass_by(days=2)
    assert len(reminders(world, clock)) == 3
