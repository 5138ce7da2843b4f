"""Schedules: each moment is one job, whatever looks at the clock, and what was missed is made up for."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from models import Job
from models.job import JobState
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import MAX_BACKFILL, Daily, Every, missed
from resolvers.runtime.scope import Scope
from tasks.engine import Engine
from tests.support.jobs import Jobs
from tests.support.world import World

MINUTE = Every(timedelta(minutes=1))
HALF_PAST_TWO = Daily(time(2, 30))


@pytest.fixture
def fired(world: World, jobs: Jobs) -> list[str]:
    """Who ran the minutely job, once for each run."""
    runs: list[str] = []

    def tick(scope: Scope, _db: Session, _work: Work) -> Progress:
        runs.append(scope.person.name)
        return Progress(0, 1, more=False)

    jobs.declare("tick", tick, "system.tidy", schedule=MINUTE)
    return runs


def slots(world: World) -> list[datetime]:
    return [row["slot"] for row in world.rows(Job, Job.__table__.c.kind == "tick")]


def test_a_schedule_fires_once_for_each_moment_and_makes_up_for_what_was_missed(
    world: World, jobs: Jobs, fired: list[str]
) -> None:
    first = world.clock.now
    jobs.run_due()
    jobs.run_due("another")
    assert slots(world) == [first], "the newest moment alone, the first time"
    world.clock.pass_by(minutes=3, seconds=20)
    jobs.run_due()
    jobs.run_due("another")
    assert slots(world) == [first + timedelta(minutes=n) for n in range(4)]
    assert fired == ["system:tick"] * 4
    assert {row["state"] for row in world.rows(Job)} == {JobState.DONE}


def test_an_engine_that_goes_on_fires_at_the_next_moment(world: World, jobs: Jobs, fired: list[str]) -> None:
    engine = Engine(world.backend, "w0")
    for _ in range(5):
        engine.run_due()
        world.clock.pass_by(seconds=30)
    assert len(slots(world)) == len(fired) == 3


def test_of_many_engines_that_look_at_once_one_fires(world: World, jobs: Jobs, fired: list[str]) -> None:
    jobs.run_due()
    world.clock.pass_by(minutes=5)
    engines = [Engine(world.backend, f"w{n}") for n in range(4)]
    threads = [threading.Thread(target=engine.fire) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slots(world)) == len({*slots(world)}) == 6
    jobs.run_due()
    assert len(fired) == 6


def test_a_long_absence_is_made_up_for_within_bounds() -> None:
    now = datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)
    found = missed(MINUTE, now - timedelta(days=7), now, ZoneInfo("UTC"))
    assert len(found) == MAX_BACKFILL
    assert found[-1] == now.replace(second=0)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        ("Europe/Berlin", date(2026, 10, 25), ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
        ("Asia/Shanghai", date(2028, 2, 29), ["2028-02-27T18:30", "2028-02-28T18:30", "2028-02-29T18:30"]),
    ],
)
def test_a_daily_job_is_due_once_a_day_also_when_clocks_change(zone: str, day: date, expected: list[str]) -> None:
    at = ZoneInfo(zone)
    start = datetime.combine(day - timedelta(days=1), time(), at).astimezone(UTC) - timedelta(minutes=1)
    found = missed(HALF_PAST_TWO, start, start + timedelta(days=3), at)
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in found] == expected
    assert [HALF_PAST_TWO.last(moment, at) for moment in found] == found
