"""Release rules in tests: rules in force, the jobs of the clock, and what became of customers."""

from collections.abc import Sequence
from typing import Any

from models import Job, ReleaseRule
from models.job import JobState
from resolvers.jobs.kinds import KINDS
from resolvers.pool import release_forecast, release_rules
from tasks import expiring_locks, releasing
from tasks.engine import Engine
from tests.support.world import World

_DECLARED = (expiring_locks, releasing)


def release_rule(world: World, pool: str = "north", *, on: bool = True, **values: Any) -> int:
    """The id of a release rule, rehearsed and in force: 30 days without follow-up, for all customers, unless others."""
    given = {"name": "Neglected", "days": 30, "everybody": True, **values}
    id = world.make(ReleaseRule, pool_id=world.ids[pool], **given)
    if on:
        put_on(world, id)
    return id


def put_on(world: World, id: int, by: str = "ada") -> None:
    """Rehearse a rule and switch it on, and have the dates computed."""
    preview = world.run(release_forecast.rehearse(world.scope(by), id))
    world.scope(by).do(release_rules.note_rehearsal, id, preview.terms)
    world.scope(by).do(release_rules.switch, id, on=True)
    run_clock(world)


CLOCK = ("lift_expired_locks", "release_due_customers", "remind_of_releases", "renew_release_dates")


def run_clock(world: World, jobs: Sequence[str] = CLOCK) -> None:
    """Run the jobs of releases, or these of them, that are due at the moment of the world's clock."""
    others = {name: kind for name, kind in KINDS.items() if name not in jobs}
    for name in others:
        del KINDS[name]
    try:
        Engine(world.backend, "w0").run_due(1_000)
    finally:
        KINDS.update(others)
    broken = [row for row in world.rows(Job) if row["state"] == JobState.FAILED]
    assert broken == [], [row["error"] for row in broken]
