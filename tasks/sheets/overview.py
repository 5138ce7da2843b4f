"""What the reader says of a file, what the user may choose, and a row.  All survive JSON."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.sheet_cells import Cell
from models.sheet_choices import Choices as Choices


@dataclass(frozen=True)
class Sheet:
    """`rows`: those with something in them, titles and headers included."""

    name: str
    hidden: bool
    rows: int


@dataclass(frozen=True)
class Column:
    """`name`: the header cleaned, and told apart from its twins.  `samples`: its first 50 cells that hold something."""

    index: int
    letters: str
    header: str
    name: str
    filled: int = 0
    samples: list[Cell] = field(default_factory=list)


@dataclass(frozen=True)
class Overview:
    """A file as far as a user has to know it before mapping its columns.

    `kind`: xlsx, xlsm, xls or csv, by content.  `rows` counts the rows below the header that hold something, hidden ones
    included; `blank_rows` those between header and last row that do not.  `merged` are ranges below the header, like A3:A5,
    the first 200.
    `encoding` and `delimiter` are None unless the file is a CSV; `…_sure` says whether they can be relied on.
    """

    kind: str
    name: str
    sheets: list[Sheet]
    sheet: str
    header_row: int
    columns: list[Column]
    rows: int
    hidden_rows: int
    blank_rows: int
    last_row: int
    merged: list[str]
    macros: bool = False
    marks: dict[str, Any] | None = None
    """What a workbook that was made here says of itself (`models/workbook_marks.py`)."""
    encoding: str | None = None
    encoding_sure: bool = True
    delimiter: str | None = None
    delimiter_sure: bool = True


class SheetRow(NamedTuple):
    """A row below the header that holds something.  `cells` may be fewer than the columns: the rest is blank."""

    number: int
    hidden: bool
    cells: list[Cell]


def overview_from(data: dict[str, Any]) -> Overview:
    """The overview that came as JSON."""
    sheets = [Sheet(**sheet) for sheet in data.pop("sheets")]
    columns = [Column(**column) for column in data.pop("columns")]
    return Overview(sheets=sheets, columns=columns, **data)
