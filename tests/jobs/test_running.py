"""Running jobs: in the transaction of the use case, chunk by chunk, with today's rights, and through failures."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from models import Customer, Job, User, UserRole
from models.errors import Validation
from models.job import JobState
from resolvers.jobs import queue
from resolvers.jobs.kinds import Progress, Work, growing_delay
from resolvers.jobs.queue import LEASE, MAX_FAILURES
from resolvers.jobs.running import Run
from resolvers.runtime.scope import Scope
from resolvers.runtime.writer import Unit
from tests.support.jobs import Jobs
from tests.support.world import World


def customers(world: World, count: int = 5) -> list[int]:
    return [world.customer(f"Customer {n}", owner="li") for n in range(count)]


# --- enqueueing ------------------------------------------------------------------------------------------


def test_a_job_is_done_with_its_progress(world: World, jobs: Jobs) -> None:
    ids = customers(world)
    job = jobs.enqueue("remark", {"remark": "called", "chunk": 2})
    assert jobs.told(job, "state", "done", "started_at") == (JobState.WAITING, 0, None)

    assert jobs.run_due() == 1

    assert jobs.remarks(ids) == ["called"] * 5
    assert jobs.told(job, "state", "done", "failed", "position") == (JobState.DONE, 5, 0, ids[-1])
    assert jobs.row(job)["ended_at"] == world.clock.now
    entry = world.log("customer", ids[0])[-1]
    assert (entry["actor_name"], entry["door"], entry["request_id"]) == ("Li Na", "job", f"job_{job}")
    assert jobs.run_due() == 0


def test_a_job_is_undone_with_the_use_case_that_enqueued_it(world: World, jobs: Jobs) -> None:
    def refused(scope: Scope) -> None:
        with scope.write("customer.edit"):
            scope.later("remark", {"remark": "never"})
            raise Validation("No.", "否。")

    with pytest.raises(Validation):
        world.li.do(refused)

    assert world.count(Job) == 0


def test_a_job_waits_until_it_is_due(world: World, jobs: Jobs) -> None:
    jobs.enqueue("remark", {"remark": "later"}, due_at=world.clock.now + timedelta(hours=1))
    assert jobs.run_due() == 0
    world.clock.pass_by(hours=1)
    assert jobs.run_due() == 1


# --- rights ----------------------------------------------------------------------------------------------


def test_a_user_changes_no_more_by_a_job_than_by_hand(world: World, jobs: Jobs) -> None:
    own, foreign = world.customer("Own", owner="li"), world.customer("Foreign", owner="wu")
    job = jobs.enqueue("remark", {"remark": "mine"})
    jobs.run_due()
    assert jobs.remarks([own, foreign]) == ["mine", None]
    assert jobs.told(job, "done", "failed") == (1, 1)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_the_job_of_a_user_who_has_left_ends_with_that_sentence(world: World, jobs: Jobs, when: str) -> None:
    ids = customers(world, 3)

    def leave() -> None:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(
                update(User.__table__).where(User.__table__.c.id == world.ids["li"]).values(active=False)
            )

    def one(scope: Scope, db: Session, work: Work) -> Progress:
        db.get_one(Customer, ids[work.position]).remark = "done"
        if work.position == 0:
            scope.after_commit(leave)
        return Progress(work.position + 1, 1, more=True)

    jobs.declare("one", one)
    job = jobs.enqueue("one")
    if when == "before":
        leave()
    jobs.run_due()

    assert jobs.told(job, "state", "error_code") == (JobState.FAILED, "JOB_OWNER_LEFT")
    assert jobs.row(job)["error"] == "The user who started this job has left, so nothing more was done."
    assert jobs.row(job)["error_zh"] == "启动此任务的用户已离职，任务已停止，未再执行任何操作。"
    assert jobs.remarks(ids) == (["done", None, None] if when == "meanwhile" else [None] * 3)


def test_a_right_that_is_taken_away_stops_the_job_at_the_next_chunk(world: World, jobs: Jobs) -> None:
    done: list[int] = []

    def demote() -> None:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(delete(UserRole.__table__).where(UserRole.__table__.c.user_id == world.ids["li"]))

    def one(scope: Scope, _db: Session, work: Work) -> Progress:
        done.append(work.position)
        if work.position == 1:
            scope.after_commit(demote)
        return Progress(work.position + 1, 1, more=True)

    jobs.declare("one", one, "customer.release")
    job = jobs.enqueue("one")
    jobs.run_due()

    assert done == [0, 1]
    assert jobs.told(job, "state", "error_code", "done") == (JobState.FAILED, "FORBIDDEN", 2)
    assert jobs.row(job)["error_zh"] == "您的角色没有此权限：移入公海（客户）。请联系管理员开通。"


# --- failures --------------------------------------------------------------------------------------------


def test_a_failing_job_is_tried_again_later_and_parked_after_eight_failures(world: World, jobs: Jobs) -> None:
    ids = customers(world, 1)

    def broken(scope: Scope, db: Session, work: Work) -> Progress:
        db.get_one(Customer, ids[0]).remark = "half"
        db.flush()
        raise RuntimeError("broken")

    jobs.declare("broken", broken)
    job = jobs.enqueue("broken")
    for failures in range(1, MAX_FAILURES):
        assert jobs.run_due() == 1
        assert jobs.told(job, "state", "tries", "due_at") == (
            JobState.WAITING,
            failures,
            world.clock.now + growing_delay(failures),
        )
        assert jobs.run_due() == 0, "not before its time"
        world.clock.now += growing_delay(failures)
    jobs.run_due()

    assert jobs.told(job, "state", "error_code") == (JobState.FAILED, "JOB_BROKE")
    assert "RuntimeError" not in jobs.row(job)["error"]
    assert jobs.logged == ["a job broke"] * MAX_FAILURES
    assert jobs.remarks(ids) == [None], "what a failed chunk did is undone"
    world.clock.pass_by(days=2)
    assert jobs.run_due() == 0


def test_progress_ends_the_count_of_failures(world: World, jobs: Jobs) -> None:
    runs: list[int] = []

    def now_and_then(_scope: Scope, _db: Session, work: Work) -> Progress:
        runs.append(work.position)
        if len(runs) % 2:
            raise RuntimeError("now and then")
        return Progress(work.position + 1, 1, more=work.position < 19)

    jobs.declare("now_and_then", now_and_then)
    job = jobs.enqueue("now_and_then")
    while jobs.row(job)["state"] == JobState.WAITING:
        jobs.run_due()
        world.clock.pass_by(hours=2)

    assert jobs.told(job, "state", "done") == (JobState.DONE, 20)
    assert runs == [n for n in range(20) for _ in range(2)], "every chunk was tried again where it had failed"


def test_a_delay_grows_to_an_hour() -> None:
    assert [growing_delay(n).total_seconds() for n in range(1, 9)] == [5, 15, 45, 135, 405, 1215, 3600, 3600]


# --- other workers ---------------------------------------------------------------------------------------


def test_a_job_of_a_lost_worker_is_taken_over_after_its_lease_and_the_old_worker_does_nothing(
    world: World, jobs: Jobs
) -> None:
    ids = customers(world, 2)
    job = jobs.enqueue("remark", {"remark": "once"})
    backend = world.backend

    def take(unit: Unit) -> queue.Taken | None:
        return queue.take(unit.connection, "lost", world.clock.now, ["remark"])

    frozen = backend.writer.run(take)
    assert frozen is not None
    assert frozen.id == job
    assert jobs.run_due("other") == 0, "the lease runs"
    world.clock.now += LEASE
    world.clock.pass_by(seconds=1)
    assert jobs.run_due("other") == 1
    mark = world.mark()

    Run(backend, frozen).run()

    assert world.log(since=mark) == []
    assert jobs.told(job, "state", "done", "turn", "worker") == (JobState.DONE, 2, 2, "other")
    assert jobs.remarks(ids) == ["once"] * 2


def test_a_worker_that_starts_again_goes_on_at_once_with_what_it_left(world: World, jobs: Jobs) -> None:
    job = jobs.enqueue("remark", {"remark": "again"})
    world.backend.writer.run(lambda unit: queue.take(unit.connection, "w0", world.clock.now, ["remark"]))
    assert jobs.run_due("w0") == 1
    assert jobs.told(job, "state", "turn") == (JobState.DONE, 2)


def test_a_job_that_ends_its_worker_each_time_is_parked(world: World, jobs: Jobs) -> None:
    job = jobs.enqueue("remark", {"remark": "deadly"})
    for _ in range(MAX_FAILURES):
        world.backend.writer.run(lambda unit: queue.take(unit.connection, "w0", world.clock.now, ["remark"]))
    jobs.run_due("w0")
    assert jobs.told(job, "state", "error_code", "done") == (JobState.FAILED, "JOB_WORKER_LOST", 0)


def test_a_worker_that_is_being_stopped_lets_go_after_the_chunk(world: World, jobs: Jobs) -> None:
    ids = customers(world, 4)
    job = jobs.enqueue("remark", {"remark": "half", "chunk": 2})
    taken = world.backend.writer.run(lambda unit: queue.take(unit.connection, "w0", world.clock.now, ["remark"]))
    Run(world.backend, taken, lambda: True).run()
    assert jobs.remarks(ids) == ["half", "half", None, None]
    assert jobs.told(job, "state", "done") == (JobState.WAITING, 2)
    assert jobs.run_due("w1") == 1
    assert jobs.told(job, "state", "done") == (JobState.DONE, 4)


def test_a_kind_that_this_version_does_not_know_waits(world: World, jobs: Jobs) -> None:
    job = jobs.enqueue("of_tomorrow")
    assert jobs.run_due() == 0
    assert jobs.told(job, "state", "error") == (JobState.WAITING, None)


# --- order -----------------------------------------------------------------------------------------------


def test_jobs_with_one_key_run_in_order_and_others_meanwhile(world: World, jobs: Jobs) -> None:
    runs: list[str] = []

    def note(_scope: Scope, _db: Session, work: Work) -> Progress:
        runs.append(work.arguments["name"])
        if runs == ["first"]:
            raise RuntimeError("not yet")
        return Progress(0, 1, more=False)

    jobs.declare("note", note)
    for name, key in (("first", "a"), ("second", "a"), ("other", "b")):
        jobs.enqueue("note", {"name": name}, order_key=key)
    jobs.run_due()
    assert runs == ["first", "other"], "the second waits for the first, which is tried again later"
    world.clock.pass_by(seconds=6)
    jobs.run_due()
    assert runs == ["first", "other", "first", "second"]


def test_no_second_job_of_a_key_runs_even_when_an_older_one_comes_back(world: World, jobs: Jobs) -> None:
    older = jobs.enqueue("remark", {"remark": "x"}, order_key="k", due_at=world.clock.now + timedelta(days=1))
    jobs.enqueue("remark", {"remark": "y"}, order_key="k")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            update(Job.__table__)
            .where(Job.__table__.c.id == older)
            .values(state=JobState.CANCELLED, ended_at=world.clock.now)
        )
    world.backend.writer.run(lambda unit: queue.take(unit.connection, "w0", world.clock.now, ["remark"]))
    with world.backend.writer.engine.begin() as connection:
        back = {"state": JobState.WAITING, "due_at": world.clock.now, "ended_at": None}
        connection.execute(update(Job.__table__).where(Job.__table__.c.id == older).values(back))
    assert jobs.run_due("w1") == 0


# --- chunks ----------------------------------------------------------------------------------------------


def test_chunks_grow_while_they_are_fast(world: World, jobs: Jobs) -> None:
    sizes: list[int] = []

    def fast(_scope: Scope, _db: Session, work: Work) -> Progress:
        sizes.append(work.size)
        assert work.has_time()
        return Progress(work.position + work.size, work.size, more=len(sizes) < 6)

    jobs.declare("fast", fast)
    jobs.enqueue("fast")
    jobs.run_due()
    assert sizes[0] == 20
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_what_reads_files_runs_before_the_transaction(world: World, jobs: Jobs) -> None:
    seen: list[object] = []

    def ready(scope: Scope, work: Work) -> str:
        with pytest.raises(RuntimeError), scope.write("customer.edit"):
            pass
        work.memory.setdefault("opened", len(seen))
        return f"line {work.position}"

    def read(_scope: Scope, _db: Session, work: Work) -> Progress:
        seen.append((work.prepared, work.memory["opened"]))
        return Progress(work.position + 1, 1, more=work.position < 1)

    jobs.declare("read", read, ready=ready)
    jobs.enqueue("read")
    jobs.run_due()
    assert seen == [("line 0", 0), ("line 1", 0)]
