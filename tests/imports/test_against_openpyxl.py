"""Whatever openpyxl writes is read as openpyxl reads it, cell by cell, by another reader in another process."""

import string
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.sheet_cells import Cell
from tasks.sheets.overview import Choices
from tasks.sheets.reading import inspect, rows
from tests.support import forms

WIDTH = 5
TEXT = st.text(
    st.one_of(
        st.sampled_from(string.ascii_letters + string.digits + " '\"<>&=+-@,;|()"),
        st.characters(min_codepoint=0xA1, max_codepoint=0x2FFFF, exclude_categories=["Cc", "Cs", "Cn", "Co"]),
        st.just("\n"),
    ),
    min_size=1,
    max_size=30,
).filter(lambda text: not text.startswith("=") and text[:1] != "#" and text.strip() != "")
ERRORS = st.sampled_from(["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"])
MOMENTS = st.datetimes(datetime.fromisoformat("1904-01-02"), datetime.fromisoformat("9999-12-30")).map(
    lambda moment: moment.replace(microsecond=0)
)
VALUES = st.one_of(
    st.none(),
    TEXT,
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.floats(-1e14, 1e14, allow_nan=False),
    st.booleans(),
    MOMENTS,
    MOMENTS.map(datetime.date),
    ERRORS,
)
TABLES = st.lists(st.lists(VALUES, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=12)


def write(path: Path, table: list[list[Any]], hidden: set[int], *, since_1904: bool) -> None:
    book = openpyxl.Workbook()
    if since_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append([f"column {at}" for at in range(WIDTH)])
    for number, row in enumerate(table, 2):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "e" if value.startswith("#") else "s"
    for number in hidden:
        sheet.row_dimensions[number].hidden = True
    book.save(path)


def by_openpyxl(path: Path) -> dict[int, list[Cell]]:
    sheet = openpyxl.load_workbook(path, data_only=True).active
    assert sheet is not None
    return {
        number: [as_cell(cell.value, cell.data_type) for cell in row]
        for number, row in enumerate(sheet.iter_rows(min_row=2, max_col=WIDTH), 2)
        if any(cell.value is not None for cell in row)
    }


def as_cell(value: Any, type: str) -> Cell:
    """What the oracle read, in our terms."""
    if type == "e":
        return ["error", value]
    if isinstance(value, datetime):
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return ["date", f"{value:%Y-%m-%d}"] if midnight else ["time", f"{value:%Y-%m-%dT%H:%M:%S}"]
    if isinstance(value, date):
        return ["date", f"{value:%Y-%m-%d}"]
    if isinstance(value, float):
        seen = Decimal(f"{value:.15g}")
        return int(seen) if seen == int(seen) else float(seen)
    assert value is None or isinstance(value, str | int)
    return value


@pytest.mark.sampled
@pytest.mark.parametrize("examples", [12, pytest.param(300 if forms.IS_THOROUGH else 60, marks=pytest.mark.long)])
def test_both_readers_agree_on_every_cell(tmp_path: Path, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(table=TABLES, hidden=st.sets(st.integers(2, 13), max_size=3), since_1904=st.booleans())
    def agree(table: list[list[Any]], hidden: set[int], since_1904: bool) -> None:
        path = tmp_path / "generated.xlsx"
        write(path, table, hidden, since_1904=since_1904)
        expected = by_openpyxl(path)

        read = list(rows(str(path), Choices(header_row=1, hidden_rows=True)))
        overview = inspect(str(path), path.name, Choices(header_row=1))

        assert {row.number: padded(row.cells) for row in read} == expected
        assert {row.number for row in read if row.hidden} == hidden & set(expected)
        assert (overview.rows, overview.hidden_rows) == (len(expected), len(hidden & set(expected)))

    agree()


def padded(cells: list[Cell]) -> list[Cell]:
    return cells + [None] * (WIDTH - len(cells))


def test_a_cell_of_spaces_alone_is_blank_and_so_is_a_row_of_such_cells(tmp_path: Path) -> None:
    """Nobody sees that it holds anything; openpyxl gives the space."""
    path = tmp_path / "spaces.xlsx"
    write(path, [[None, None, None, None, " "], [" a ", None, None, None, " "]], set(), since_1904=False)

    (read,) = rows(str(path), Choices(header_row=1, hidden_rows=True))

    assert (read.number, padded(read.cells)) == (3, [" a ", None, None, None, None])
