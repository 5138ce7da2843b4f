"""Values of records as cells of a file, in the language and the time zone of its maker."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from models.choice_names import NO, YES, choice_said, in_language
from models.listed_values import joined
from models.names import OF_MODULE, RECORD

from ..records.dictionaries import Word
from .kinds import ExportColumn, Holds

Cell = str | int | Decimal | date | datetime | None
"""A text, a number, an amount, a day, a local time without its zone, or nothing."""


@dataclass(frozen=True)
class Words:
    """What values are called: dictionary words, records by column and id, phones and addresses by column and contact."""

    language: str
    zone: ZoneInfo
    dictionaries: Mapping[str, Mapping[str, Word]] = field(default_factory=dict)
    records: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    points: Mapping[str, Mapping[int, Collection[str]]] = field(default_factory=dict)


def cell(column: ExportColumn, value: Any, words: Words) -> Cell:
    """One value as a cell; None for a value that is empty or hidden."""
    if value is None or value == "" or value == []:
        return None
    if (as_cell := _CELLS.get(column.holds)) is not None:
        return as_cell(column, value, words)
    if isinstance(value, bool | Enum):
        return str(value)
    return value if isinstance(value, int | Decimal | date) else str(value)


_CELLS: dict[Holds, Callable[[ExportColumn, Any, Words], Cell]] = {
    Holds.MOMENT: lambda _column, value, words: _local(value, words.zone),
    Holds.YES_NO: lambda _column, value, words: in_language(YES if value else NO, words.language),
    Holds.CHOICE: lambda _column, value, words: in_language(choice_said(value), words.language),
    Holds.MODULE: lambda _column, value, words: _module(str(value), words.language),
    Holds.WORD: lambda column, value, words: _word(column, str(value), words),
    Holds.WORDS: lambda column, value, words: joined(_word(column, key, words) for key in value),
    Holds.LIST: lambda _column, value, _words: _listed(value),
    Holds.RECORD: lambda column, value, words: words.records.get(column.key, {}).get(value),
}
"""What a column holds -> its value as a cell."""


def _local(value: datetime, zone: ZoneInfo) -> datetime | str:
    """The local time.  One that comes twice, because clocks were put back, is a text with its distance to UTC the second time."""
    local = value.astimezone(zone)
    return local.isoformat(sep=" ", timespec="seconds") if local.fold else local.replace(tzinfo=None)


def _word(column: ExportColumn, key: str, words: Words) -> str:
    known = words.dictionaries.get(column.dictionary or "", {}).get(key)
    return known.label if known else key


def _module(module: str, language: str) -> str:
    names = OF_MODULE.get(module, RECORD)
    return names.zh if language.startswith("zh") else names.one


def _listed(value: Any) -> str:
    return joined(map(str, value)) if isinstance(value, list | tuple) else str(value)


# --- on their way to the file ----------------------------------------------------------------------------


def packed(cells: Sequence[Cell]) -> list[Any]:
    """A row as JSON, which `unpacked` reads."""
    return [_pack(each) for each in cells]


def unpacked(row: Sequence[Any]) -> list[Cell]:
    """The row that `packed` has written."""
    return [_KINDS[each[0]](each[1]) if isinstance(each, list) else each for each in row]


def _pack(value: Cell) -> Any:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    return ["m", str(value)] if isinstance(value, Decimal) else value


_KINDS: dict[str, Any] = {"t": datetime.fromisoformat, "d": date.fromisoformat, "m": Decimal}
