"""Result workbooks: the rows as they came, each with its state and its reasons, and the wrong ones in sight."""

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from models import User
from models.errors import ImportRowsGone, NotChecked, NotFound, ResultGone, ResultNotReady
from models.import_batch import ImportState
from resolvers.imports import applying, batches, mapping, results
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from tasks.workbooks.texts import cell_text
from tests.support.panel import Panel
from tests.support.result_books import HEADINGS, ResultBooks
from tests.support.world import World


@pytest.fixture
def books(world: World, tmp_path: Path) -> ResultBooks:
    return ResultBooks(world, tmp_path / "files")


ROWS: list[list[Any]] = [
    HEADINGS,
    ["Good", None, "013800138000", "Internet"],
    ["Bad word", None, None, "电商"],
    ["Bad phone", None, 12, None],
    ["Good too", None, "10086", None],
]


def test_imp_03_the_result_says_of_each_row_what_is_wrong_with_which_cell(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    page = books.book(id).worksheets[0]

    values = [[cell.value for cell in row] for row in page.iter_rows()]
    assert values[0] == ["Import status", "Reasons", "Row", *HEADINGS]
    assert [row[0] for row in values[1:]] == ["Good", "Wrong", "Wrong", "Good"]
    assert [row[2].partition("-")[0] for row in values[1:]] == ["2", "3", "4", "5"]
    assert values[1][3:] == ["Good", None, "013800138000", "Internet"]
    assert "“电商” is not in the list; choose" in values[2][1]
    assert values[3][1] == "“12” is no phone number."
    assert [cell.comment is not None for cell in page[4]] == [False] * 5 + [True, False]
    assert page["F4"].comment.text == "“12” is no phone number."
    assert "is not in the list" in page["G3"].comment.text
    assert page["A2"].fill.fgColor.rgb != page["A3"].fill.fgColor.rgb
    assert page["E3"].fill.fgColor.rgb == page["A3"].fill.fgColor.rgb != page["G3"].fill.fgColor.rgb
    assert page.column_dimensions["C"].hidden
    assert page.freeze_panes == "D2"


def test_only_the_wrong_rows_are_in_sight(world: World, books: ResultBooks) -> None:
    page = books.book(books.checked(ROWS)).worksheets[0]
    assert [bool(page.row_dimensions[at].hidden) for at in range(1, 6)] == [False, True, False, False, True]
    assert page.auto_filter.ref == "A1:G5"
    (column,) = page.auto_filter.filterColumn
    assert (column.colId, column.filters.filter) == (0, ["Wrong", "Not imported"])


def test_without_a_wrong_row_all_are_in_sight(world: World, books: ResultBooks) -> None:
    page = books.book(books.checked([HEADINGS, ["Good", None, None, None]])).worksheets[0]
    assert not page.row_dimensions[2].hidden
    assert page.auto_filter.filterColumn == []


def test_no_text_of_a_user_becomes_a_formula(world: World, books: ResultBooks) -> None:
    texts = ["=1+1", "+1", "-1", "@A1", "=cmd|' /C calc'!A0", "_x0041_", "a b", "000123"]
    id = books.begin("li", "\n".join(["客户名称,备注", *(f"{each},{each}" for each in texts)]).encode())
    books.run()
    world.li.do(mapping.set_mapping, id, Plan({0: "name"}))
    books.run()
    made = books.written(id).read_bytes()
    page = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    found = [page.cell(at, 4) for at in range(2, 2 + len(texts))]
    assert {cell.data_type for cell in found} == {"s"}
    assert [cell.value for cell in found] == [cell_text(each) for each in texts]
    xml = zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<f " not in xml


def test_it_speaks_the_language_of_its_reader(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.system.do(create_update.update, User, world.ids["li"], {"language": "zh"})
    page = books.book(id).worksheets[0]
    assert [page.cell(1, at).value for at in (1, 2, 3)] == ["导入状态", "原因说明", "行号"]
    assert [page.cell(at, 1).value for at in (2, 3)] == ["正确", "有误"]
    assert "“电商”不在列表中" in page["B3"].value
    assert not set(page["B3"].value) & set(",;:!?()")
    assert world.li.do(results.download, id).name == "客户（导入结果）.xlsx"


def test_after_the_import_it_says_what_has_become_of_each_row(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    page = books.book(id).worksheets[0]
    assert [page.cell(at, 1).value for at in (2, 3, 5)] == ["Newly created", "Wrong", "Newly created"]


def test_types_of_cells_are_kept(world: World, books: ResultBooks) -> None:
    from datetime import date, datetime

    row = ["A", None, date(2026, 6, 30), datetime(2026, 6, 30, 17, 39), 12.5, True, "#N/A"]  # noqa: DTZ001  no zone
    id = books.checked([[*HEADINGS[:2], "Day", "Moment", "Number", "Flag", "Text"], row], columns={0: "name"})
    page = books.book(id).worksheets[0]
    assert [page.cell(2, at).value for at in range(6, 11)] == [
        datetime(2026, 6, 30),  # noqa: DTZ001
        datetime(2026, 6, 30, 17, 39),  # noqa: DTZ001
        12.5,
        True,
        "#N/A",
    ]


# --- asking for it ---------------------------------------------------------------------------------------


def test_it_belongs_to_who_imports_and_is_refused_before_it_is_there(world: World, books: ResultBooks) -> None:
    id = books.begin("li", books.sheet(ROWS))
    with pytest.raises(NotChecked):
        world.li.do(results.begin, id)
    id = books.checked(ROWS)
    for use_case in (results.begin, results.download):
        with pytest.raises(NotFound):
            world.mei.do(use_case, id)
    with pytest.raises(ResultNotReady):
        world.li.do(results.download, id)
    world.li.do(results.begin, id)
    with pytest.raises(ResultNotReady):
        world.li.do(results.download, id)
    books.run()
    assert world.li.do(results.download, id).size > 1_000


def test_one_asked_for_anew_takes_the_place_of_the_first(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    first = books.written(id)
    world.li.do(results.begin, id)
    world.li.do(results.begin, id)
    books.run()
    second = world.backend.files.path(world.li.do(results.download, id).stored)
    assert (first.exists(), second.exists()) == (False, True)
    stem = books.batch(id)["file"].partition(".")[0]
    assert len([*world.backend.files.folder.glob(f"{stem}.*")]) == 2
    second.unlink()
    with pytest.raises(ResultGone):
        world.li.do(results.download, id)


def test_a_cancelled_import_has_no_result(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    path = books.written(id)
    world.li.do(batches.cancel, id)
    assert not path.exists()
    with pytest.raises((NotChecked, ImportRowsGone)):
        world.li.do(results.begin, id)
    with pytest.raises(ResultGone):
        world.li.do(results.download, id)


def test_a_workbook_that_is_written_while_its_import_is_cancelled_is_deleted(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    world.li.do(results.begin, id)
    world.li.do(batches.cancel, id)
    books.run()
    kept = {path.name for path in world.backend.files.folder.glob("*")}
    assert not any(name.startswith(books.batch(id)["file"].partition(".")[0]) for name in kept)


def test_what_a_lost_process_has_begun_is_written_anew(
    world: World, books: ResultBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "AT_ONCE", 2)
    id = books.checked([HEADINGS, *([f"Firm {n}", None, None, None] for n in range(7))])
    prepare, lost = results.prepare, 0

    def forgets(scope: Any, id: int, file: str, position: int, memory: Any, make: Any) -> Any:
        nonlocal lost
        if position and lost < 2:
            lost += 1
            memory.clear()
        return prepare(scope, id, file, position, memory, make)

    monkeypatch.setattr(results, "prepare", forgets)
    page = books.book(id).worksheets[0]
    assert lost == 2
    assert [page.cell(at, 4).value for at in range(2, page.max_row + 1)] == [f"Firm {n}" for n in range(7)]
    assert [*world.backend.files.folder.glob("*.sheet")] == []


def test_the_door_sends_it_to_its_maker_alone(world: World, books: ResultBooks) -> None:
    id = books.checked(ROWS)
    li, mei = Panel(world).of("li"), Panel(world).of("mei")
    assert li.get(f"/files/imp_{id}").status_code == 409
    books.written(id)
    answer = li.get(f"/files/imp_{id}")
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
    assert "%EF%BC%88" not in answer.headers["content-disposition"]
    assert "results.xlsx" in answer.headers["content-disposition"]
    assert mei.get(f"/files/imp_{id}").status_code == 404
    assert books.batch(id)["state"] == ImportState.CHECKED


def test_a_row_to_look_at_says_of_what_it_warns_and_stays_good(world: World, books: ResultBooks) -> None:
    with world.backend.writer.engine.begin() as connection:  # duplicates count as in a new installation
        connection.execute(text("DELETE FROM duplicate_rule"))
    world.customer("Somebody else", "li", phone="13800138000")
    page = books.book(books.checked([HEADINGS, ["New", None, "138 0013 8000", None]])).worksheets[0]
    assert page["A2"].value == "Good, look at it"
    assert "Somebody else" in page["B2"].value
    assert page["A2"].fill.fgColor.rgb == "FFFFF3D6"
