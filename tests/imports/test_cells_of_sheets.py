"""What a person sees in a sheet is what is read: phones, formats, dates of both epochs, errors and formulas."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
import xlwt

from models.sheet_cells import Cell, column_index, column_letters, kind, text
from resolvers.imports.plain_values import text_of
from tests.imports.conftest import Reader
from tests.support.workbook_files import data, letters, parts, write

Make = Callable[..., Reader]


NIGHT = datetime.fromisoformat("2026-06-30T00:00:00")
EVENING = datetime.fromisoformat("2026-06-30T17:39:31")


def one_column(path: Path, cells: list[str], header: str = "电话", **more: Any) -> Path:
    """A workbook whose column A holds these cells, given as XML after `<c r="A2"`."""
    head = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{header}</t></is></c></row>'
    below = "".join(f'<row r="{at}"><c r="A{at}"{cell}</row>' for at, cell in enumerate(cells, 2))
    return write(path, parts(data(head, below), **more))


def with_openpyxl(path: Path, values: list[Any], epoch_1904: bool = False) -> Path:
    book = openpyxl.Workbook()
    if epoch_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "日期"
    for at, value in enumerate(values, 2):
        sheet.cell(at, 1).value = value
    book.save(path)
    return path


def test_n01_phones_that_became_numbers_keep_their_digits(tmp_path: Path, reader: Make) -> None:
    path = one_column(
        tmp_path / "phones.xlsx",
        [
            "><v>13800138000</v></c>",
            "><v>13800138000.0</v></c>",
            "><v>1.38001380E10</v></c>",
            ' t="inlineStr"><is><t>013800138000</t></is></c>',
            ' t="inlineStr"><is><t>+86 138 0013 8000</t></is></c>',
        ],
    )

    cells = reader(path).cells()

    assert [text_of(cell) for cell in cells] == ["13800138000"] * 3 + ["013800138000", "+86 138 0013 8000"]


def test_n01_digits_that_a_csv_has_lost_are_flagged(reader: Make) -> None:
    cells = reader("电话,编号\n1.38E+10,8.6138E+17\n13800138000,861380013800012345\n".encode()).rows()

    assert cells[0][1] == [["lost", "1.38E+10"], ["lost", "8.6138E+17"]]
    assert cells[1][1] == ["13800138000", "861380013800012345"]


def test_digits_that_excel_has_cut_off_are_flagged_and_not_invented(tmp_path: Path, reader: Make) -> None:
    path = one_column(tmp_path / "ids.xlsx", ["><v>8.61380013800012E+17</v></c>", "><v>999999999999999</v></c>"])

    assert reader(path).cells() == [["lost", "861380013800012000"], 999_999_999_999_999]


@pytest.mark.parametrize(
    ("format", "stored", "seen"),
    [
        ("000000", "42", "000042"),
        ('"C"0000', "42", "C0042"),
        ("\\K\\H0000", "7", "KH0007"),
        ("0%", "0.15", "15%"),
        ("0.00%", "0.12345", "12.345%"),
        ("0.00", "1.5", 1.5),
        ('#,##0.00"元"', "1234.5", 1234.5),
        ('"¥"0', "12", 12),
        ("[Red]0", "3", 3),
        ("000000", "1234567", "1234567"),
        ("000000", "-5", -5),
        ("000", "2.5", 2.5),
        ("@", "13800138000", 13_800_138_000),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(
    tmp_path: Path, reader: Make, format: str, stored: str, seen: Cell
) -> None:
    path = one_column(tmp_path / "formats.xlsx", [f' s="1"><v>{stored}</v></c>'], styles=[(164, format)])

    assert reader(path).cells() == [seen]


@pytest.mark.parametrize("id", [27, 31, 36, 57, 58])
def test_dates_in_formats_that_chinese_excel_names_by_number_alone(tmp_path: Path, reader: Make, id: int) -> None:
    path = one_column(tmp_path / "chinese.xlsx", [' s="1"><v>46203</v></c>'], styles=[(id, None)])

    assert reader(path).cells() == [["date", "2026-06-30"]]


def test_n03_each_date_is_read_by_its_own_kind(tmp_path: Path, reader: Make) -> None:
    values = [
        date(2026, 6, 30),
        NIGHT,
        EVENING,
        "2026-06-30",
        "30/06/2026",
        time(17, 39, 31),
        timedelta(hours=30),
    ]

    cells = reader(with_openpyxl(tmp_path / "dates.xlsx", values)).cells()

    assert cells == [
        ["date", "2026-06-30"],
        ["date", "2026-06-30"],
        ["time", "2026-06-30T17:39:31"],
        "2026-06-30",
        "30/06/2026",
        "17:39:31",
        "30:00:00",
    ]


def test_n03_dates_of_the_other_epoch_are_the_same_days(tmp_path: Path, reader: Make) -> None:
    path = with_openpyxl(tmp_path / "mac.xlsx", [date(2026, 6, 30), EVENING], epoch_1904=True)

    assert reader(path).cells() == [["date", "2026-06-30"], ["time", "2026-06-30T17:39:31"]]


def test_dates_of_the_other_epoch_in_formats_without_a_code(tmp_path: Path, reader: Make) -> None:
    book = '<workbookPr date1904="1"/>'
    path = one_column(tmp_path / "mac.xlsx", [' s="1"><v>44741</v></c>'], styles=[(31, None)], book=book)

    assert reader(path).cells() == [["date", "2026-06-30"]]


def test_n13_errors_are_told_by_name_and_formulas_by_their_stored_result(tmp_path: Path, reader: Make) -> None:
    path = one_column(
        tmp_path / "formulas.xlsx",
        [
            ' t="e"><v>#N/A</v></c>',
            ' t="e"><f>A99+Gone!B2</f><v>#REF!</v></c>',
            ' t="e"><f>1/0</f><v>#DIV/0!</v></c>',
            "><f>20+22</f><v>42</v></c>",
            "><f>20+22</f></c>",
            "><f>20+22</f><v/></c>",
            ' t="str"><f>""</f><v></v></c>',
            ' t="str"><f>A1&amp;"x"</f><v>电话x</v></c>',
            ' t="inlineStr"><is><t>=HYPERLINK("http://127.0.0.1:1/","x")</t></is></c>',
            "><f>'[1]Other book'!A1</f><v>7</v></c>",
        ],
    )

    by_row = dict(reader(path).rows())

    assert [by_row[at][0] for at in range(2, 8)] == [
        ["error", "#N/A"],
        ["error", "#REF!"],
        ["error", "#DIV/0!"],
        42,
        ["formula", ""],
        ["formula", ""],
    ]
    assert 8 not in by_row
    assert [by_row[at][0] for at in (9, 10, 11)] == ["电话x", '=HYPERLINK("http://127.0.0.1:1/","x")', 7]


def test_n13_cells_that_readers_drop_are_kept_below_and_beside_all_others(tmp_path: Path, reader: Make) -> None:
    error = '<c r="{0}" t="e"><v>#N/A</v></c>'
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>编号</t></is></c></row>',
        f'<row r="2"><c r="A2"><v>1</v></c>{error.format("D2")}</row>',
        f'<row r="9">{error.format("B9")}</row>',
    )
    path = write(tmp_path / "edges.xlsx", parts(data(*rows)))

    assert reader(path).rows() == [(2, [1, None, None, ["error", "#N/A"]]), (9, [None, ["error", "#N/A"], None, None])]


def test_cells_without_references_are_counted(tmp_path: Path, reader: Make) -> None:
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>',
        '<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row>',
        "<row><c/><c><f>1</f></c></row>",
    )
    path = write(tmp_path / "bare.xlsx", parts(data(*rows)))

    assert reader(path).rows() == [(2, [1, ["error", "#N/A"]]), (3, [None, ["formula", ""]])]


def test_another_prefix_and_single_quotes_are_the_same_workbook(tmp_path: Path, reader: Make) -> None:
    made = parts(
        data(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>',
            '<row r="2" hidden="1"><c r="A2" s="1"><v>5</v></c><c r="B2" t="e"><v>#N/A</v></c></row>',
        ),
        styles=[(164, "000")],
    )
    sheet = "xl/worksheets/sheet1.xml"
    body = made[sheet].partition("?>")[2].replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    made[sheet] = body.replace("xmlns=", "xmlns:x=").replace('"', "'")
    path = write(tmp_path / "prefix.xlsx", made)

    assert reader(path).rows(hidden_rows=True) == [(2, ["005", ["error", "#N/A"]])]
    assert reader(path).overview().hidden_rows == 1


def test_an_old_workbook_says_the_same(tmp_path: Path, reader: Make) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("客户")
    book.add_sheet("旧").visibility = 1
    for at, header in enumerate(["电话", "编号", "日期", "错误", "是否"]):
        sheet.write(0, at, header)
    sheet.write(1, 0, 13_800_138_000.0)
    sheet.write(1, 1, 42, xlwt.easyxf(num_format_str="000000"))
    sheet.write(1, 2, EVENING, xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss"))
    sheet.row(1).set_cell_error(3, 0x2A)
    sheet.write(1, 4, True)
    sheet.row(2).hidden = True
    sheet.write(2, 0, "x")
    sheet.write_merge(3, 4, 0, 0, "merged")
    book.save(str(tmp_path / "old.xls"))

    found = reader(tmp_path / "old.xls")

    assert found.rows() == [
        (2, [13_800_138_000, "000042", ["time", "2026-06-30T17:39:31"], ["error", "#N/A"], True]),
        (4, ["merged", None, None, None, None]),
    ]
    overview = found.overview()
    assert (overview.kind, overview.hidden_rows, overview.merged) == ("xls", 1, ["A4:A5"])
    assert [(sheet.name, sheet.hidden) for sheet in overview.sheets] == [("客户", False), ("旧", True)]


def test_every_kind_of_cell_survives_json_and_has_its_words() -> None:
    cells: list[Cell] = [
        None,
        "x",
        1,
        1.5,
        True,
        ["date", "2026-06-30"],
        ["time", "2026-06-30T17:39:31"],
        ["error", "#N/A"],
    ]

    assert orjson.loads(orjson.dumps(cells)) == cells
    assert [kind(cell) for cell in cells] == ["blank", "text", "number", "number", "yes/no", "date", "time", "error"]
    assert [text(cell) for cell in cells[3:7]] == ["1.5", "TRUE", "2026-06-30", "2026-06-30 17:39:31"]
    assert text(0.00001) == "0.00001"


@pytest.mark.parametrize("index", [0, 25, 26, 51, 701, 702, 16_383])
def test_columns_have_the_letters_of_excel(index: int) -> None:
    assert column_letters(index) == letters(index) == openpyxl.utils.get_column_letter(index + 1)
    assert column_index(column_letters(index)) == index
