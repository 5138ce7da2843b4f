"""Workbooks and CSV: texts stay texts whatever they say, and nothing else is lost."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.csv_guard import guarded, unguarded
from models.export import ExportFormat
from resolvers.exports.cells import Cell
from resolvers.exports.kinds import ExportColumn, Holds
from resolvers.exports.writing import Sheet
from tasks.workbooks import book_for
from tasks.workbooks.texts import LONGEST_CELL, cell_text, cut, without_control
from tasks.workbooks.xlsx_book import XlsxBook

COLUMNS = [ExportColumn(f"c{n}", holds, ("", "")) for n, holds in enumerate((Holds.TEXT, Holds.AMOUNT, Holds.DAY))]
TEXTS = st.text(max_size=80) | st.builds(
    lambda mark, rest: mark + rest,
    st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'=", "''-", "#N/A", "0"]),
    st.text(max_size=20),
)


def sheet(folder: Path, format: ExportFormat = ExportFormat.XLSX) -> Sheet:
    folder.mkdir(exist_ok=True)
    return Sheet(
        title="Customers: all/every [one]",
        headings=["Name", "Amount", "Day"],
        columns=COLUMNS,
        format=format,
        maker="Li Na",
        at=datetime(2026, 11, 24, 8, tzinfo=UTC),
        language="en",
        scratch=str(folder / "scratch"),
    )


def written(folder: Path, rows: Sequence[Sequence[Cell]], format: ExportFormat = ExportFormat.XLSX) -> bytes:
    book = book_for(sheet(folder, format))
    for row in rows:
        book.add(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "#N/A", "=", "_x0041_", "\x01a", " x "])
@given(st.lists(TEXTS, min_size=1, max_size=12))
def test_no_text_becomes_a_formula_or_another_text(tmp_path: Path, texts: list[str]) -> None:
    made = written(tmp_path / "f", [[text] for text in texts])
    page = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    for text, (cell,) in zip(texts, page.iter_rows(min_row=2, max_row=len(texts) + 1, max_col=1), strict=True):
        wanted = cell_text(text)
        assert (cell.value or "") == wanted
        assert cell.data_type in ("s", "inlineStr", "n") if not wanted else cell.data_type in ("s", "inlineStr")
    xml = zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<f " not in xml


@settings(max_examples=300, deadline=None)
@example("'=1")
@example("+86 138 0013 8000")
@example("-1+cmd")
@given(TEXTS)
def test_what_csv_guards_is_taken_away_exactly(text: str) -> None:
    kept = guarded(text)
    assert unguarded(kept) == text or (kept == text and text.startswith("'"))
    assert kept[:1] not in ("=", "@", "\t", "\r")
    if kept[:1] in ("+", "-"):
        assert not set(kept) & set("=@|!\t\r\n'\"ABCDFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize("text", ["'=1", "''=1", "'-x", "'", "''", "'a", "=1", "-1", "+86", "@x", "", "\t", "\r1"])
def test_every_text_comes_back_from_csv(text: str) -> None:
    assert unguarded(guarded(text)) == text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=12))
def test_csv_holds_what_it_was_given(tmp_path: Path, texts: list[str]) -> None:
    made = written(tmp_path / "f", [[text, Decimal("1.50"), date(2026, 11, 24)] for text in texts], ExportFormat.CSV)
    assert made.startswith(b"\xef\xbb\xbf")
    rows = [*csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))]
    assert rows[0] == ["Name", "Amount", "Day"]
    assert [unguarded(row[0]) for row in rows[1:]] == [without_control(text) for text in texts]
    assert all(row[1:] == ["1.50", "2026-11-24"] for row in rows[1:])


def test_long_texts_are_cut_between_characters() -> None:
    assert len(cut("x" * 40_000)) == LONGEST_CELL
    assert cut("x" + "😀" * 20_000) == "x" + "😀" * ((LONGEST_CELL - 1) // 2)
    assert cut("短") == "短"


def test_values_keep_their_types_and_old_days_are_texts(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["a", Decimal("12.30"), date(2026, 2, 28)],
        ["b", None, date(1899, 1, 2)],
        [None, 7, None],
    ]
    page = openpyxl.load_workbook(io.BytesIO(written(tmp_path / "f", rows))).worksheets[0]
    found: list[list[Any]] = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert found[0] == ["a", 12.3, datetime.fromisoformat("2026-02-28")]
    assert found[1] == ["b", None, "1899-01-02"]
    assert found[2][:2] == [None, 7]


def test_what_does_not_fit_on_a_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    book = XlsxBook(sheet(tmp_path / "f"), most_rows=4)
    for n in range(7):
        book.add([str(n)])
    file = io.BytesIO()
    book.save(file)
    found = openpyxl.load_workbook(file)
    assert [page.title for page in found.worksheets] == [
        "Customers  all every  one",
        "Customers  all every  one 2",
        "Customers  all every  one 3",
    ]
    assert [[row[0].value for row in page.iter_rows()] for page in found.worksheets] == [
        ["Name", "0", "1", "2"],
        ["Name", "3", "4", "5"],
        ["Name", "6"],
    ]
    assert all(page.freeze_panes == "A2" for page in found.worksheets)
    assert [*(tmp_path / "f").iterdir()] == []
