"""Where a table begins and ends: headers, gaps, merged cells, hidden rows and sheets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.imports.conftest import Reader
from tests.support.workbook_files import data, parts, write

Make = Callable[..., Reader]


def saved(path: Path, *rows: list[Any], then: Callable[[Any], None] = lambda _: None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    then(book)
    book.save(path)
    return path


def test_n09_headers_as_people_make_them(tmp_path: Path, reader: Make) -> None:
    path = saved(
        tmp_path / "headers.xlsx",
        ["2026年第二季度客户名单"],
        [],
        ["客户名称*", " 电话 ", "联系\n电话", "\u3000地\u3000址\u3000", "电话", "联系方式", None, None],
        ["甲公司", "1", "2", "3", "4", "5", "6", "7"],
        ["乙公司", "1", "2", "3", "4", "5", "6", "7"],
        then=lambda book: (book.active.merge_cells("A1:H1"), book.active.merge_cells("F3:G3")),
    )

    overview = reader(path).overview()

    assert overview.header_row == 3
    assert [(column.letters, column.name) for column in overview.columns] == [
        ("A", "客户名称"),
        ("B", "电话"),
        ("C", "联系电话"),
        ("D", "地址"),
        ("E", "电话 (2)"),
        ("F", "联系方式"),
        ("G", "联系方式 (2)"),
        ("H", "H"),
    ]
    assert [column.samples for column in overview.columns[:2]] == [["甲公司", "乙公司"], ["1", "1"]]
    assert reader(path).overview(header_row=1).header_row == 1
    assert overview.merged == []


def test_n09_a_name_that_looks_like_a_counted_twin_stays_apart(reader: Make) -> None:
    assert reader("电话,电话 (2),电话\n1,2,3\n".encode()).names() == ["电话", "电话 (2)", "电话 (3)"]


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ([], 1),
        ([["客户名单"]], 2),
        ([["导出时间：2026-06-30", "操作人：张三"]], 2),
        ([["基本信息", None, "联系方式"]], 2),
        ([["客户名单"], [], ["说明：带星号的列必填"]], 4),
    ],
)
def test_a_line_above_the_headers_is_passed_over(
    tmp_path: Path, reader: Make, above: list[list[Any]], row: int
) -> None:
    table = [
        ["客户名称", "联系人", "电话", "日期", "额度"],
        *[[f"公司{at}", "张三", "13800138000", "2026-06-30", at] for at in range(9)],
    ]

    assert reader(saved(tmp_path / "above.xlsx", *above, *table)).overview().header_row == row


def test_a_header_row_that_is_not_there_is_refused(reader: Make) -> None:
    refusal = reader(b"a,b\n1,2\n").refusal(header_row=9)

    assert refusal.code() == "NO_HEADER_ROW"
    assert refusal.say("zh") == "工作表“CSV”没有第 9 行。请选择表头所在的行。"


def test_n11_gaps_shift_nothing_and_end_nothing(tmp_path: Path, reader: Make) -> None:
    head = "".join(f'<c r="{x}1" t="inlineStr"><is><t>{x}</t></is></c>' for x in "ABC")
    rows = [
        f'<row r="1">{head}</row>',
        '<row r="2"><c r="A2"><v>1</v></c><c r="C2"><v>3</v></c></row>',
        '<row r="3"><c r="A3" s="0"/><c r="B3"><v>2</v></c><c r="C3"><v>3</v></c></row>',
        '<row r="4"><c r="A4" s="0"/></row>',
        '<row r="5"/>',
        '<row r="606"><c r="A606"><v>9</v></c></row>',
        *[f'<row r="{at}"><c r="A{at}" s="0"/><c r="XFD{at}" s="0"/></row>' for at in range(607, 625)],
        '<row r="1048576" ht="15"/>',
    ]
    found = reader(write(tmp_path / "gaps.xlsx", parts(data(*rows))))

    assert found.rows() == [(2, [1, None, 3]), (3, [None, 2, 3]), (606, [9, None, None])]
    overview = found.overview()
    assert (overview.rows, overview.blank_rows, overview.last_row) == (3, 602, 606)


def test_n11_blank_records_of_a_csv_count_as_rows(reader: Make) -> None:
    found = reader(b'a,b\n1,"two\nlines"\n\n,\n5,x\n\n')

    assert found.rows() == [(2, ["1", "two\nlines"]), (5, ["5", "x"])]
    assert found.overview().blank_rows == 2


def test_merged_cells_are_told_and_filled_down_when_the_user_wants_it(tmp_path: Path, reader: Make) -> None:
    path = saved(
        tmp_path / "merged.xlsx",
        ["区域", "客户"],
        ["华东", "甲"],
        [None, "乙"],
        [None, "丙"],
        [None, "丁"],
        then=lambda book: book.active.merge_cells("A2:A4"),
    )

    assert reader(path).overview().merged == ["A2:A4"]
    assert reader(path).cells() == ["华东", None, None, None]
    assert reader(path).cells(fill_merged=True) == ["华东", "华东", "华东", None]


def test_hidden_rows_and_sheets_are_told_and_never_swallowed(tmp_path: Path, reader: Make) -> None:
    def hide(book: Any) -> None:
        book.active.title = "客户"
        book.active.row_dimensions[3].hidden = True
        for state in ("hidden", "veryHidden"):
            sheet = book.create_sheet(state)
            sheet.sheet_state = state
            sheet["A1"], sheet["A2"] = "x", 7

    found = reader(saved(tmp_path / "hidden.xlsx", ["客户"], ["甲"], ["乙"], ["丙"], then=hide))

    overview = found.overview()
    assert [(sheet.name, sheet.hidden, sheet.rows) for sheet in overview.sheets] == [
        ("客户", False, 4),
        ("hidden", True, 2),
        ("veryHidden", True, 2),
    ]
    assert (overview.sheet, overview.rows, overview.hidden_rows) == ("客户", 3, 1)
    assert found.rows() == [(2, ["甲"]), (4, ["丙"])]
    assert found.rows(hidden_rows=True) == [(2, ["甲"]), (3, ["乙"]), (4, ["丙"])]
    assert found.rows(sheet="hidden") == [(2, [7])]


def test_a_sheet_that_is_not_there_names_those_that_are(tmp_path: Path, reader: Make) -> None:
    refusal = reader(saved(tmp_path / "one.xlsx", ["a"], [1])).refusal(sheet="旧")

    assert refusal.say() == "The file has no sheet “旧” any more. Choose one of: Sheet."


def test_the_first_sheet_that_holds_something_is_read(tmp_path: Path, reader: Make) -> None:
    def empty_first(book: Any) -> None:
        book.create_sheet("说明", 0)

    assert reader(saved(tmp_path / "second.xlsx", ["a"], [1], then=empty_first)).overview().sheet == "Sheet"


def test_samples_are_the_first_fifty_cells_that_hold_something(reader: Make) -> None:
    lines = "\n".join(f"{at},{at if at > 100 else ''}" for at in range(200))
    overview = reader(f"a,b\n{lines}\n".encode()).overview()

    assert [len(column.samples) for column in overview.columns] == [50, 50]
    assert overview.columns[1].samples[0] == "101"
    assert [column.filled for column in overview.columns] == [200, 99]
