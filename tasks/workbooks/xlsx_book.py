"""Workbooks (.xlsx) written row by row: a bold heading that stays in sight, texts that never become formulas."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl.utils import get_column_letter

from models.base import time_text
from models.sheet_cells import DIGITS
from resolvers.exports.cells import Cell
from resolvers.exports.kinds import Holds
from resolvers.exports.writing import Sheet

from .pages import AMOUNT, DAY, EXACT, MOMENT, MOST_ROWS, TEXT, WHOLE, Page, Pages, StyledCell, heading, sheet_title
from .texts import cell_text

FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets count earlier days in a way of their own: such days are written as text."""
_WIDTHS = {Holds.DAY: 12, Holds.MOMENT: 20, Holds.AMOUNT: 16, Holds.WHOLE: 10, Holds.YES_NO: 10}


class XlsxBook:
    """A workbook whose rows lie on the disk until it is saved, so that memory does not grow.

    More than MOST_ROWS rows go on in a further sheet with the same heading.
    """

    def __init__(self, sheet: Sheet, most_rows: int = MOST_ROWS) -> None:
        self.sheet, self.rows, self._most = sheet, 0, most_rows
        self._is_saved, self._pages = False, list[Page]()
        self._book: Any = Pages(write_only=True)
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
        page.append([heading(page, text) for text in self.sheet.headings])

    def _cell(self, place: int, value: Cell) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return self._text(place, value)
        if isinstance(value, date):
            return self._day(place, value)
        if len(str(abs(value)).replace(".", "").lstrip("0")) > DIGITS:
            return self._text(place, str(value))  # a spreadsheet stores no more digits
        is_exact = self.sheet.columns[place].holds is Holds.NUMBER
        made = self._styled(place, EXACT if is_exact else AMOUNT if isinstance(value, Decimal) else WHOLE)
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
            known = self._cells[place, format] = StyledCell(self._pages[-1])
            known.settle(format)
        return known

    def _text(self, place: int, text: str) -> Any:
        made = self._styled(place, TEXT)
        made.put(text)
        return made
