"""Workbooks (.xlsx) written row by row: a bold heading that stays in sight, texts that never become formulas."""

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import Cell as PlainCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import ALL_TEMP_FILES, WorksheetWriter

from models.base import time_text
from resolvers.exports.cells import Cell
from resolvers.exports.kinds import Holds
from resolvers.exports.writing import Sheet

from .texts import cell_text

MOST_ROWS = 1_048_576
"""Maximum number of rows of one sheet, its heading included."""
TEXT, WHOLE, AMOUNT, DAY, MOMENT = "@", "0", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
"""Number formats.  TEXT keeps zeros at the beginning of numbers, also after somebody edits the cell."""
FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets count earlier days in a way of their own: such days are written as text."""
_WIDTHS = {Holds.DAY: 12, Holds.MOMENT: 20, Holds.AMOUNT: 16, Holds.WHOLE: 10, Holds.YES_NO: 10}
_HEAD = Font(bold=True), PatternFill("solid", fgColor="FFE8EEF4")


class _StyledCell(PlainCell):  # type: ignore[misc]  # openpyxl has no types
    """A cell whose style is looked up once, and which takes a text without a guess at what it may mean."""

    known_style = 0

    def settle(self, format: str) -> None:
        """Look the style up."""
        self.number_format = format
        self.known_style = super().style_id

    @property
    def has_style(self) -> bool:
        return True

    @property
    def style_id(self) -> int:
        return int(self.known_style)

    def put(self, text: str) -> None:
        """Hold a text that is one whatever it begins with: =, +, #N/A and the like."""
        self._value, self.data_type = cell_text(text), "s"


class _Page(WriteOnlyWorksheet):  # type: ignore[misc]  # as above
    """A sheet whose rows lie in a file of the export until the workbook is saved, and not among all temporary files."""

    scratch = ""
    _writer: Any = None

    def _get_writer(self) -> None:
        if self._writer is None:
            os.close(os.open(self.scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            self._writer = WorksheetWriter(self, out=self.scratch)
            ALL_TEMP_FILES.append(self.scratch)  # which the writer takes from there when it deletes the file
            self._writer.write_top()

    def _values_to_row(self, values: Sequence[Any], row_idx: int) -> Iterator[Any]:
        """The cells of a row in their places.  openpyxl would try each as a value before it takes it for a cell."""
        for place, cell in enumerate(values, 1):
            if cell is not None:
                cell.row, cell.column = row_idx, place
                yield cell

    def let_go(self) -> None:
        """Close the sheet and delete its rows."""
        if not self.closed:
            self.close()
        self._writer.cleanup()


class _Pages(Workbook):  # type: ignore[misc]  # as above
    """A workbook of such sheets."""

    def further(self, title: str, scratch: str) -> _Page:
        page = _Page(self, title)
        page.scratch = scratch
        self._add_sheet(page)
        return page


class XlsxBook:
    """A workbook whose rows lie on the disk until it is saved, so that memory does not grow.

    More than MOST_ROWS rows go on in a further sheet with the same heading.
    """

    def __init__(self, sheet: Sheet, most_rows: int = MOST_ROWS) -> None:
        self.sheet, self.rows, self._most = sheet, 0, most_rows
        self._is_saved, self._pages = False, list[_Page]()
        self._book: Any = _Pages(write_only=True)
        self._book.properties.creator = cell_text(sheet.maker)
        self._book.properties.description = cell_text(f"{sheet.maker}, {time_text(sheet.at)}")
        self._book.properties.created = self._book.properties.modified = sheet.at.replace(tzinfo=None)
        self._cells: dict[tuple[int, str], Any] = {}
        self._begin()

    def add(self, row: Sequence[Cell]) -> None:
        if self.rows and self.rows % (self._most - 1) == 0:
            self._begin()
        self._pages[-1].append([self._cell(place, value) for place, value in enumerate(row)])
        self.rows += 1

    def save(self, file: BinaryIO) -> None:
        self._is_saved = True
        self._book.save(file)

    def __del__(self) -> None:
        """Delete what was never saved: the export was cancelled, or another process goes on with it."""
        for page in [] if self._is_saved else self._pages:
            page.let_go()

    def _begin(self) -> None:
        """A further sheet with its heading."""
        scratch = f"{self.sheet.scratch}.{secrets.token_hex(4)}.sheet"
        page: Any = self._book.further(sheet_title(self.sheet.title, len(self._pages) + 1), scratch)
        page.freeze_panes = "A2"
        for place, column in enumerate(self.sheet.columns, 1):
            page.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column.holds, 22)
        if self._pages:
            self._pages[-1].close()
        self._pages.append(page)
        self._cells = {}
        page.append([_heading(page, text) for text in self.sheet.headings])

    def _cell(self, place: int, value: Cell) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return self._text(place, value)
        if isinstance(value, date):
            return self._day(place, value)
        made = self._styled(place, AMOUNT if isinstance(value, Decimal) else WHOLE)
        made.value = value
        return made

    def _day(self, place: int, value: date) -> Any:
        is_moment = isinstance(value, datetime)
        if (value.date() if isinstance(value, datetime) else value) < FIRST_DAY:
            return self._text(place, value.isoformat())
        made = self._styled(place, MOMENT if is_moment else DAY)
        made.value = value
        return made

    def _styled(self, place: int, format: str) -> Any:
        """The cell of a column for values of this format.  A row is written before the next one takes its cells over,
        so each is made once: a new cell with its style takes longer than to write it."""
        known = self._cells.get((place, format))
        if known is None:
            known = self._cells[place, format] = _StyledCell(self._pages[-1])
            known.settle(format)
        return known

    def _text(self, place: int, text: str) -> Any:
        made = self._styled(place, TEXT)
        made.put(text)
        return made


def _heading(page: Any, text: str) -> Any:
    made: Any = WriteOnlyCell(page)
    made.font, made.fill = _HEAD
    made.value = cell_text(text)
    made.data_type = "s"
    return made


def sheet_title(text: str, number: int = 1) -> str:
    """A name that a sheet may have: 31 characters, none of []:*?/\\."""
    plain = "".join(" " if letter in "[]:*?/\\'" or ord(letter) < 32 else letter for letter in text).strip() or "Sheet"
    return plain[:31] if number == 1 else f"{plain[:26]} {number}"
