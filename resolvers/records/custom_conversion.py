"""Stored values of custom fields: who holds one, and what each comes to in another kind."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import ENTITIES, CustomField, Entity
from models.amounts import amount_of
from models.base import is_customised
from models.custom_field import Custom, CustomKind, python_value
from models.custom_sql import CustomJson
from models.database.bypass import Because, bypass_policy
from models.errors import InUse
from models.text import fold

from ..runtime.ids import global_id

TEXTS = frozenset({CustomKind.TEXT, CustomKind.LONG_TEXT, CustomKind.PHONE, CustomKind.EMAIL, CustomKind.LINK})
NUMBERS = frozenset({CustomKind.NUMBER, CustomKind.MONEY})
_CHINESE_DAY = re.compile(r"(\d{4})\s*[\u5e74/.-]\s*(\d{1,2})\s*[\u6708/.-]\s*(\d{1,2})\s*\u65e5?")
"""A day, also with the Chinese words for year, month and day."""
_YES, _NO = frozenset({"yes", "true", "是"}), frozenset({"no", "false", "否"})


class DoesNotConvert(ValueError):
    """A value that is none of the wanted kind."""


def holders(row: CustomField) -> Select[Any]:
    """The records that hold a value of the field, those in the bin included, as a statement of id and value."""
    model = model_of(row.for_module)
    column = model.__table__.c["custom"]
    value = CustomJson(column, Custom(row.id, row.for_module, row.key, row.kind, row.label_en))
    return select(model.__table__.c.id, value).where(column[row.key].as_string().is_not(None))


def model_of(module: str) -> type[Entity]:
    """The entity with custom fields whose module it is."""
    return next(model for model in ENTITIES if model.module == module and is_customised(model))


def count_holders(db: Session, row: CustomField) -> int:
    """How many records hold a value of the field, whoever sees them."""
    asked = select(func.count()).select_from(holders(row).subquery())
    return db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()


def refuse_if_held(db: Session, row: CustomField) -> None:
    """Raise InUse while a record holds a value of the field."""
    if count := count_holders(db, row):
        names = model_of(row.for_module).names
        raise InUse(label=row.label, count=count, what=names, record_id=global_id(CustomField, row.id))


# --- from one kind to another ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One option of a choice: its label in the language of the organisation, and everything that means it."""

    label: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A kind with what belongs to it, and what conversions need to know.

    `words`: the options of a choice by key.  `zone`: that of the organisation, in which a day begins.
    """

    kind: CustomKind
    dictionary: str | None = None
    target: str | None = None
    words: Mapping[str, Option] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    is_chinese: bool = False
    """Whether texts are made in Chinese, the language of the organisation."""


def convertible(before: CustomKind) -> list[CustomKind]:
    """The kinds into which values of this one may come, the kind itself left out."""
    return [kind for kind in CustomKind if kind is not before and (before, kind) in _WAYS]


def converted(before: Shape, after: Shape, stored: Any) -> Any:
    """A stored value as a value of the wanted kind, with nothing lost.  Raises DoesNotConvert."""
    way = _WAYS.get((before.kind, after.kind))
    if way is None:
        raise DoesNotConvert
    try:
        return way(before, after, python_value(before.kind, stored))
    except (ValueError, ArithmeticError):
        raise DoesNotConvert from None


def as_text(shape: Shape, value: Any) -> str:
    """A value as people read it, where no page formats it."""
    if isinstance(value, list):
        return ("、" if shape.is_chinese else ", ").join(as_text(shape, each) for each in value)
    if isinstance(value, str) and value in shape.words:
        return shape.words[value].label
    if isinstance(value, datetime):
        return value.astimezone(shape.zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return ("是" if value else "否") if shape.is_chinese else "yes" if value else "no"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _same(_before: Shape, _after: Shape, value: Any) -> Any:
    return value


def _text(before: Shape, _after: Shape, value: Any) -> str:
    return as_text(before, value)


def _number(_before: Shape, _after: Shape, value: str) -> Decimal:
    return amount_of(value)


def _amount(_before: Shape, _after: Shape, value: Decimal) -> Decimal:
    if value != (rounded := value.quantize(Decimal("0.01"))):
        raise DoesNotConvert
    return rounded


def _typed_amount(before: Shape, after: Shape, value: str) -> Decimal:
    return _amount(before, after, amount_of(value))


def _day(_before: Shape, _after: Shape, value: str) -> date:
    if (found := _CHINESE_DAY.fullmatch(value.strip())) is None:
        raise DoesNotConvert
    return date(*map(int, found.groups()))


def _moment(_before: Shape, after: Shape, value: date) -> datetime:
    return datetime.combine(value, time(), after.zone)


def _day_of_moment(_before: Shape, after: Shape, value: datetime) -> date:
    local = value.astimezone(after.zone)
    if local.time() != time():
        raise DoesNotConvert
    return local.date()


def _yes_no(_before: Shape, _after: Shape, value: str) -> bool:
    word = value.strip().casefold()
    if word not in _YES | _NO:
        raise DoesNotConvert
    return word in _YES


def _word(before: Shape, after: Shape, value: str) -> str:
    """The option that a text, or an option of another list, means: by key, else by its names and aliases."""
    if value in after.words and (before.dictionary == after.dictionary or value not in before.words):
        return value
    if before.dictionary is not None and before.dictionary == after.dictionary and value in before.words:
        return value  # archived words stay where they are
    said = {fold(as_text(before, value))}
    meant = [key for key, word in after.words.items() if said & {fold(x) for x in word.names}]
    if len(meant) != 1:
        raise DoesNotConvert
    return meant[0]


def _one_word(before: Shape, after: Shape, value: str) -> list[str]:
    return [_word(before, after, value)]


def _only_word(before: Shape, after: Shape, value: list[str]) -> str:
    if len(value) != 1:
        raise DoesNotConvert
    return _word(before, after, value[0])


def _each_word(before: Shape, after: Shape, value: list[str]) -> list[str]:
    return [_word(before, after, each) for each in value]


Way = Callable[[Shape, Shape, Any], Any]


def _ways() -> Iterator[tuple[tuple[CustomKind, CustomKind], Way]]:
    k = CustomKind
    for text in TEXTS:
        yield from (((text, other), _same) for other in TEXTS if other is not text)
        yield from {
            (text, k.NUMBER): _number,
            (text, k.MONEY): _typed_amount,
            (text, k.DATE): _day,
            (text, k.YES_NO): _yes_no,
            (text, k.SINGLE_CHOICE): _word,
            (text, k.MULTIPLE_CHOICE): _one_word,
        }.items()
    for kind in (k.NUMBER, k.MONEY, k.DATE, k.MOMENT, k.YES_NO, k.SINGLE_CHOICE, k.MULTIPLE_CHOICE):
        yield from (((kind, text), _text) for text in (k.TEXT, k.LONG_TEXT))
    yield (k.NUMBER, k.MONEY), _amount
    yield (k.MONEY, k.NUMBER), _same
    yield (k.DATE, k.MOMENT), _moment
    yield (k.MOMENT, k.DATE), _day_of_moment
    yield (k.SINGLE_CHOICE, k.SINGLE_CHOICE), _word
    yield (k.SINGLE_CHOICE, k.MULTIPLE_CHOICE), _one_word
    yield (k.MULTIPLE_CHOICE, k.SINGLE_CHOICE), _only_word
    yield (k.MULTIPLE_CHOICE, k.MULTIPLE_CHOICE), _each_word


_WAYS: dict[tuple[CustomKind, CustomKind], Way] = dict(_ways())
