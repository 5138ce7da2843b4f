"""Number formats under which a cell says something else than its number: leading zeros, letters before them, percent.

Other formats (thousands separators, currency, colours) are about looks, and the number stands for itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.sheet_cells import DIGITS, Cell, moment, number, shown

_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_SETTING = re.compile(r"\[[^\]]*\]|_.|\*.")
"""Colours, conditions and locales; the width of a character; a fill."""
_ZEROS = re.compile(r"(\D*?)(0{2,})(\D*)")
_LITERAL = "\ue000"
"""Stands for a character that the format shows as it is."""
_CHINESE_DATES = frozenset({*range(27, 37), *range(50, 59)})
"""Formats that Chinese Excel names by number alone, and readers take for plain numbers."""
MOST_ZEROS = 40
LONGEST_CODE = 255
"""Characters of a format that Excel allows."""


@dataclass(frozen=True)
class Shape:
    """How a number is shown."""

    before: str = ""
    zeros: int = 0
    after: str = ""
    percent: bool = False
    date: bool = False

    def show(self, stored: str, *, since_1904: bool) -> Cell:
        """The cell, from the digits in the file."""
        if self.zeros and stored.isdigit() and len(stored) <= DIGITS:
            return f"{self.before}{int(stored):0{self.zeros}d}{self.after}"
        value = float(stored)
        if self.date:
            return _date(value, since_1904=since_1904)
        if self.percent:
            plain = number(float(f"{value * 100:.13g}"))
            return f"{shown(plain) if isinstance(plain, float) else plain}%" if not isinstance(plain, list) else plain
        plain = number(value)
        if isinstance(plain, int) and plain >= 0:
            return f"{self.before}{plain:0{self.zeros}d}{self.after}"
        return plain


def shape_of(code: str | None, id: int) -> Shape | None:
    """How cells of this format are shown; None if their number stands for itself.  `code` is None for a built-in one."""
    if code is None:
        if id in (9, 10):
            return Shape(percent=True)
        return Shape(date=True) if id in _CHINESE_DATES else None
    if len(code) > LONGEST_CODE:
        return None
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match[1] if match[1] is not None else match[2])
        return _LITERAL

    first = _SETTING.sub("", _QUOTED.sub(keep, code)).partition(";")[0].strip()
    if "%" in first:
        return Shape(percent=True)
    bare = first.replace(_LITERAL, "")
    if not (match := _ZEROS.fullmatch(first)) or bare.strip("0-/ ") or len(match[2]) > MOST_ZEROS:
        return None
    words = iter(literals)
    return Shape(_filled(match[1], words), len(match[2]), _filled(match[3], words))


def _filled(text: str, words: Iterator[str]) -> str:
    return "".join(next(words) if sign == _LITERAL else sign for sign in text)


def _date(serial: float, *, since_1904: bool) -> Cell:
    from datetime import datetime, timedelta

    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001  # cells have no zone
    try:
        return moment(epoch + timedelta(seconds=round(serial * 86_400)))
    except OverflowError:
        return number(serial)
