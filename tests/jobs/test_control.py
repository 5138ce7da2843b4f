"""What users do with jobs: they see and steer their own, administrators all of them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import Customer, Job
from models.errors import JobEnded, JobNotCancelled, JobNotFailed, NotFound, Refusal
from models.job import JobState
from resolvers.jobs import control
from resolvers.jobs.kinds import Progress, Work
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import unchanged
from tests.support.graphql import Api
from tests.support.jobs import Jobs
from tests.support.world import World

JOBS = "{ jobs { id kind name state actor { name } done failed error mayChange } }"
CONTROLS: dict[str, Callable[[Scope, int], None]] = {
    "cancelJob": control.cancel,
    "resumeJob": control.resume,
    "retryJob": control.retry,
}


def failing_once(runs: list[int]) -> Any:
    def work(_scope: Scope, _db: Session, work: Work) -> Progress:
        runs.append(work.position)
        if len(runs) == 2:
            raise JobEnded  # any refusal
        return Progress(work.position + 1, 1, more=work.position < 3)

    return work


def test_a_job_that_waits_is_cancelled_and_resumed(world: World, jobs: Jobs) -> None:
    ids = [world.customer(owner="li")]
    job = jobs.enqueue("remark", {"remark": "x"})

    world.li.do(control.cancel, job)
    assert jobs.run_due() == 0
    assert jobs.told(job, "state", "ended_at") == (JobState.CANCELLED, world.clock.now)

    world.li.do(control.resume, job)
    assert jobs.told(job, "state", "ended_at") == (JobState.WAITING, None)
    assert jobs.run_due() == 1
    assert jobs.remarks(ids) == ["x"]
    told = [(entry["action"], entry["actor_name"], entry["changes"]) for entry in world.log("job", job)]
    assert told == [
        ("job.cancel", "Li Na", {"state": ["WAITING", "CANCELLED"]}),
        ("job.resume", "Li Na", {"state": ["CANCELLED", "WAITING"]}),
    ]


def test_a_job_that_runs_stops_before_its_next_chunk_and_goes_on_there(world: World, jobs: Jobs) -> None:
    ids = [world.customer(f"C{n}", owner="li") for n in range(4)]

    def one(scope: Scope, db: Session, work: Work) -> Progress:
        db.get_one(Customer, ids[work.position]).remark = "done"
        if work.position == 1 and work.arguments["job"] == 0:
            scope.after_commit(lambda: world.ada.do(control.cancel, newest()))
            work.arguments["job"] = 1  # type: ignore[index]  # so that it happens once
        return Progress(work.position + 1, 1, more=work.position < 3)

    def newest() -> int:
        return max(row["id"] for row in world.rows(Job))

    jobs.declare("one", one)
    job = jobs.enqueue("one", {"job": 0})
    jobs.run_due()
    assert jobs.told(job, "state", "done", "stopping") == (JobState.CANCELLED, 2, False)
    assert jobs.remarks(ids) == ["done", "done", None, None]

    jobs.declare("one", lambda *_: Progress(4, 2, more=False))
    world.li.do(control.resume, job)
    jobs.run_due()
    assert jobs.told(job, "state", "done") == (JobState.DONE, 4)


def test_a_job_that_failed_is_tried_again_from_where_it_failed(world: World, jobs: Jobs) -> None:
    runs: list[int] = []
    jobs.declare("shaky", failing_once(runs))
    job = jobs.enqueue("shaky")
    jobs.run_due()
    assert jobs.told(job, "state", "error_code", "done") == (JobState.FAILED, "JOB_ENDED", 1)

    world.li.do(control.retry, job)
    jobs.run_due()

    assert runs == [0, 1, 1, 2, 3]
    assert jobs.told(job, "state", "error", "done", "ended_at") == (JobState.DONE, None, 4, world.clock.now)


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        (JobState.WAITING, {control.resume: JobNotCancelled, control.retry: JobNotFailed}),
        (JobState.DONE, dict(zip(CONTROLS.values(), (JobEnded, JobNotCancelled, JobNotFailed), strict=True))),
        (JobState.CANCELLED, {control.cancel: JobEnded, control.retry: JobNotFailed}),
    ],
)
def test_what_does_not_fit_the_state_is_refused_and_changes_nothing(
    world: World, jobs: Jobs, state: JobState, refused: dict[Callable[[Scope, int], None], type[Refusal]]
) -> None:
    job = jobs.enqueue("remark", {"remark": "x"})
    if state == JobState.DONE:
        jobs.run_due()
    elif state == JobState.CANCELLED:
        world.li.do(control.cancel, job)
    for use_case, refusal in refused.items():
        with unchanged(world), pytest.raises(refusal):
            world.li.do(use_case, job)


@pytest.mark.parametrize("name", CONTROLS)
def test_the_job_of_another_user_is_not_there(world: World, jobs: Jobs, api: Api, name: str) -> None:
    job = jobs.enqueue("remark", {"remark": "x"}, by="li")
    mutation = f'mutation {{ {name}(input: {{id: "job_ID"}}) {{ job {{ id }} problems {{ code message }} }} }}'

    def answer(id: int) -> Any:
        return api.ask("wu", mutation.replace("ID", str(id)))[name]

    assert answer(job) == answer(job + 1_000)
    assert [problem["code"] for problem in answer(job)["problems"]] == ["NOT_FOUND"]
    with pytest.raises(NotFound):
        world.wu.do(CONTROLS[name], job)
    assert jobs.told(job, "state", "stopping") == (JobState.WAITING, False)


def test_users_see_their_own_jobs_and_administrators_all(world: World, jobs: Jobs, api: Api) -> None:
    mine, of_clock = jobs.enqueue("remark", {"remark": "x"}, by="li"), world.system.do(_by_the_clock)
    jobs.run_due()

    assert [job["id"] for job in api.ask("wu", JOBS)["jobs"]] == []
    (own,) = api.ask("li", JOBS)["jobs"]
    assert own == {
        "id": f"job_{mine}",
        "kind": "remark",
        "name": "Test remark",
        "state": "DONE",
        "actor": {"name": "Li Na"},
        "done": 0,
        "failed": 0,
        "error": None,
        "mayChange": True,
    }
    seen = api.ask("ada", JOBS)["jobs"]
    assert [(job["id"], job["actor"], job["mayChange"]) for job in seen] == [
        (f"job_{of_clock}", None, True),
        (f"job_{mine}", {"name": "Li Na"}, True),
    ]
    assert [job["mayChange"] for job in api.ask("aud", JOBS)["jobs"]] == [False, False]
    assert api.ask("wu", f'{{ job(id: "job_{mine}") {{ id }} }}')["job"] is None
    assert api.ask("li", "{ jobs(states: [WAITING, FAILED]) { id } }")["jobs"] == []


def _by_the_clock(scope: Scope) -> int:
    with scope.write("customer.edit"):
        return scope.later("remark", {"remark": "y"})
