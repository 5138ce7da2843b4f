"""How a file is read, as far as its user says so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """What a user chose; None: as the file suggests.  Rows count from 1, as in Excel.  A delimiter is one character."""

    sheet: str | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    hidden_rows: bool = False
    """Read rows that are hidden or filtered out, too."""
    fill_merged: bool = False
    """Give the value of merged cells to every row that they span."""
