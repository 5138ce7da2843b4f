"""A workbook (.xlsx, .xlsm) as a table: python-calamine reads it after the pre-check, which notes what calamine drops."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from models.sheet_cells import Cell, moment, number
from models.workbook_marks import MOST_ROWS, SHEET, WORDS_SHEET

from .archive import Archive, refuse_doctype
from .limits import MIB, Limits
from .overview import Choices, Sheet
from .refused import Refused, damaged
from .sheet_scan import Note, SheetScan, scan
from .table import Row, Table
from .workbook_parts import STRINGS, SheetPart, Workbook, read_workbook


def open_workbook(file: BinaryIO, path: str, choices: Choices, limits: Limits, *, count_sheets: bool) -> Table:
    """The chosen sheet, else the first that is not hidden and holds something.  `count_sheets`: say the rows of every sheet."""
    archive = Archive(file, limits)
    book = read_workbook(archive)
    _check_strings(archive, limits)
    scans: dict[str, SheetScan] = {}
    if count_sheets:
        scans = {sheet.name: scan(archive, book, sheet, limits) for sheet in book.sheets}
    sheet = choose_sheet(book.sheets, choices.sheet, lambda sheet: _holds(archive, book, sheet, limits, scans))
    found = scans.get(sheet.name) or scan(archive, book, sheet, limits)
    marks = _marks(path, scans.get(SHEET))
    ours = (SHEET, WORDS_SHEET) if marks else ()
    return Table(
        book.kind,
        path,
        sheet.name,
        _rows(path, sheet.name, found, limits) if found.rows else iter(()),
        [
            Sheet(sheet.name, sheet.hidden, scans[sheet.name].rows)
            for sheet in book.sheets
            if count_sheets and sheet.name not in ours
        ],
        found.merges,
        macros=book.kind == "xlsm",
        marks=marks,
        named_columns=book.named_columns,
    )


def _marks(path: str, found: SheetScan | None) -> list[list[str]]:
    """The texts of the sheet of marks; none for a workbook without one."""
    if found is None or not 0 < found.last_row <= MOST_ROWS:
        return []
    with suppress(CalamineError, OSError, ValueError):
        rows = CalamineWorkbook.from_path(path).get_sheet_by_name(SHEET).to_python(nrows=MOST_ROWS)
        return [[cell if isinstance(cell, str) else "" for cell in row] for row in rows]
    return []


def choose_sheet(sheets: list[SheetPart], wanted: str | None, holds_rows: Callable[[SheetPart], bool]) -> SheetPart:
    if not sheets:
        raise Refused("SHEET_EMPTY")
    if wanted is not None:
        for sheet in sheets:
            if sheet.name == wanted:
                return sheet
        names = [sheet.name for sheet in sheets[:20]]
        raise Refused("SHEET_UNKNOWN", sheet=wanted, sheets=", ".join(names), sheets_zh="、".join(names))
    open_ones = [sheet for sheet in sheets if not sheet.hidden] or sheets
    return next((sheet for sheet in open_ones if holds_rows(sheet)), open_ones[0])


def _holds(archive: Archive, book: Workbook, sheet: SheetPart, limits: Limits, scans: dict[str, SheetScan]) -> bool:
    if sheet.name not in scans:
        scans[sheet.name] = scan(archive, book, sheet, limits)
    return scans[sheet.name].rows > 0


def _check_strings(archive: Archive, limits: Limits) -> None:
    """Text of a workbook stands once, in a part of its own."""
    if STRINGS in archive:
        tail = b""
        for block in archive.blocks(STRINGS, limits.text_mib * MIB):
            refuse_doctype(tail + block)
            tail = block[-16:]


def _rows(path: str, name: str, found: SheetScan, limits: Limits) -> Iterator[Row]:
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError):
        raise damaged() from None
    first, last = sheet.start, sheet.end
    if first is None or last is None:
        first = last = (0, 0)
    if last[1] >= limits.columns:
        raise Refused("TOO_MANY_COLUMNS", sheet=name, limit=limits.columns)
    yield from _with_notes(_typed(sheet.iter_rows(), first[1]), found)


def _typed(rows: Iterator[list[Any]], before: int) -> Iterator[tuple[int, list[Cell]]]:
    pad: list[Cell] = [None] * before
    convert = _CONVERT
    for index, row in enumerate(rows, 1):
        cells: list[Cell] = [(c or None) if c.__class__ is str else convert[c.__class__](c) for c in row]
        yield index, pad + cells if before else cells


def _clock(value: time) -> Cell:
    return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"


def _duration(value: timedelta) -> Cell:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


_CONVERT: dict[type, Callable[[Any], Cell]] = {
    float: number,
    int: number,
    bool: bool,
    date: moment,
    datetime: moment,
    time: _clock,
    timedelta: _duration,
}
"""By the types that calamine returns."""


def _with_notes(rows: Iterator[tuple[int, list[Cell]]], found: SheetScan) -> Iterator[Row]:
    """Rows with the cells that the reader dropped, also below and beside what it saw."""
    hidden, notes, at = found.hidden, found.instead, 0
    number = 0
    for number, cells in rows:
        while at < len(notes) and notes[at][0] == number:
            _put(cells, notes[at])
            at += 1
        yield number, number in hidden, cells
    last = number
    for number, later in groupby((note for note in notes[at:] if note[0] > last), key=itemgetter(0)):
        cells = []
        for note in later:
            _put(cells, note)
        yield number, number in hidden, cells


def _put(cells: list[Cell], note: Note) -> None:
    _, column, cell = note
    if column >= len(cells):
        cells.extend([None] * (column + 1 - len(cells)))
    cells[column] = cell
