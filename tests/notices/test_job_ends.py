"""The end of a job is told to who started it, in the transaction in which it ends."""

import pytest

from resolvers.jobs import control
from resolvers.jobs.kinds import Progress
from tests.notices.conftest import Inbox
from tests.support.jobs import Jobs
from tests.support.world import World


@pytest.fixture
def jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    return Jobs(world, monkeypatch)


def test_a_user_is_told_that_their_job_is_done_or_has_failed(world: World, jobs: Jobs, inbox_of: Inbox) -> None:
    jobs.declare("count", lambda *_: Progress(1, 3, 1, more=False))
    jobs.declare("secret", lambda *_: Progress(0, more=False), "customer.purge")  # which Li may not do
    for kind in ("count", "secret"):
        jobs.enqueue(kind)
    jobs.run_due()

    assert [(x.kind.key, x.text) for x in inbox_of("li")] == [
        ("job_failed", "Done before: 0. Refused: 0."),
        ("job_ended", "Done: 3. Refused: 1."),
    ]


def test_one_who_cancels_a_job_is_not_told_of_it(world: World, jobs: Jobs, inbox_of: Inbox) -> None:
    jobs.declare("count", lambda *_: Progress(1, 3, more=False))
    world.li.do(control.cancel, jobs.enqueue("count"))
    jobs.run_due()

    assert inbox_of("li") == []
