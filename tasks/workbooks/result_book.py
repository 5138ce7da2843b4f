"""The result workbook of an import: red and green rows, reasons in front, comments on wrong cells, the red ones filtered."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, BinaryIO

from openpyxl.comments import Comment
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter

from models.sheet_cells import DATE, FORMULA, MOMENT, Cell
from models.workbook_marks import SHEET
from resolvers.imports.results import ResultRow, ResultSheet, Tone
from resolvers.imports.returning import ROW_KEY

from .marks_sheet import fill_marks
from .pages import DAY, TEXT, Pages, StyledCell, heading, sheet_title
from .pages import MOMENT as MOMENT_FORMAT
from .texts import cell_text
from .xlsx_book import FIRST_DAY

FRONT = ("state", "reason", ROW_KEY)
GENERAL = "General"
_FILLS = {
    Tone.RED: PatternFill("solid", fgColor="FFFDE7E7"),
    Tone.GREEN: PatternFill("solid", fgColor="FFE7F6EA"),
    Tone.AMBER: PatternFill("solid", fgColor="FFFFF3D6"),
    Tone.NONE: PatternFill(),
}
_WRONG = PatternFill("solid", fgColor="FFF5B5B5")
_WIDTHS = (14, 60, 8)


class ResultBookXlsx:
    """A workbook whose rows lie on the disk until it is saved."""

    def __init__(self, sheet: ResultSheet) -> None:
        self.sheet, self._is_saved, self._row = sheet, False, 1
        self._book: Any = Pages(write_only=True)
        self._places = [*sheet.headings]
        self._page = self._further(sheet_title(sheet.title))
        self._page.freeze_panes = "D2"
        for at, width in enumerate((*_WIDTHS, *(20 for _ in self._places)), 1):
            self._page.column_dimensions[get_column_letter(at)].width = width
        self._page.column_dimensions["C"].hidden = True
        self._page.append([heading(self._page, text) for text in (*sheet.front, *sheet.headings.values())])
        self._known: dict[tuple[int, str, int], Any] = {}

    def add(self, row: ResultRow) -> None:
        self._row += 1
        fill = _FILLS[row.tone]
        front = [self._text(0, row.state, fill), self._text(1, row.reason, fill), self._text(2, row.mark, fill)]
        cells = [self._cell(at, row, place, fill) for at, place in enumerate(self._places, 3)]
        is_hidden = self.sheet.has_red and row.tone is not Tone.RED
        if is_hidden:
            self._page.row_dimensions[self._row].hidden = True
        self._page.append([*front, *cells])
        if is_hidden:
            del self._page.row_dimensions[self._row]  # it is written, and there may be a million

    def save(self, file: BinaryIO) -> None:
        area = f"A1:{get_column_letter(3 + len(self._places))}{self._row}"
        self._page.auto_filter.ref = area
        if self.sheet.has_red:
            self._page.auto_filter.add_filter_column(0, [*self.sheet.red_words])
        keys = [*zip(FRONT, self.sheet.front, strict=True)]
        keys += [(str(place), text) for place, text in self.sheet.headings.items()]
        marks = self._further(SHEET)
        fill_marks(self._book, marks, self._page.title, self.sheet.about, keys)
        self._is_saved = True
        self._book.save(file)

    def __del__(self) -> None:
        """Delete what was never saved, because another process writes the workbook anew."""
        if not self._is_saved:
            self._page.let_go()

    def _further(self, title: str) -> Any:
        return self._book.further(title, f"{self.sheet.scratch}.{secrets.token_hex(4)}.sheet")

    # --- cells -------------------------------------------------------------------------------------------

    def _cell(self, at: int, row: ResultRow, place: int, fill: PatternFill) -> Any:
        value = row.cells.get(place)
        note = row.notes.get(place)
        if note is None:
            return self._value(at, value, fill)
        made = self._value(at, value, _WRONG)
        if self.sheet.has_comments:
            made = made.apart()
            made.comment = Comment(cell_text(note), "Millpond", height=90, width=260)
        return made

    def _value(self, at: int, value: Cell, fill: PatternFill) -> Any:
        if value is None or (isinstance(value, list) and value[0] == FORMULA):
            return self._plain(at, None, fill)
        if isinstance(value, str):
            return self._text(at, value, fill)
        if isinstance(value, list):
            return self._tagged(at, value, fill)
        return self._plain(at, value, fill)

    def _tagged(self, at: int, value: Sequence[str], fill: PatternFill) -> Any:
        kind, said = value[0], value[1]
        if kind == DATE and (day := date.fromisoformat(said)) >= FIRST_DAY:
            return self._styled(at, DAY, fill, day)
        if kind == MOMENT and (moment := datetime.fromisoformat(said)).date() >= FIRST_DAY:
            return self._styled(at, MOMENT_FORMAT, fill, moment)
        return self._text(at, said, fill)

    def _plain(self, at: int, value: Any, fill: PatternFill) -> Any:
        return self._styled(at, GENERAL, fill, value)

    def _text(self, at: int, text: str, fill: PatternFill) -> Any:
        made = self._made(at, TEXT, fill)
        made.put(text)
        return made

    def _styled(self, at: int, format: str, fill: PatternFill, value: Any) -> Any:
        made = self._made(at, format, fill)
        made.value = value
        return made

    def _made(self, at: int, format: str, fill: PatternFill) -> Any:
        """The cell of a column in this style, made once: each row is written before the next one takes its cells over."""
        key = (at, format, id(fill))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = StyledCell(self._page)
            known.settle(format, fill, Alignment(wrap_text=True, vertical="top") if at == 1 else None)
        return known
