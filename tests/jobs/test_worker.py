"""The worker: threads that run what is due, find out by themselves, and let go when told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy.orm import Session

from models.job import JobState
from resolvers.jobs.kinds import Progress, Work
from resolvers.runtime.scope import Scope
from tasks import worker
from tasks.lookout import lookout
from tasks.worker import run_jobs
from tests.support.jobs import Jobs
from tests.support.world import World


@contextmanager
def working(world: World, threads: int = 1) -> Iterator[threading.Event]:
    """Threads that run jobs, and the event that stops them."""
    stopping = threading.Event()
    running = [threading.Thread(target=run_jobs, args=(world.backend, stopping)) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        for thread in running:
            thread.join(10)
    assert not any(thread.is_alive() for thread in running)


def until(is_so: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def test_a_job_that_is_enqueued_while_the_worker_is_idle_is_run_at_once(
    world: World, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 30)
    jobs.declare("note", lambda *_: Progress(0, 1, more=False))
    with working(world) as stopping:
        time.sleep(0.2)  # until it is idle
        job = jobs.enqueue("note")
        until(lambda: jobs.row(job)["state"] == JobState.DONE)
        stopping.set()
        if world.backend.dialect == "postgresql":
            jobs.enqueue("note")  # which wakes it: there a thread notices the end after its wait


def test_every_name_is_held_once_and_given_back(world: World) -> None:
    with closing(lookout(world.backend.url)) as first, closing(lookout(world.backend.url)) as second:
        assert {first.name, second.name} == {"w0", "w1"}
    with closing(lookout(world.backend.url)) as again:
        assert again.name == "w0"


def test_of_several_threads_each_job_has_one(world: World, jobs: Jobs) -> None:
    runs: list[int] = []

    def note(_scope: Scope, _db: Session, work: Work) -> Progress:
        runs.append(work.arguments["number"])
        return Progress(0, 1, more=False)

    jobs.declare("note", note)
    ids = [jobs.enqueue("note", {"number": number}) for number in range(20)]
    with working(world, threads=3):
        until(lambda: all(jobs.row(id)["state"] == JobState.DONE for id in ids))
    assert sorted(runs) == list(range(20))
    assert {jobs.row(id)["turn"] for id in ids} == {1}


def test_a_lookout_sees_what_is_due_and_what_was_left(world: World, jobs: Jobs) -> None:
    with closing(lookout(world.backend.url)) as at:
        assert not at.is_due(world.clock.now)
        job = jobs.enqueue("remark", {"remark": "x"})
        assert at.is_due(world.clock.now)
        jobs.take("someone else")
        assert not at.is_due(world.clock.now)
        world.clock.pass_by(seconds=11)
        assert at.is_due(world.clock.now)
        assert jobs.row(job)["state"] == JobState.RUNNING


def test_what_a_worker_that_is_gone_has_left_goes_on_without_a_wait_for_its_lease(world: World, jobs: Jobs) -> None:
    jobs.declare("note", lambda *_: Progress(0, 1, more=False))
    alive, left = jobs.enqueue("note"), jobs.enqueue("note")
    with closing(lookout(world.backend.url)) as at:
        assert at.name == "w0"
        jobs.take("w0", "note")
        jobs.take("w7", "note")
        with working(world):
            until(lambda: jobs.row(left)["state"] == JobState.DONE)
        assert jobs.told(alive, "state", "turn") == (JobState.RUNNING, 1), "its worker lives"


def test_threads_outlive_a_database_that_is_away(world: World, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def away(url: str) -> object:
        tries.append(url)
        if len(tries) < 3:
            raise OSError("away")
        return lookout(url)

    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "lookout", away)
    monkeypatch.setattr(worker, "_log", jobs)
    jobs.declare("note", lambda *_: Progress(0, 1, more=False))
    job = jobs.enqueue("note")
    with working(world):
        until(lambda: jobs.row(job)["state"] == JobState.DONE)
    assert jobs.logged == ["jobs wait for the database", "the database is back, jobs go on"]
