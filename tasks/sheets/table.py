"""What every kind of file comes to: numbered rows of cells, and from them the overview or the rows below the header."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from models.sheet_cells import Cell, column_letters
from models.workbook_marks import marks_of

from .headers import LOOKED_AT, name_columns, propose_header
from .limits import Limits
from .overview import Choices, Column, Overview, Sheet
from .refused import Refused

SAMPLES = 50
SAMPLE_CHARACTERS = 200
"""Characters of a sample or of a header that the overview tells."""
MERGES_TOLD = 200
Row = tuple[int, bool, list[Cell]]
"""Number as in Excel, hidden, cells."""
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows from 1, columns from 0."""


@dataclass
class Table:
    """One sheet.  `rows` come once, in their order, blank ones left out or as blank cells."""

    kind: str
    name: str
    sheet: str
    rows: Iterator[Row]
    sheets: list[Sheet] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    macros: bool = False
    marks: list[list[str]] = field(default_factory=list)
    """The rows of the sheet of marks, if the workbook has one."""
    named_columns: dict[int, int] = field(default_factory=dict)
    encoding: str | None = None
    encoding_sure: bool = True
    delimiter: str | None = None
    delimiter_sure: bool = True


def rows_below(table: Table, choices: Choices, limits: Limits) -> Iterator[Row]:
    """The rows below the header that hold something, hidden ones if they are wanted.  Refuses a sheet without the header."""
    header, _, rows = _find_header(table, choices)
    if choices.fill_merged and table.merges:
        rows = _fill(rows, table.merges, header)
    for number, hidden, cells in rows:
        if number > header and (not hidden or choices.hidden_rows) and cells.count(None) < len(cells):
            _hold_rows(table, number - header, limits)
            yield number, hidden, cells


def look_over(table: Table, choices: Choices, limits: Limits) -> Overview:
    """Reads all rows.  Refuses a sheet without anything, and one without the header row that was chosen."""
    header, headers, rows = _find_header(table, choices)
    count = hidden_rows = last = 0
    seen = _Columns()
    for number, hidden, cells in rows:
        if number <= header or cells.count(None) == len(cells):
            continue
        _hold_rows(table, number - header, limits)
        count, hidden_rows, last = count + 1, hidden_rows + hidden, number
        seen.take(number, cells, limits)
    last = max(last, header)
    width = max(len(headers), len(seen.filled))
    seen.widen(width)
    named = name_columns(headers, width, [n > 0 for n in seen.filled])
    below = [merge for merge in table.merges if merge[2] > header]
    return Overview(
        kind=table.kind,
        name=table.name,
        sheets=table.sheets or [Sheet(table.sheet, hidden=False, rows=count + 1)],
        sheet=table.sheet,
        header_row=header,
        columns=[
            Column(index, column_letters(index), said, name, seen.filled[index], seen.samples[index])
            for index, said, name in named
        ],
        rows=count,
        hidden_rows=hidden_rows,
        blank_rows=last - header - count,
        last_row=last,
        merged=[_range(merge) for merge in below[:MERGES_TOLD]],
        macros=table.macros,
        marks=marks_of(table.marks, table.named_columns, _by_place(named, width)),
        encoding=table.encoding,
        encoding_sure=table.encoding_sure,
        delimiter=table.delimiter,
        delimiter_sure=table.delimiter_sure,
    )


class _Columns:
    """What the cells of each column hold: how many are filled, and the first of them."""

    def __init__(self) -> None:
        self.filled: list[int] = []
        self.samples: list[list[Cell]] = []

    def widen(self, width: int) -> None:
        more = width - len(self.filled)
        self.filled.extend([0] * more)
        self.samples.extend([] for _ in range(more))

    def take(self, number: int, cells: Sequence[Cell], limits: Limits) -> None:
        if len(cells) > len(self.filled):
            self.widen(len(cells))
        for index, cell in enumerate(cells):
            if cell is None:
                continue
            self.filled[index] += 1
            if cell.__class__ is str and len(cell) > limits.cell_characters:
                raise too_long(number, index, limits)
            if len(self.samples[index]) < SAMPLES:
                self.samples[index].append(cell[:SAMPLE_CHARACTERS] if isinstance(cell, str) else cell)


def _by_place(named: list[tuple[int, str, str]], width: int) -> list[str]:
    names = [""] * width
    for index, _, name in named:
        names[index] = name
    return names


def _hold_rows(table: Table, below: int, limits: Limits) -> None:
    if below > limits.rows:
        raise Refused("TOO_MANY_ROWS", sheet=table.sheet, limit=limits.rows)


def too_long(row: int, column: int, limits: Limits) -> Refused:
    return Refused("CELL_TOO_LONG", cell=f"{column_letters(column)}{row}", limit=limits.cell_characters)


def _find_header(table: Table, choices: Choices) -> tuple[int, list[Cell], Iterator[Row]]:
    """The number of the header row, its cells, and all rows from the first on."""
    first: list[Row] = []
    rows = (row for row in table.rows if row[2].count(None) < len(row[2]))
    wanted = choices.header_row
    for row in rows:
        first.append(row)
        if len(first) >= LOOKED_AT and (wanted is None or row[0] >= wanted):
            break
    if not first:
        raise Refused("SHEET_EMPTY")
    if wanted is None:
        wanted = propose_header([(number, cells) for number, hidden, cells in first if not hidden]) or first[0][0]
    elif wanted < 1 or wanted > first[-1][0]:
        raise Refused("NO_HEADER_ROW", sheet=table.sheet, row=wanted)
    headers = next((list(cells) for number, _, cells in first if number == wanted), [])
    headers = [cell[:SAMPLE_CHARACTERS] if isinstance(cell, str) else cell for cell in headers]
    return wanted, _across(headers, table.merges, wanted), chain(first, rows)


def _across(headers: list[Cell], merges: list[Merge], row: int) -> list[Cell]:
    """Headers with what merged cells say in each of their columns."""
    for top, first, bottom, last in merges:
        if top <= row <= bottom and last < len(headers) and headers[first] is not None:
            for column in range(first + 1, last + 1):
                headers[column] = headers[column] if headers[column] is not None else headers[first]
    return headers


def _fill(rows: Iterable[Row], merges: list[Merge], header: int) -> Iterator[Row]:
    """Rows in which each cell of the first column of a merged range says what its first cell says.

    At most one range per column is open at a time: ranges that overlap, which no program writes, do not add up.
    """
    starts: dict[int, list[tuple[int, int]]] = {}
    for top, column, bottom, _ in merges:
        if bottom > top > header:
            starts.setdefault(top, []).append((column, bottom))
    opened: dict[int, tuple[int, Cell]] = {}
    for number, hidden, cells in rows:
        for column, (bottom, value) in list(opened.items()):
            if number > bottom:
                del opened[column]
            else:
                _put(cells, column, value)
        for column, bottom in starts.get(number, ()):
            if column < len(cells):
                opened[column] = bottom, cells[column]
        yield number, hidden, cells


def _put(cells: list[Cell], column: int, value: Cell) -> None:
    cells.extend([None] * (column + 1 - len(cells)))
    if cells[column] is None:
        cells[column] = value


def _range(merge: Merge) -> str:
    top, first, bottom, last = merge
    return f"{column_letters(first)}{top}:{column_letters(last)}{bottom}"
