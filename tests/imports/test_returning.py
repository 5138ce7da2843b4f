"""Corrected files: they continue the import that they came from, and a file of something else changes nothing."""

import hashlib
import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from models import Customer, ImportBatch, ImportRow
from models.errors import ImportEnded, ImportRowsGone, NotFound, NothingCorrected, ResultNotReady, StillReturning
from models.import_batch import KEPT, ImportState, RowState
from resolvers.imports import applying, batches, mapping, results, returning, undoing
from resolvers.jobs import control
from tasks.engine import Engine
from tests.support.result_books import COLUMNS, HEADINGS, ResultBooks
from tests.support.world import World

ROWS: list[list[Any]] = [
    HEADINGS,
    ["Good", None, "10086", "Internet"],
    ["Bad phone", None, 12, None],
    ["Bad word", None, None, "养殖"],
]


@pytest.fixture
def books(world: World, tmp_path: Path) -> ResultBooks:
    return ResultBooks(world, tmp_path / "files")


def give_back(books: ResultBooks, id: int, content: bytes, login: str = "li") -> None:
    stored = batches.stored_name("xlsx")
    with books.world.backend.files.opened(stored) as file:
        file.write(content)
    books.world.scope(login).do(returning.continue_with, id, stored, hashlib.sha256(content).hexdigest())


def corrected(books: ResultBooks, id: int, correct: Callable[[Any], Any]) -> None:
    """The result workbook comes back as `correct(page)` has left it."""
    book = books.book(id)
    correct(book.worksheets[0])
    file = io.BytesIO()
    book.save(file)
    give_back(books, id, file.getvalue())
    books.run()


def original(books: ResultBooks, id: int, rows: Sequence[Sequence[Any]]) -> None:
    give_back(books, id, books.sheet(rows))
    books.run()


def states(books: ResultBooks, id: int) -> list[str]:
    return [row["state"] for row in books.rows_of(id).values()]


def edits(books: ResultBooks, id: int) -> dict[int, Any]:
    return {number: row["edits"] for number, row in books.rows_of(id).items() if row["edits"]}


# --- the result workbook ---------------------------------------------------------------------------------


def test_imp_03_the_corrected_result_workbook_continues_the_same_import(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    assert states(books, id) == [RowState.GOOD, RowState.BAD, RowState.BAD]

    def correct(page: Any) -> None:
        page["F3"].value = 13800138000
        page["G4"].value = "retail"

    corrected(books, id, correct)

    batch = books.batch(id)
    assert (batch["state"], batch["error"], batch["returned"]) == (ImportState.CHECKED, None, None)
    assert states(books, id) == [RowState.GOOD] * 3
    assert edits(books, id) == {3: {"2": "13800138000"}, 4: {"3": "retail"}}
    world.li.do(applying.confirm, id)
    books.run()
    assert {row["name"]: row["phone"] for row in world.rows(Customer)}["Bad phone"] == "13800138000"
    assert len([*world.backend.files.folder.glob("*")]) == 3  # the file, its result, and what the test has made


def test_rows_are_known_wherever_they_are_and_what_is_missing_stays(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)

    def correct(page: Any) -> None:
        page["F3"].value = "10010"
        rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
        page.delete_rows(2, 5)
        for row in (rows[2], rows[1]):  # sorted otherwise, and the good one is deleted
            page.append(row)

    corrected(books, id, correct)
    assert edits(books, id) == {3: {"2": "10010"}}
    assert states(books, id) == [RowState.GOOD, RowState.GOOD, RowState.BAD]


def test_renamed_and_moved_columns_are_known_by_the_marks(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)

    def correct(page: Any) -> None:
        page["F3"].value = "10010"
        for cell in page[1]:
            cell.value = f"X{cell.column}"

    corrected(books, id, correct)
    assert edits(books, id) == {3: {"2": "10010"}}


def test_new_and_copied_rows_are_added(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)

    def correct(page: Any) -> None:
        page.append([None, None, None, "Fresh", None, "10086", None])
        page.append([cell.value for cell in page[2]])  # with its hidden number
        page.cell(page.max_row, 4).value = "Copy"
        page.append([None] * 7)

    corrected(books, id, correct)
    found = books.rows_of(id)
    assert {number: row["cells"][0] for number, row in found.items()} == {
        2: "Good",
        3: "Bad phone",
        4: "Bad word",
        5: "Fresh",
        6: "Copy",
    }
    assert (found[5]["state"], found[6]["state"], books.batch(id)["rows"]) == (RowState.GOOD, RowState.GOOD, 5)
    assert edits(books, id) == {}


def test_a_cell_may_be_emptied_and_taken_back(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    corrected(books, id, lambda page: setattr(page["F3"], "value", None))
    assert edits(books, id) == {3: {"2": ""}}
    assert books.rows_of(id)[3]["state"] == RowState.GOOD
    corrected(books, id, lambda page: setattr(page["F3"], "value", 12))
    assert edits(books, id) == {}
    assert books.rows_of(id)[3]["state"] == RowState.BAD


def test_what_was_corrected_here_meanwhile_is_not_taken_back(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    older = books.book(id)
    corrected(books, id, lambda page: setattr(page["F3"], "value", "10010"))
    older.worksheets[0]["G4"].value = "retail"
    file = io.BytesIO()
    older.save(file)
    give_back(books, id, file.getvalue())
    books.run()
    assert edits(books, id) == {3: {"2": "10010"}, 4: {"3": "retail"}}


def test_nothing_differs_whatever_the_cells_hold(world: World, books: ResultBooks) -> None:
    row = ["=A", " x ", "a\nb", "_x0041_", "'q", date(2026, 6, 30), 12.5, True, "0012", "#N/A", 861380013800012288]
    rows = [["客户名称", *"BCDEFGHIJK"], row, ["Firm", *([None] * 10)]]
    content = books.sheet([rows[0], [None] * 11, rows[2]])
    page = openpyxl.load_workbook(io.BytesIO(content))
    for at, value in enumerate(row, 1):
        cell = page.worksheets[0].cell(2, at)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
    file = io.BytesIO()
    page.save(file)
    id = books.begin("li", file.getvalue())
    books.run()
    world.li.do(mapping.set_mapping, id, mapping.Plan({0: "name"}))
    books.run()
    corrected(books, id, lambda _page: None)
    assert edits(books, id) == {}
    assert books.batch(id)["error_code"] == "NOTHING_CORRECTED"
    assert books.batch(id)["state"] == ImportState.CHECKED


# --- the original ----------------------------------------------------------------------------------------


def test_the_corrected_original_continues_the_import_too(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    rows = [[*row] for row in ROWS]
    rows[2][2], rows[3][3] = "10010", "retail"
    rows = [[row[3], row[0], row[1], row[2]] for row in rows]  # a column was moved
    original(books, id, [*rows, [None, "Fresh", None, "10086"]])
    assert edits(books, id) == {3: {"2": "10010"}, 4: {"3": "retail"}}
    assert states(books, id) == [RowState.GOOD] * 4
    assert books.rows_of(id)[5]["cells"] == ["Fresh", None, "10086", None]


def many(count: int, kind: str = "Firm") -> list[list[Any]]:
    return [HEADINGS, *([f"{kind} {n}", None, 13800000000 + n, "Internet"] for n in range(count))]


OTHERS: dict[str, tuple[Callable[[list[list[Any]]], list[list[Any]]], str]] = {
    "a deleted row": (lambda rows: [*rows[:3], *rows[4:]], "rows were moved"),
    "an inserted row": (lambda rows: [*rows[:3], ["New", None, None, None], *rows[3:]], "rows were moved"),
    "other headings": (lambda rows: [["客户名称", "Fax"], *(row[:2] for row in rows[1:])], "headings are others"),
    "another file": (
        lambda _rows: [HEADINGS, *([f"Other {n}", None, n, "steel"] for n in range(30))],
        "most of its rows",
    ),
}


@pytest.mark.parametrize("what", [*OTHERS])
def test_what_is_another_file_is_refused_with_a_sentence_and_changes_nothing(
    world: World, books: ResultBooks, what: str
) -> None:
    change, sentence = OTHERS[what]
    id = books.checked(many(30))
    before = world.rows(ImportRow)
    original(books, id, change(many(30)))
    batch = books.batch(id)
    assert (batch["state"], batch["error_code"]) == (ImportState.CHECKED, "OTHER_WORKBOOK")
    assert sentence in batch["error"]
    assert batch["error_zh"].endswith("未作任何更改。")
    assert world.rows(ImportRow) == before
    world.li.do(applying.confirm, id)  # and it can go on as it was


def test_the_result_of_another_import_and_a_broken_file_are_refused(world: World, books: ResultBooks) -> None:
    id, other = books.checked(ROWS), books.checked(many(2))
    give_back(books, id, books.written(other).read_bytes())
    books.run()
    assert "another import" in books.batch(id)["error"]
    corrected(books, id, lambda page: page.delete_cols(3))
    assert "hidden column" in books.batch(id)["error"]
    give_back(books, id, b"PK\x03\x04 nothing")
    books.run()
    assert books.batch(id)["error_code"] == "SHEET_DAMAGED"
    assert states(books, id) == [RowState.GOOD, RowState.BAD, RowState.BAD]


def test_who_may_return_a_file_and_when(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    with pytest.raises(NotFound):
        give_back(books, id, b"x", "mei")
    with pytest.raises(NothingCorrected):
        give_back(books, id, world.backend.files.path(books.batch(id)["file"]).read_bytes())
    give_back(books, id, books.sheet(many(1)))
    with pytest.raises(StillReturning):
        world.li.do(applying.confirm, id)
    books.run()
    world.li.do(batches.cancel, id)
    with pytest.raises(ImportEnded):
        give_back(books, id, b"x")


# --- after the import ------------------------------------------------------------------------------------


def test_rows_that_stayed_behind_are_corrected_and_brought_in_later(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    assert books.batch(id)["state"] == ImportState.PARTLY

    def correct(page: Any) -> None:
        page["D2"].value = "Renamed too late"
        page["F3"].value = "10010"

    corrected(books, id, correct)
    batch = books.batch(id)
    assert (batch["state"], batch["error_code"]) == (ImportState.CHECKED, "ROWS_WRITTEN")
    assert states(books, id) == [RowState.CREATED, RowState.GOOD, RowState.BAD]
    world.li.do(applying.confirm, id)
    books.run()
    assert states(books, id) == [RowState.CREATED, RowState.CREATED, RowState.BAD]
    assert sorted(row["name"] for row in world.rows(Customer)) == ["Bad phone", "Good"]
    world.li.do(undoing.begin_undoing, id)
    books.run()
    assert [row["deleted_at"] is not None for row in world.rows(Customer)] == [True, True]


def test_giving_up_a_later_correction_leaves_what_was_imported(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    corrected(books, id, lambda page: setattr(page["F3"], "value", "10010"))
    with pytest.raises(ImportEnded):
        world.li.do(batches.read_anew, id, batches.Choices())
    world.li.do(batches.cancel, id)
    assert books.batch(id)["state"] == ImportState.PARTLY
    world.li.do(undoing.begin_undoing, id)
    books.run()
    assert [row["deleted_at"] is not None for row in world.rows(Customer)] == [True]


@pytest.mark.parametrize(
    ("step", "end"),
    [((batches.cancel,), ImportState.CANCELLED), ((batches.read_anew, batches.Choices()), ImportState.READ)],
)
def test_what_ends_before_its_corrected_file_is_read_rests(
    world: World, books: ResultBooks, step: Any, end: ImportState
) -> None:
    id = books.checked(ROWS)
    give_back(books, id, books.sheet([*ROWS, ["More", None, None, None]]))
    use_case, *more = step
    world.li.do(use_case, id, *more)
    books.run()

    batch = books.batch(id)
    assert (batch["state"], batch["returned"]) == (end, None)
    assert batch["rows"] == (3 if end is ImportState.READ else 0)
    assert len([*world.backend.files.folder.glob("*")]) == (2 if end is ImportState.READ else 1)  # with the test's own


def test_the_results_of_another_reading_correct_nothing(world: World, books: ResultBooks) -> None:
    id = books.begin(
        "li", books.sheet(ROWS, second=[HEADINGS, ["Else", None, None, None], ["Other", None, None, None]])
    )
    books.run()
    world.li.do(mapping.set_mapping, id, mapping.Plan(COLUMNS))
    books.run()
    old = books.written(id).read_bytes()
    world.li.do(batches.read_anew, id, batches.Choices(sheet="Second"))
    with pytest.raises(ResultNotReady):
        world.li.do(results.download, id)
    books.run()
    world.li.do(mapping.set_mapping, id, mapping.Plan(COLUMNS))
    books.run()

    give_back(books, id, old)
    books.run()

    batch = books.batch(id)
    assert (batch["state"], batch["error_code"], edits(books, id)) == (ImportState.CHECKED, "OTHER_WORKBOOK", {})
    assert batch["error_zh"] == "这不是此导入的修正文件：它生成于文件按另一种方式重新读取之前。未作任何更改。"


def test_an_import_that_is_undone_takes_no_corrected_file_over(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    give_back(books, id, books.sheet([*ROWS, ["More", None, None, None]]))
    world.li.do(undoing.begin_undoing, id)
    books.run()

    assert (books.batch(id)["state"], books.batch(id)["returned"]) == (ImportState.UNDONE, None)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_corrected_file_whose_job_was_cancelled_is_read_again_or_given_up(
    world: World, books: ResultBooks, *, is_known: bool
) -> None:
    id = books.checked(ROWS)
    give_back(books, id, books.sheet([*ROWS, ["More", None, None, None]]))
    world.li.do(control.cancel, books.batch(id)["job_id"])
    if not is_known:
        table: Any = ImportBatch.__table__
        with world.backend.writer.engine.begin() as connection:  # as the clean-up of jobs leaves it
            connection.execute(table.update().values(job_id=None))

    world.li.do(batches.go_on, id)
    books.run()

    batch = books.batch(id)
    assert (batch["state"], batch["returned"], batch["rows"]) == (ImportState.CHECKED, None, 4 if is_known else 3)
    if not is_known:
        world.li.do(applying.confirm, id)


def test_what_ended_too_long_ago_takes_no_corrected_file_and_one_that_came_in_time_is_waited_for(
    world: World, books: ResultBooks
) -> None:
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    content = books.sheet([*ROWS, ["More", None, None, None]])
    world.clock.pass_by(days=KEPT.days, hours=-1)
    give_back(books, id, content)
    world.clock.pass_by(hours=2)
    Engine(world.backend, "clock", kinds=("expire_imports",)).run_due()
    assert len(books.rows_of(id)) == 3
    books.run()
    assert (books.batch(id)["state"], len(books.rows_of(id))) == (ImportState.CHECKED, 4)

    world.li.do(batches.cancel, id)
    world.clock.pass_by(days=KEPT.days)
    with pytest.raises(ImportRowsGone):
        give_back(books, id, books.sheet([*ROWS, ["Late", None, None, None]]))


def test_a_killed_process_takes_each_correction_over_once(
    world: World, books: ResultBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returning, "AT_ONCE", 3)
    id = books.checked([HEADINGS, *([f"Firm {n}", None, "12", None] for n in range(8))])
    take, killed = returning.take, 0

    def dies(scope: Any, db: Any, id: int, stored: str, part: Any, memory: Any) -> Any:
        nonlocal killed
        if killed < 3:
            killed += 1
            memory.clear()
            if killed != 2:
                raise RuntimeError("killed")
        return take(scope, db, id, stored, part, memory)

    monkeypatch.setattr(returning, "take", dies)

    def correct(page: Any) -> None:
        for at in range(2, 10):
            page.cell(at, 6).value = 10010
        for n in range(4):
            page.append([None, None, None, f"Fresh {n}", None, None, None])

    corrected(books, id, correct)
    for _ in range(6):
        world.clock.pass_by(hours=2)
        books.run()
    assert killed == 3
    assert states(books, id) == [RowState.GOOD] * 12
    assert [row["cells"][0] for row in books.rows_of(id).values()][8:] == [f"Fresh {n}" for n in range(4)]
    assert books.batch(id)["rows"] == 12
