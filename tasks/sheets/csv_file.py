"""A CSV file as a table: decoded as a whole, split by the delimiter that gives its records the same number of columns."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from models.csv_guard import EXPONENT, unguarded
from models.sheet_cells import LOST, Cell

from .encodings import decode
from .limits import Limits
from .overview import Choices
from .refused import Refused
from .table import Row, Table

SHEET = "CSV"
"""What the one table of a CSV file is called where a sheet has its name."""
DELIMITERS = (",", ";", "\t", "|", "，")
_LOOKED_AT = 50
_HEAD = 200_000
_FIELD_BYTES = 4
_SEP = re.compile(r"sep=(.)\r?\n?\Z")


def open_csv(file: BinaryIO, name: str, choices: Choices, limits: Limits) -> Table:
    """Refuses: other encodings than the chosen one, characters that no text has, and what a table of any kind may not be."""
    decoded = decode(file.read(), choices.encoding)
    told = _SEP.match(decoded.text[: decoded.text.find("\n") + 1])
    guessed, sure = (told[1], True) if told else guess_delimiter(decoded.text[:_HEAD])
    delimiter = choices.delimiter or guessed
    if len(delimiter) != 1 or delimiter in '"\r\n':
        delimiter = guessed
    return Table(
        "csv",
        name,
        SHEET,
        _rows(decoded.text, delimiter, limits, skip=1 if told else 0),
        encoding=decoded.encoding,
        encoding_sure=decoded.sure or choices.encoding is not None,
        delimiter=delimiter,
        delimiter_sure=sure or choices.delimiter is not None,
    )


def guess_delimiter(text: str) -> tuple[str, bool]:
    """The delimiter, and whether it is sure: all of the first records have as many columns."""
    scored = [(*_score(text, delimiter), -rank) for rank, delimiter in enumerate(DELIMITERS)]
    share, columns, rank = max(scored)
    if columns < 2:
        return ",", False
    return DELIMITERS[-rank], share >= 0.9


def _score(text: str, delimiter: str) -> tuple[float, int]:
    """The share of records with the usual number of columns, and that number; (0, 1) if the delimiter splits nothing."""
    try:
        widths = [
            len(row)
            for row, _ in zip(_reader(io.StringIO(text, newline=""), delimiter), range(_LOOKED_AT), strict=False)
            if row
        ]
    except csv.Error:
        return 0.0, 1
    many = Counter(width for width in widths if width > 1)
    if not many:
        return 0.0, 1
    columns, count = max(many.items(), key=lambda item: (item[1], item[0]))
    return count / len(widths), columns


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter)


def _rows(text: str, delimiter: str, limits: Limits, skip: int) -> Iterator[Row]:
    """Rows are counted as Excel counts them: a record whose cells hold line ends is one row."""
    csv.field_size_limit(limits.cell_characters * _FIELD_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    last_line = text.count("\n") + (not text.endswith("\n")) if text.count('"') % 2 else 0
    number = line = 0
    try:
        for number, record in enumerate(reader, 1):
            if len(record) > limits.columns:
                raise Refused("TOO_MANY_COLUMNS", sheet=SHEET, limit=limits.columns)
            if last_line and reader.line_num >= last_line and reader.line_num - line > 1:
                raise Refused("QUOTE_NOT_CLOSED", row=number)
            line = reader.line_num
            if number > skip:
                yield (
                    number,
                    False,
                    [said if said and said[0] != "'" and "E+" not in said else _cell(said) for said in record],
                )
    except csv.Error:
        raise Refused("QUOTE_NOT_CLOSED", row=number + 1) from None


def _cell(said: str) -> Cell:
    if not said:
        return None
    if said[0] == "'":
        return unguarded(said)
    if "E+" in said and EXPONENT.fullmatch(said.strip()):
        return [LOST, said.strip()]
    return said
