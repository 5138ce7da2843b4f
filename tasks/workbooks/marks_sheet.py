"""The hidden sheet of marks, written into a workbook that is to be known when it comes back."""

from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName

from models.workbook_marks import NAME, SHEET, rows_of

from .texts import cell_text


def add_marks(book: Any, title: str, about: Mapping[str, str], columns: Sequence[tuple[str, str]]) -> None:
    """Say what the workbook is and which column of the sheet `title` is which: key and heading, from the first column on."""
    fill_marks(book, book.create_sheet(SHEET), title, about, columns)


def fill_marks(book: Any, page: Any, title: str, about: Mapping[str, str], columns: Sequence[tuple[str, str]]) -> None:
    """The same on a sheet that the caller has made."""
    page.sheet_state = "veryHidden"
    for row in rows_of(about, columns):
        page.append([text_cell(page, text) for text in row])
    for at in range(1, len(columns) + 1):
        name, where = f"{NAME}{at}", f"{quote_sheetname(title)}!${get_column_letter(at)}$1"
        book.defined_names[name] = DefinedName(name, attr_text=where, hidden=True)


def text_cell(page: Any, text: str) -> Any:
    """A cell that holds a text whatever it begins with."""
    made: Any = WriteOnlyCell(page)
    made.value = cell_text(text)
    made.data_type = "s"
    return made
