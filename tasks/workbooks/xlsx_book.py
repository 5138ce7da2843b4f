"""Workbooks (.xlsx) written row by row: a bold heading that stays in sight, texts that never become formulas."""

import os
import secrets
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet import _writer

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


class XlsxBook:
    """A workbook whose rows lie in a file of their own until it is saved, so that memory does not grow.

    More than MOST_ROWS rows go on in a further sheet with the same heading.
    """

    def __init__(self, sheet: Sheet, most_rows: int = MOST_ROWS) -> None:
        self.sheet, self.rows, self._most = sheet, 0, most_rows
        self._book = Workbook(write_only=True)
        said = f"{sheet.maker}, {time_text(sheet.at)}"
        self._book.properties.creator = cell_text(sheet.maker)
        self._book.properties.description = cell_text(said)
        self._book.properties.created = self._book.properties.modified = sheet.at.replace(tzinfo=None)
        self._page: Any = None
        self._is_saved = False
        self._cells: dict[str, Any] = {}
        self._begin()

    def add(self, row: Sequence[Cell]) -> None:
        if self.rows and self.rows % (self._most - 1) == 0:
            self._begin()
        self._page.append([self._cell(value) for value in row])
        self.rows += 1

    def save(self, file: BinaryIO) -> None:
        self._is_saved = True
        self._book.save(file)

    def __del__(self) -> None:
        """Close and delete what was never saved: the export was cancelled, or another process goes on with it."""
        for page in self._book.worksheets if not self._is_saved else ():
            if not page.closed:
                page.close()
            page._writer.cleanup()  # noqa: SLF001  as in `_begin`

    def _begin(self) -> None:
        """A further sheet with its heading."""
        page: Any = self._book.create_sheet(_title(self.sheet.title, len(self._book.worksheets) + 1))
        page.freeze_panes = "A2"
        for place, column in enumerate(self.sheet.columns, 1):
            page.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column.holds, 22)
        if self._page is not None:
            self._page.close()
        scratch = f"{self.sheet.scratch}.{secrets.token_hex(4)}.sheet"
        page._writer = _scratch_writer(page, scratch)  # noqa: SLF001  openpyxl lets nobody choose the place
        self._page, self._cells = page, {}
        page.append([self._heading(text) for text in self.sheet.headings])

    def _heading(self, text: str) -> Any:
        made: Any = WriteOnlyCell(self._page)
        made.font, made.fill = _HEAD
        return _as_text(made, text)

    def _cell(self, value: Cell) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return _as_text(self._styled(TEXT), value)
        if isinstance(value, datetime):
            return self._day(value, MOMENT)
        if isinstance(value, date):
            return self._day(value, DAY)
        made = self._styled(AMOUNT if isinstance(value, Decimal) else WHOLE)
        made.value = value
        return made

    def _day(self, value: date, format: str) -> Any:
        if (value.date() if isinstance(value, datetime) else value) < FIRST_DAY:
            return _as_text(self._styled(TEXT), value.isoformat())
        made = self._styled(format)
        made.value = value
        made.number_format = format  # a date brings a format of its own
        return made

    def _styled(self, format: str) -> Any:
        """A new cell in a style that is looked up once for each sheet, because the look-up takes longer than the cell."""
        made: Any = WriteOnlyCell(self._page)
        if format in self._cells:
            made._style = self._cells[format]  # noqa: SLF001  the public way looks the style up for each cell
        else:
            made.number_format = format
            self._cells[format] = made._style  # noqa: SLF001  as above
        return made


def _as_text(made: Any, text: str) -> Any:
    """The cell with a text that is one whatever it begins with: =, +, #N/A and the like."""
    made.value = cell_text(text)
    made.data_type = "s"
    return made


def _title(text: str, number: int) -> str:
    """A name that a sheet may have: 31 characters, none of []:*?/\\."""
    plain = "".join(" " if letter in "[]:*?/\\'" or ord(letter) < 32 else letter for letter in text).strip() or "Sheet"
    return plain[:31] if number == 1 else f"{plain[:26]} {number}"


def _scratch_writer(page: Any, path: str) -> Any:
    """A writer whose rows lie beside the export and not in the folder of all temporary files, for the server alone."""
    os.close(os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    writer = _writer.WorksheetWriter(page, out=path)
    _writer.ALL_TEMP_FILES.append(path)  # which the writer takes from there when it deletes the file
    writer.write_top()
    return writer
