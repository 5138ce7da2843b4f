"""Values in conditions: as users, clients and saved views write them in JSON, and as filters compare them."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.periods import YEARS, period_of

from ..runtime.ids import BY_PREFIX
from .comparison import LONGEST_PART
from .condition_fields import RESERVED, ConditionField, Kind

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_AMOUNT = re.compile(r"-?\d{1,14}(\.\d{1,2})?")
_LARGEST = 2**31 - 1


def converter(field: ConditionField) -> Callable[[Any], Any]:
    """What types a value of this field.  It raises ValueError or OverflowError for one that cannot be compared."""
    match field.kind:
        case Kind.RECORD:
            return lambda x: _id(field, x)
        case Kind.CHOICE:
            return lambda x: _member(field, x)
        case _:
            return _CONVERTERS[field.kind]


def _text(given: Any) -> str:
    if not isinstance(given, str) or "\0" in given or len(given) > LONGEST_PART:
        raise ValueError(given)
    given.encode()  # a lone surrogate is no text
    return given


def _id(field: ConditionField, given: Any) -> str:
    """A global id, or a word in place of one.  Whether there is such a record is not asked, so the answer tells nothing."""
    text = _text(given)
    if field.target is not None and text in RESERVED.get(field.target, ()):
        return text
    if text.partition("_")[0] not in BY_PREFIX:
        raise ValueError(given)
    return text


def _member(field: ConditionField, given: Any) -> Any:
    for member in field.choices or ():
        if given in (member, member.name, member.value):
            return member
    raise ValueError(given)


def _whole(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or abs(given) > _LARGEST:
        raise ValueError(given)
    return given


def _amount(given: Any) -> Decimal:
    text = str(given) if isinstance(given, int | float | Decimal) and not isinstance(given, bool) else given
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ValueError(given)
    return Decimal(text)


def _number(given: Any) -> Decimal:
    text = str(given) if isinstance(given, int | Decimal) and not isinstance(given, bool) else given
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(given)
    return Decimal(text)


def _day(given: Any) -> date:
    day = date.fromisoformat(given) if isinstance(given, str) else given
    if not isinstance(day, date) or isinstance(day, datetime) or day.year not in YEARS:
        raise ValueError(given)
    return day


def _moment(given: Any) -> datetime:
    """A moment; one without a zone is left so, because the organisation whose time it is decides (`conditions.py`)."""
    at = datetime.fromisoformat(given) if isinstance(given, str) else given
    if not isinstance(at, datetime) or at.year not in YEARS:
        raise ValueError(given)
    return at


def yes_or_no(given: Any) -> bool:
    """A boolean.  Raises ValueError."""
    if not isinstance(given, bool):
        raise ValueError(given)
    return given


def period_text(given: Any) -> str:
    """The text of a period.  Raises ValueError."""
    period_of(_text(given))
    return str(given)


_CONVERTERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.WORD: _text,
    Kind.WORDS: _text,
    Kind.WHOLE: _whole,
    Kind.AMOUNT: _amount,
    Kind.NUMBER: _number,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.YES_NO: yes_or_no,
}
