"""Imports at their beginning: whose they are, how a file becomes staged rows, read in another way, cancelled, and killed."""

import os
from pathlib import Path
from typing import Any

import pytest

from models import ImportBatch, ImportKey, ImportRow, Job
from models.errors import Forbidden, ImportEnded, NotFound, Validation
from models.import_batch import ImportState
from models.job import JobState
from resolvers.imports import batches, dropping, looking, staging
from resolvers.imports.batches import MAX_OPEN, Choices
from tasks.engine import Engine
from tests.support.checked_imports import checked
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["客户名称*", "电话", "行业"]


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def staged(world: World, id: int) -> list[tuple[int, list[Any]]]:
    return [(row["number"], row["cells"]) for row in world.rows(ImportRow) if row["batch_id"] == id]


def some(count: int) -> list[list[Any]]:
    return [HEADINGS, *([f"Company {n}", 13800000000 + n, "互联网"] for n in range(count))]


def test_a_file_is_read_and_its_rows_lie_in_the_database(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet([*some(2), [], ["After a gap", None, "零售业"]]))
    assert world.row(ImportBatch, id)["state"] == ImportState.UPLOADED

    files.run()

    row = world.row(ImportBatch, id)
    assert (row["state"], row["rows"], row["position"], row["owner_id"]) == (ImportState.READ, 3, 5, world.ids["li"])
    assert [column["header"] for column in row["overview"]["columns"]] == HEADINGS
    assert staged(world, id) == [
        (2, ["Company 0", 13800000000, "互联网"]),
        (3, ["Company 1", 13800000001, "互联网"]),
        (5, ["After a gap", None, "零售业"]),
    ]
    (job,) = [job for job in world.rows(Job) if job["kind"] == batches.READ]
    assert (job["state"], job["done"]) == (JobState.DONE, 3)


def test_a_process_that_takes_over_lays_every_row_down_once(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "SMALLEST", 20)
    id = files.begin("li", files.sheet(some(150)))
    engine = Engine(world.backend, "first")
    taken = 0
    take = staging.take

    def breaks(*args: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken in (3, 5):
            raise RuntimeError("killed")
        return take(*args)

    monkeypatch.setattr(staging, "take", breaks)
    for _ in range(4):
        engine.run_due()
        world.clock.pass_by(hours=2)

    assert world.row(ImportBatch, id)["state"] == ImportState.READ
    assert [number for number, _ in staged(world, id)] == list(range(2, 152))
    assert taken > 5


def test_a_file_that_cannot_be_read_says_why_and_can_be_read_in_another_way(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet(some(1), second=[HEADINGS, ["Of the second", 1, "互联网"]]))
    files.run()
    world.li.do(batches.read_anew, id, Choices(sheet="No such sheet"))
    files.run()

    row = world.row(ImportBatch, id)
    assert (row["state"], row["error_code"], staged(world, id)) == (ImportState.FAILED, "SHEET_UNKNOWN", [])
    assert row["error"].startswith("The file has no sheet “No such sheet” any more.")
    assert row["error_zh"].startswith("文件中没有工作表")

    world.li.do(batches.read_anew, id, Choices(sheet="Second"))
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.READ
    assert world.row(ImportBatch, id)["error"] is None
    assert staged(world, id) == [(2, ["Of the second", 1, "互联网"])]


def test_what_was_read_before_the_file_is_read_in_another_way_is_dropped(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet(some(3)))
    old = world.row(ImportBatch, id)["version"]
    world.li.do(batches.read_anew, id, Choices(header_row=2))

    done = world.li.do(_take, id, old, staging.Part(rows=[(2, ["late"])], is_last=True))

    assert (done.more, staged(world, id)) == (False, [])
    files.run()
    assert [number for number, _ in staged(world, id)] == [3, 4]


def _take(scope: Any, id: int, version: int, part: staging.Part) -> Any:
    with scope.write("job.view") as db:
        return staging.take(scope, db, id, version, part)


def test_an_import_belongs_to_its_user(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet(some(1)))

    with pytest.raises(NotFound):
        world.ada.do(batches.cancel, id)
    with pytest.raises(NotFound):
        world.ada.do(batches.read_anew, id, Choices())
    assert world.run(world.scope("wu").read(batches.imports)) == []
    assert [x.id for x in world.run(world.scope("li").read(batches.imports))] == [id]


def test_the_right_to_import_is_asked_for(world: World, files: Files) -> None:
    with pytest.raises(Forbidden):
        files.begin("fin", files.sheet(some(1)))
    with pytest.raises(Validation):
        files.begin("li", files.sheet(some(1)), target="invoice")
    assert world.rows(ImportBatch) == []


def test_a_cancelled_import_leaves_neither_rows_nor_file(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet(some(3)))
    files.run()

    world.li.do(batches.cancel, id)

    row = world.row(ImportBatch, id)
    assert (row["state"], row["ended_at"], staged(world, id)) == (ImportState.CANCELLED, world.clock.now, [])
    assert not world.backend.files.path(row["file"]).exists()
    with pytest.raises(ImportEnded):
        world.li.do(batches.cancel, id)


def test_many_rows_are_deleted_part_by_part(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropping, "AT_ONCE", 2)
    id = checked(world, files, some(7), columns={0: "name", 1: "phone", 2: "industry"})
    rows = staged(world, id)

    world.li.do(batches.read_anew, id, Choices())
    assert len(staged(world, id)) == 5
    files.run()
    assert (staged(world, id), world.rows(ImportKey)) == (rows, [])
    assert (world.row(ImportBatch, id)["state"], world.row(ImportBatch, id)["rows"]) == (ImportState.READ, 7)

    world.li.do(batches.cancel, id)
    assert len(staged(world, id)) == 5
    assert world.run(world.li.read(looking.state_counts, world.run(world.li.read(batches.imports)))) == {id: {}}
    world.clock.pass_by(hours=1)
    files.run()
    assert staged(world, id) == []


def test_a_user_has_a_limited_number_of_unfinished_imports(world: World, files: Files) -> None:
    content = files.sheet(some(1))
    ids = [files.begin("li", content) for _ in range(MAX_OPEN)]

    with pytest.raises(Validation, match=str(MAX_OPEN)):
        files.begin("li", content)
    world.li.do(batches.cancel, ids[0])
    files.begin("li", content)


def test_the_clean_up_of_exports_leaves_the_files_of_imports(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet(some(1)))
    path = world.backend.files.path(world.row(ImportBatch, id)["file"])
    stray = world.backend.files.path(batches.stored_name("xlsx"))
    stray.touch()
    for each in (path, stray):
        os.utime(each, (0, 0))

    files.run()

    assert (path.exists(), stray.exists()) == (True, False)
