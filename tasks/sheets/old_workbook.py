"""An old workbook (.xls) as a table, read by xlrd, which keeps errors, formats and hidden rows.  It has 65,536 rows at most."""

import os
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import xlrd
from xlrd.biffh import XLRDError, error_text_from_code

from models.sheet_cells import ERROR, Cell, moment, number

from .limits import Limits
from .number_formats import Shape, shape_of
from .overview import Choices, Sheet
from .refused import Refused, damaged
from .table import Row, Table
from .workbook import choose_sheet
from .workbook_parts import SheetPart

_BROKEN = (
    XLRDError,
    struct.error,
    IndexError,
    KeyError,
    ValueError,
    AssertionError,
    TypeError,
    AttributeError,
    OSError,
)
"""What xlrd raises at damaged files."""


def open_old_workbook(path: str, choices: Choices, limits: Limits, *, count_sheets: bool) -> Table:
    """Refuses: passwords, OLE files of other kinds, and damaged ones."""
    book = _open(path)
    parts = [
        SheetPart(book.sheet_names()[at], bool(book.sheet_by_index(at).visibility), str(at))
        for at in range(book.nsheets)
    ]
    chosen = choose_sheet(parts, choices.sheet, lambda part: _sheet(book, part).nrows > 0)
    sheet = _sheet(book, chosen)
    if sheet.ncols > limits.columns:
        raise Refused("TOO_MANY_COLUMNS", sheet=chosen.name, limit=limits.columns)
    return Table(
        "xls",
        path,
        chosen.name,
        _rows(book, sheet),
        [Sheet(part.name, part.hidden, _sheet(book, part).nrows) for part in parts if count_sheets],
        [(top + 1, first, bottom, last - 1) for top, bottom, first, last in sheet.merged_cells],
        macros="_VBA_PROJECT_CUR".encode("utf-16-le") in _bytes(path),
    )


def _open(path: str) -> Any:
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            return xlrd.open_workbook(path, logfile=nowhere, formatting_info=True, on_demand=True)
    except _BROKEN as error:
        if "encrypted" in str(error):
            raise Refused("SHEET_HAS_PASSWORD") from None
        if "workbook" in str(error) or "Expected BOF" in str(error):
            raise Refused("NO_SHEET", kind="no workbook inside", kind_zh="其他类型的文件") from None
        raise damaged() from None


def _sheet(book: Any, part: SheetPart) -> Any:
    try:
        return book.sheet_by_index(int(part.part))
    except _BROKEN:
        raise damaged() from None


def _rows(book: Any, sheet: Any) -> Iterator[Row]:
    shapes: dict[int, Shape | None] = {}
    for row in range(sheet.nrows):
        about = sheet.rowinfo_map.get(row)
        cells = [
            _cell(book, kind, value, style, shapes)
            for kind, value, style in zip(
                sheet.row_types(row),
                sheet.row_values(row),
                (sheet.cell_xf_index(row, column) for column in range(sheet.row_len(row))),
                strict=True,
            )
        ]
        yield row + 1, bool(about and about.hidden), cells


def _cell(book: Any, kind: int, value: Any, style: int, shapes: dict[int, Shape | None]) -> Cell:
    if kind == xlrd.XL_CELL_TEXT:
        return value or None
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return [ERROR, error_text_from_code.get(value, "#VALUE!")]
    if kind == xlrd.XL_CELL_DATE:
        return _date(value, book.datemode)
    if kind != xlrd.XL_CELL_NUMBER:
        return None
    shape = _shape(book, style, shapes)
    return shape.show(repr(value), since_1904=bool(book.datemode)) if shape else number(value)


def _shape(book: Any, style: int, shapes: dict[int, Shape | None]) -> Shape | None:
    if style not in shapes:
        id = book.xf_list[style].format_key
        known = book.format_map.get(id)
        shapes[style] = shape_of(known.format_str if known and known.format_str else None, id)
    return shapes[style]


def _date(value: float, since_1904: int) -> Cell:
    if 0 <= value < 1:
        seconds = round(value * 86_400)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}" + (f":{seconds % 60:02d}" if seconds % 60 else "")
    try:
        return moment(datetime(*xlrd.xldate_as_tuple(value, since_1904)))  # noqa: DTZ001  # cells have no zone
    except (xlrd.XLDateError, ValueError):
        return number(value)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
