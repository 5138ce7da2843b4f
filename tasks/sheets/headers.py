"""Which row holds the headers, and what its columns are called."""

import re
from collections.abc import Sequence

from models.sheet_cells import Cell, column_letters, text

LOOKED_AT = 40
"""Rows with something in them among which the header is looked for."""
_LONGEST_HEADER = 60
_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_CJK = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
_BETWEEN_CJK = re.compile(rf"(?<={_CJK}) (?={_CJK})")
_VALUE = re.compile(r"[\d\s.,:/+()年月日￥¥$%-]*\d[\d\s.,:/+()年月日￥¥$%-]*|[^@\s]+@[^@\s]+\.\w+")

Numbered = tuple[int, Sequence[Cell]]


def propose_header(rows: Sequence[Numbered]) -> int | None:
    """The number of the row with the headers, among the first rows that hold something; None if there are none.

    A title, a note or a line of groups fills fewer cells than the rows below, and headers are short words, no values.
    """
    if not rows:
        return None
    widths = [_width(cells) for _, cells in rows]
    usual = sorted(widths[min(1, len(widths) - 1) :])[len(widths[1:]) // 2]
    wide = [at for at, width in enumerate(widths) if width * 2 >= usual + (usual > 1)] or [0]
    for at in wide:
        if _are_headers(rows[at][1]) and widths[at] >= max(widths[: at + 1]):
            return rows[at][0]
    above = wide[0] - 1  # words above values are headers, though some columns have none
    return rows[above if above >= 0 and _are_headers(rows[above][1]) else wide[0]][0]


def name_columns(headers: Sequence[Cell], width: int, filled: Sequence[bool]) -> list[tuple[int, str, str]]:
    """Index, header as it stands, and name of each column: cleaned, twins numbered, one without header by its letters.

    A column with neither header nor anything below is left out.
    """
    names: list[tuple[int, str, str]] = []
    taken: set[str] = set()
    for index in range(width):
        header = text(headers[index]) if index < len(headers) else ""
        if not (name := clean(header)):
            if not filled[index]:
                continue
            name = column_letters(index)
        name = _apart(name, taken)
        names.append((index, header, name))
    return names


def clean(header: str) -> str:
    """A header on one line, without stars that mark it as required, and without blanks that only look like some."""
    plain = _BETWEEN_CJK.sub("", _BLANKS.sub(" ", header))
    return plain.strip(" *＊✱")


def _apart(name: str, taken: set[str]) -> str:
    same, count = name, 1
    while same.casefold() in taken:
        count += 1
        same = f"{name} ({count})"
    taken.add(same.casefold())
    return same


def _width(cells: Sequence[Cell]) -> int:
    return sum(cell is not None for cell in cells)


def _are_headers(cells: Sequence[Cell]) -> bool:
    said = [cell for cell in cells if cell is not None]
    words = [cell for cell in said if isinstance(cell, str) and _is_word(cell)]
    return len(words) * 5 >= len(said) * 4


def _is_word(cell: str) -> bool:
    return len(cell) <= _LONGEST_HEADER and _VALUE.fullmatch(cell.strip()) is None
