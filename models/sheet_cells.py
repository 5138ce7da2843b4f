"""What a cell holds.  Every value survives JSON as it is, because rows pass from process to process and lie in the database.

None                    blank
str                     text, and numbers whose format makes them text: 000123, C0042, 15%
int, float              a number; whole numbers are int, and decimal ones have 15 digits, as the sheet shows them
bool                    yes or no
["date", "2026-06-30"]
["time", "2026-06-30T17:39:31"]     date and time, to the second, without a zone
["error", "#N/A"]       an error, by its name
["lost", "861380013800012000"]      a number whose last digits the file does not hold
["formula", ""]         a formula whose result the file does not hold
"""

from datetime import date, datetime
from math import isfinite
from typing import TypeAlias

Tagged: TypeAlias = list[str]
Cell: TypeAlias = str | int | float | bool | Tagged | None

DATE, MOMENT, ERROR, LOST, FORMULA = "date", "time", "error", "lost", "formula"
DIGITS = 15
"""Digits of a number that Excel stores."""
_LEAST_LOST = 10**DIGITS


def number(value: float) -> Cell:
    """A number as a person sees it: no `.0`, no binary remainder; `lost` where it has more digits than are stored."""
    if -_LEAST_LOST < value < _LEAST_LOST:
        whole = int(value)
        return whole if whole == value else float(f"{value:.15g}")
    return [LOST, shown(value)] if isfinite(value) else [ERROR, "#NUM!"]


def shown(value: float) -> str:
    """Digits of a number without an exponent.  Digits beyond the fifteenth are zeros, as in Excel."""
    from decimal import Decimal  # here, because the child needs it for few files

    return format(Decimal(f"{value:.15g}"), "f")


def moment(value: date) -> Cell:
    """A date, or a date with its time to the nearest second.  Midnight is a date."""
    if not isinstance(value, datetime):
        return [DATE, value.isoformat()]
    if value.microsecond:
        from datetime import timedelta

        value = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    if value.hour or value.minute or value.second:
        return [MOMENT, value.isoformat()]
    return [DATE, value.date().isoformat()]


def kind(cell: Cell) -> str:
    """`blank`, `text`, `number`, `yes/no`, or the tag."""
    if cell is None:
        return "blank"
    if isinstance(cell, str):
        return "text"
    if isinstance(cell, bool):
        return "yes/no"
    return cell[0] if isinstance(cell, list) else "number"


def text(cell: Cell) -> str:
    """What a person sees: "" for a blank cell and a formula without a result."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, list):
        return cell[1].replace("T", " ") if cell[0] == MOMENT else cell[1]
    return shown(cell) if isinstance(cell, float) else str(cell)


def in_words(cell: Cell) -> str:
    """The same for a reader: dates as in 2026/6/30 and 2026/6/30 17:39."""
    if not isinstance(cell, list) or cell[0] not in (DATE, MOMENT):
        return text(cell)
    day, _, time = cell[1].partition("T")
    year, month, of_month = map(int, day.split("-"))
    return f"{year}/{month}/{of_month} {time.removesuffix(':00')}".rstrip()


def column_letters(index: int) -> str:
    """The letters of a column, counted from 0: A, B, …, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """The column of such letters, counted from 0."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1
