"""The end of imports: rows and files go after their time, and one whose job has failed can be let go on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Customer, ImportBatch, ImportRow, Job
from models.errors import Forbidden, ImportEnded, ImportRowsGone, NotFound
from models.import_batch import KEPT, ImportState, RowState
from models.job import JobState
from resolvers.imports import applying, batches, judging, mapping, staging, undoing
from resolvers.imports.mapping import Plan
from resolvers.jobs import control
from resolvers.jobs.queue import MAX_FAILURES
from tasks.engine import Engine
from tests.support.importing import Files
from tests.support.refusals import add_line
from tests.support.world import World

ROWS = [["客户名称"], ["A"], ["B"], ["C"]]


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def begun(world: World, files: Files, rows: Sequence[Sequence[Any]] = ROWS) -> int:
    return files.begin("li", files.sheet(rows))


def mapped(world: World, files: Files, rows: Sequence[Sequence[Any]] = ROWS) -> int:
    id = begun(world, files, rows)
    files.run()
    world.li.do(mapping.set_mapping, id, Plan({0: "name"}))
    return id


def applied(world: World, files: Files) -> int:
    id = mapped(world, files)
    files.run()
    world.li.do(applying.confirm, id)
    files.run()
    return id


def stalled(world: World, id: int, language: str = "en") -> str | None:
    def look(scope: Any) -> str | None:
        with scope.write("job.view") as db:
            why = batches.stalled(db, [batches.own(scope, db, id)]).get(id)
            return why.say(language) if why else None

    return world.li.do(look)  # type: ignore[no-any-return]


def fail_for_good(world: World) -> None:
    """Run what is due until its job is given up."""
    engine = Engine(world.backend, "test", kinds=(batches.READ, batches.CHECK, batches.APPLY, batches.UNDO))
    for _ in range(MAX_FAILURES + 1):
        engine.run_due()
        world.clock.pass_by(hours=2)


# --- after their time ------------------------------------------------------------------------------------


def test_rows_and_file_of_an_ended_import_go_after_their_time_and_it_says_so(world: World, files: Files) -> None:
    id, later = applied(world, files), begun(world, files, [["客户名称"], ["Later"]])
    files.run()
    of = world.row(ImportBatch, id)["file"]
    world.clock.pass_by(days=KEPT.days, hours=-2)
    files.run()
    assert (len(world.rows(ImportRow)), world.backend.files.path(of).exists()) == (4, True)
    world.clock.pass_by(hours=3)
    with pytest.raises(ImportRowsGone) as early:  # also before they are deleted
        world.li.do(undoing.begin_undoing, id)

    files.run()

    assert [row["batch_id"] for row in world.rows(ImportRow)] == [later]  # which has not ended
    assert not world.backend.files.path(of).exists()
    row = world.row(ImportBatch, id)
    assert (row["state"], row["overview"], row["rows"]) == (ImportState.DONE, None, 3)
    assert world.li.do(_counts, id) == {RowState.CREATED: 3}
    with pytest.raises(ImportRowsGone):
        world.li.do(undoing.begin_undoing, id)
    assert early.value.say("en").startswith("The rows of this import were deleted 30 days after its end")
    assert early.value.say("zh") == "此导入结束已超过 30 天，明细已删除，无法再撤销、继续或生成结果表。"
    assert len([x for x in world.rows(Customer) if x["deleted_at"] is None]) == 3


def _counts(scope: Any, id: int) -> Any:
    with scope.write("job.view") as db:
        return applying.counts(db, batches.own(scope, db, id))


def test_what_was_cancelled_or_never_read_goes_too_and_each_once(world: World, files: Files) -> None:
    cancelled, broken = mapped(world, files), files.begin("li", b"PK\x03\x04 broken")
    world.li.do(batches.cancel, cancelled)
    files.run()
    assert world.row(ImportBatch, broken)["state"] == ImportState.FAILED
    world.clock.pass_by(days=KEPT.days, hours=2)

    files.run()

    assert {world.row(ImportBatch, id)["job_id"] for id in (cancelled, broken)} == {None}
    assert not world.backend.files.path(world.row(ImportBatch, broken)["file"]).exists()
    world.clock.pass_by(hours=2)
    files.run()
    ended = [x for x in world.rows(Job) if x["kind"] == "expire_imports"]
    assert (ended[-1]["state"], ended[-1]["done"]) == (JobState.DONE, 0)


# --- going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", ["apply", *(pytest.param(x, marks=pytest.mark.long) for x in ("read", "check", "undo"))]
)
def test_n17_what_has_failed_for_good_says_so_and_goes_on(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    at = {"read": begun, "check": mapped, "apply": mapped, "undo": applied}[step](world, files)
    if step == "apply":
        files.run()
        world.li.do(applying.confirm, at)
    elif step == "undo":
        world.li.do(undoing.begin_undoing, at)
    place, name = {
        "read": (staging, "_current"),
        "check": (judging, "judge"),
        "apply": (applying, "_note"),
        "undo": (undoing, "_note"),
    }[step]
    assert stalled(world, at) is None  # its job waits
    with monkeypatch.context() as patch:
        patch.setattr(place, name, _dies)
        fail_for_good(world)
    before = [x["state"] for x in world.rows(ImportRow)]

    english, chinese = (stalled(world, at, language) for language in ("en", "zh"))
    assert english == (
        "Something unexpected went wrong each time. The log of the server says what; then try again. You can let it go on."
    )
    assert chinese is not None
    assert chinese.endswith("处理后可选择继续。")
    for _ in range(2):
        world.li.do(batches.go_on, at)
    assert stalled(world, at) is None
    assert [x["state"] for x in world.rows(ImportRow)] == before
    files.run()

    ends = {
        "read": ImportState.READ,
        "check": ImportState.CHECKED,
        "apply": ImportState.DONE,
        "undo": ImportState.UNDONE,
    }
    assert world.row(ImportBatch, at)["state"] == ends[step]
    assert len([x for x in world.rows(Customer) if x["deleted_at"] is None]) == (3 if step == "apply" else 0)


def _dies(*_: Any, **__: Any) -> Any:
    raise RuntimeError("killed")


def test_what_was_cancelled_as_a_job_goes_on_and_the_old_job_does_nothing_more(world: World, files: Files) -> None:
    id = mapped(world, files)
    files.run()
    world.li.do(applying.confirm, id)
    job = world.row(ImportBatch, id)["job_id"]
    world.li.do(control.cancel, job)
    assert stalled(world, id) == "It was stopped before it was finished. You can let it go on."

    world.li.do(batches.go_on, id)
    world.li.do(control.resume, job)
    files.run()

    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert len(world.rows(Customer)) == 3


def test_a_worker_that_died_is_followed_by_another(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    id = mapped(world, files)
    files.run()
    world.li.do(applying.confirm, id)
    with monkeypatch.context() as patch:  # as if the process had gone in the middle of a chunk
        patch.setattr(applying, "_note", _leaves)
        with pytest.raises(SystemExit):
            Engine(world.backend, "first").run_due()
    assert world.rows(Job)[-1]["state"] == JobState.RUNNING
    world.clock.pass_by(minutes=1)

    Engine(world.backend, "second").run_due()

    assert (world.row(ImportBatch, id)["state"], stalled(world, id)) == (ImportState.DONE, None)
    assert len(world.rows(Customer)) == 3


def _leaves(*_: Any, **__: Any) -> Any:
    raise SystemExit


def test_edited_rows_whose_check_has_failed_are_checked_again(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = mapped(world, files)
    files.run()
    table: Any = ImportRow.__table__
    with world.backend.writer.engine.begin() as connection:  # as a correction of many rows leaves them
        connection.execute(table.update().values(state=RowState.STAGED))
    assert stalled(world, id) == "It was stopped before it was finished. You can let it go on."

    world.li.do(batches.go_on, id)
    files.run()

    assert {row["state"] for row in world.rows(ImportRow)} == {RowState.GOOD}


def test_only_its_user_with_the_right_lets_it_go_on_and_only_where_something_is_left(
    world: World, files: Files
) -> None:
    id, waiting = applied(world, files), begun(world, files)

    with pytest.raises(NotFound):
        world.ada.do(batches.go_on, id)
    with pytest.raises(ImportEnded):
        world.li.do(batches.go_on, id)
    jobs = len(world.rows(Job))
    world.li.do(batches.go_on, waiting)
    assert len(world.rows(Job)) == jobs
    add_line(world, "p, sales, customer, import, all, any, deny")
    with pytest.raises(Forbidden):
        world.li.do(batches.go_on, waiting)
