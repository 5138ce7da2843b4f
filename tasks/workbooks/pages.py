"""Sheets written row by row into a file of ours, with cells whose style is looked up once, and texts that never become formulas."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell as PlainCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import ALL_TEMP_FILES, WorksheetWriter

from .texts import cell_text

MOST_ROWS = 1_048_576
"""Maximum number of rows of one sheet, its heading included."""
TEXT, WHOLE, AMOUNT, DAY, MOMENT = "@", "0", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
"""Number formats.  TEXT keeps zeros at the beginning of numbers, also after somebody edits the cell."""
EXACT = "General"
"""The format of a number with as many decimals as it has."""
HEAD = Font(bold=True), PatternFill("solid", fgColor="FFE8EEF4")


class StyledCell(PlainCell):  # type: ignore[misc]  # openpyxl has no types
    """A cell whose style is looked up once, and which takes a text without a guess at what it may mean."""

    known_style = 0

    def settle(self, format: str, fill: Any = None, alignment: Any = None) -> None:
        """Look the style up."""
        self.number_format = format
        if fill is not None:
            self.fill = fill
        if alignment is not None:
            self.alignment = alignment
        self.known_style = super().style_id

    @property
    def has_style(self) -> bool:
        return True

    @property
    def style_id(self) -> int:
        return int(self.known_style)

    def apart(self) -> "StyledCell":
        """A cell like this one that is written once, because something belongs to it alone."""
        made = StyledCell(self.parent)
        made.known_style, made._value, made.data_type = self.known_style, self._value, self.data_type
        return made

    def put(self, text: str) -> None:
        """Hold a text that is one whatever it begins with: =, +, #N/A and the like."""
        self._value, self.data_type = cell_text(text), "s"


class Page(WriteOnlyWorksheet):  # type: ignore[misc]  # as above
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


class Pages(Workbook):  # type: ignore[misc]  # as above
    """A workbook of such sheets."""

    def further(self, title: str, scratch: str) -> Page:
        page = Page(self, title)
        page.scratch = scratch
        self._add_sheet(page)
        return page


def heading(page: Any, text: str) -> Any:
    made: Any = WriteOnlyCell(page)
    made.font, made.fill = HEAD
    made.value = cell_text(text)
    made.data_type = "s"
    return made


def sheet_title(text: str, number: int = 1) -> str:
    """A name that a sheet may have: 31 characters, none of []:*?/\\."""
    plain = "".join(" " if letter in "[]:*?/\\'" or ord(letter) < 32 else letter for letter in text).strip() or "Sheet"
    return plain[:31] if number == 1 else f"{plain[:26]} {number}"
