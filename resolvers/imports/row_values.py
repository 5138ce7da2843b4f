"""A row of a sheet as inputs of the use cases: each cell by the kind of its field, and what is wrong with it.

What the cell names elsewhere (a person, a customer, a pool) is left as its text: `references.py` finds the record.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from models.contact import PointKind
from models.errors import NotInList, Refusal, Validation
from models.listed_values import parted
from models.sheet_cells import Cell
from models.text import fold

from ..runtime.inputs import refused
from .date_columns import DateOrder, Order, date_of
from .fields import FieldKind, ImportField
from .plain_values import number_of, text_of, yes_no_of
from .units import PLAIN, Unit
from .vocabulary import Vocabulary

IN_PERCENT = frozenset({"probability"})
"""Fields that count percent, so that `40%` in a cell is 40."""
YEAR_FIRST = DateOrder(Order.YEAR_FIRST)
POINT_KINDS = {
    "phone": PointKind.PHONE,
    "second_phone": PointKind.PHONE,
    "email": PointKind.EMAIL,
    "wechat": PointKind.WECHAT,
    "other_address": PointKind.OTHER,
}
"""Key of a field of a contact -> what its cell holds."""


@dataclass(frozen=True)
class MappedColumn:
    """A column with its field, the order of its dates, and the unit of its amounts."""

    place: int
    field: ImportField
    dates: DateOrder = YEAR_FIRST
    unit: Unit = PLAIN


@dataclass(frozen=True)
class Naming:
    """A record that a cell names.  `by`: the columns in which its text is looked for."""

    field: ImportField
    text: str


@dataclass
class RowValues:
    """What a row says.

    `refusals`: field -> what is wrong with its cell.  `blank`: fields whose cell is empty.  `missing`: field -> the name in
    its cell under which there is no record.  `company`: the name of the new customer to which the row belongs.
    """

    values: dict[str, Any] = field(default_factory=dict)
    namings: list[Naming] = field(default_factory=list)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    company: str | None = None


@dataclass(frozen=True)
class Sense:
    """How cells are understood: the zone in which times are written, and what the words of dictionaries are spelt."""

    zone: ZoneInfo
    words: Vocabulary


def row_values(
    columns: Sequence[MappedColumn], cells: Sequence[Cell], edits: Mapping[str, Cell], sense: Sense
) -> RowValues:
    """The row as inputs.  `edits`: place of a column -> what its user has written instead of the cell."""
    found = RowValues()
    for column in columns:
        key = str(column.place)
        cell = edits[key] if key in edits else cells[column.place] if column.place < len(cells) else None
        try:
            _take(found, column, cell, sense)
        except Refusal as refusal:
            refusal.field = refusal.field or column.field.key
            found.refusals[column.field.key] = refusal
    return found


def _take(found: RowValues, column: MappedColumn, cell: Cell, sense: Sense) -> None:
    which = column.field
    if which.reference is not None:
        said = text_of(cell)
        if said is None:
            found.blank.add(which.key)
        else:
            found.namings += [Naming(which, part) for part in (parted(said) if which.has_several else [said])]
        return
    value = _VALUES[which.kind](column, cell, sense)
    if value is None or value == []:
        found.blank.add(which.key)
    elif which.input == "points":
        points = found.values.setdefault("points", [])
        points += [{"kind": POINT_KINDS[which.key], "value": part} for part in parted(str(value))]
    else:
        found.values[which.input] = value


# --- by kind ---------------------------------------------------------------------------------------------


def _text(_column: MappedColumn, cell: Cell, _sense: Sense) -> str | None:
    return text_of(cell)


def _number(column: MappedColumn, cell: Cell, _sense: Sense) -> int | Decimal | None:
    number = number_of(cell, in_percent=column.field.key in IN_PERCENT)
    if number is None:
        return None
    number *= column.unit.factor
    return int(number) if number == number.to_integral_value() else number


def _amount(column: MappedColumn, cell: Cell, _sense: Sense) -> Decimal | None:
    number = number_of(cell)
    return None if number is None else number * column.unit.factor


def _day(column: MappedColumn, cell: Cell, _sense: Sense) -> date | None:
    found = date_of(cell, column.dates)
    return found.date() if isinstance(found, datetime) else found


def _moment(column: MappedColumn, cell: Cell, sense: Sense) -> datetime | None:
    """A moment in the zone of who imports; a day without a time is its beginning."""
    found = date_of(cell, column.dates)
    if found is None:
        return None
    moment = found if isinstance(found, datetime) else datetime.combine(found, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=sense.zone)


def _yes_no(_column: MappedColumn, cell: Cell, _sense: Sense) -> bool | None:
    return yes_no_of(cell)


def _word(column: MappedColumn, cell: Cell, sense: Sense) -> str | None:
    """The key of a dictionary word.

    What is unknown, or means several words, stays as it is, for the rule of single writes to refuse with its advice.
    """
    said = text_of(cell)
    return None if said is None else _key(column.field, said, sense)


def _words(column: MappedColumn, cell: Cell, sense: Sense) -> list[str] | None:
    said = text_of(cell)
    return None if said is None else [_key(column.field, part, sense) for part in parted(said)]


def _key(which: ImportField, said: str, sense: Sense) -> str:
    meant = sense.words.get(which.dictionary or "", {}).get(fold(said), ())
    return meant[0] if len(meant) == 1 else said


def _choice(column: MappedColumn, cell: Cell, _sense: Sense) -> str | None:
    said = text_of(cell)
    if said is None:
        return None
    for choice in column.field.choices:
        if fold(said) in {fold(word) for word in choice.words}:
            return choice.member
    raise _no_choice(column.field, said)


def _no_choice(which: ImportField, said: str) -> Validation:
    english = ", ".join(choice.english for choice in which.choices)
    chinese = "、".join(choice.chinese for choice in which.choices)
    facts: dict[str, Any] = {
        "choices": [x.english for x in which.choices],
        "choices_zh": [x.chinese for x in which.choices],
    }
    told = f"“{said[:40]}” is not in the list; choose {english}", f"“{said[:40]}”不在列表中，可选：{chinese}"
    return refused(NotInList, which.key, *told, **facts)


_VALUES: dict[FieldKind, Callable[[MappedColumn, Cell, Sense], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _text,
    FieldKind.PHONE: _text,
    FieldKind.EMAIL: _text,
    FieldKind.NUMBER: _number,
    FieldKind.AMOUNT: _amount,
    FieldKind.DATE: _day,
    FieldKind.TIME: _moment,
    FieldKind.YES_NO: _yes_no,
    FieldKind.WORD: _word,
    FieldKind.WORD_LIST: _words,
    FieldKind.CHOICE: _choice,
}
