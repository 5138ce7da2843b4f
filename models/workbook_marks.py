"""Marks of a workbook that was made here: a hidden sheet by which it is known when it comes back, whatever its headings say then.

Its first rows say what the workbook is, the others name its columns: [COLUMN, key, heading].  A defined name for each column
moves along when somebody inserts or moves columns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

SHEET, WORDS_SHEET = "_meta", "_words"
"""Names of the hidden sheets: the marks, and the lists of words for drop-downs."""
SIGN, FORMAT = "millpond", "1"
"""The first row of the marks."""
NAME = "millpond_column_"
"""What the defined name of a column begins with; its number, from 1, follows."""
COLUMN = "column"
MOST_ROWS = 1_000


def rows_of(about: Mapping[str, str], columns: Iterable[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """The rows of the hidden sheet.  `columns`: key and heading of each, in their order."""
    yield SIGN, FORMAT
    yield from about.items()
    for key, heading in columns:
        yield COLUMN, key, heading


def marks_of(rows: Sequence[Sequence[str]], names: Mapping[int, int], headings: Sequence[str]) -> dict[str, Any] | None:
    """{about, columns}: what the workbook is, and key -> place of its columns; None for rows that `rows_of` has not written.

    `names`: number of a column, from 1 -> the place that its defined name tells now.  A column is where its heading stands; if
    that is gone, where its name says, or where it was.  A key whose column is gone is missing.
    """
    if not rows or tuple(rows[0][:2]) != (SIGN, FORMAT):
        return None
    about = {row[0]: row[1] for row in rows[1:] if len(row) > 1 and row[0] != COLUMN}
    columns = [(row[1], row[2]) for row in rows if len(row) > 2 and row[0] == COLUMN]
    return {"about": about, "columns": _places(columns, names, headings)}


def _places(columns: Sequence[tuple[str, str]], names: Mapping[int, int], headings: Sequence[str]) -> dict[str, int]:
    """A heading that two columns have finds neither."""
    all_said = [said for _, said in columns]
    found = {
        key: headings.index(said)
        for key, said in columns
        if said and headings.count(said) == 1 and all_said.count(said) == 1
    }
    taken = set(found.values())
    for at, (key, _) in enumerate(columns):
        place = names.get(at + 1, at)
        if key not in found and place not in taken and place < len(headings):
            found[key] = place
            taken.add(place)
    return found
