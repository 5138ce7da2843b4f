"""Inputs: typed values as columns store them, trimmed and checked, or refused with the name of the field."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Column, Date, Enum, Integer, String, Text

from models import Entity
from models.base import LONG, Money, Utc, columns, trait_of
from models.choice_names import LANGUAGE_NAMES, choice_said
from models.errors import Format, NotInList, OutOfRange, Required, TooLong, TooMany, Validation
from models.field_names import field_in_words
from models.input_errors import OfOneValue
from models.people import LANGUAGES
from models.text import LARGEST_STACK, MARKS, composed, seen

from .gathering import Gathering
from .ids import camel

_REFUSED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters, surrogates and noncharacters."""
_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
"""What ends a line in one program or another; Word writes U+000B inside a paragraph."""
_PLAIN = re.compile("[ -~\u3002\u4e00-\u9fff\uff08\uff09\uff0c]+")
"""Text that stays as it is: no control characters, nothing invisible, and nothing to compose."""
_GAP = re.compile(r"\s*[\t\n]\s*")
SPARE = 4
"""How many times longer than its column a text may be before it is trimmed and composed."""
_LARGEST_INTEGER = 2**31 - 1
_AMOUNT_DIGITS = 14
_MOST_ITEMS = 100
YEARS = range(1900, 9999)
"""Years of days and times.  Others are typing errors, and near the ends of the calendar time zones cannot be converted."""


ENDS_BEFORE = "The end must lie after the beginning.", "结束时间必须晚于开始时间。"


def clean(
    model: type[Entity], given: Mapping[str, Any], *, creating: bool, found: Gathering | None = None
) -> dict[str, Any]:
    """`given` as values for the columns of `model`; what was not given is not in it.

    Raises Validation with the field: unknown or kept fields, fields only given at creation, wrong types, text that
    is too long or holds control characters, an empty value where one is needed.  With `found` they are noted there, and
    left out.
    """
    gathered, settable = found if found is not None else Gathering(), _settable(model)
    values = {}
    for key, value in given.items():
        try:
            values[key] = _set(settable.get(key), key, value, creating=creating)
        except Validation as refusal:
            gathered.note(refusal)
    if found is None:
        gathered.settle()
    return values


def _set(column: Column[Any] | None, key: str, value: Any, *, creating: bool) -> Any:
    if column is None:
        raise invalid(key, "cannot be set", "不能设置")
    if trait_of(column).immutable and not creating:
        raise invalid(key, "is only given at creation", "仅可在新建时填写")
    return _value(column, value)


def require(model: type[Entity], values: Mapping[str, Any]) -> None:
    """Raise Required for the columns that need a value and have none."""
    found = Gathering()
    for key in lacking(model, values):
        found.note(required(key))
    found.settle()


def lacking(model: type[Entity], values: Mapping[str, Any]) -> list[str]:
    """The columns that need a value and have none, in their order."""
    return [key for key in _needed(model) if values.get(key) is None]


@cache
def _settable(model: type[Entity]) -> dict[str, Column[Any]]:
    """The columns that a request may set."""
    return {x.key: x for x in columns(model) if not (trait_of(x).system_managed or x.primary_key)}


@cache
def _needed(model: type[Entity]) -> list[str]:
    """The columns that need a value, in their order."""
    return [column.key for column in columns(model) if _is_needed(column)]


def _is_needed(column: Column[Any]) -> bool:
    needed = not column.nullable and column.default is None and not trait_of(column).system_managed
    return (needed or trait_of(column).required) and not column.primary_key


def line(text: str | None, field: str, length: int = 200) -> str | None:
    """One line of free text, trimmed; None when nothing is left.  Raises Validation."""
    return None if text is None else _text(text, field, length)


def paragraphs(text: str, field: str, length: int) -> str | None:
    """Free text that may have several lines, trimmed; None when nothing is left.  Raises Validation."""
    return _text(text, field, length, lines=True)


def moment(value: datetime | None, field: str) -> datetime | None:
    """A time in UTC; one without a zone is taken as UTC.  Raises Validation."""
    return None if value is None else _moment(field, value)


def invalid(key: str, what: str, zh: str, **facts: Any) -> Validation:
    """The refusal of one field: `Name is retired.`  Clients read the `facts` in its params."""
    english, chinese = field_in_words(key)
    return Validation(f"{english} {what}.", f"{chinese}{zh}。", field=camel(key), **facts)


def refused(kind: type[Validation], key: str, what: str = "", zh: str = "", **facts: Any) -> Validation:
    """The refusal of one field with a code of its own; `what` and `zh` complete a sentence that names it.

    Kinds that have a sentence take them as a whole one in its place.
    """
    english, chinese = field_in_words(key)
    if issubclass(kind, OfOneValue):
        own = {"reason": what, "reason_zh": zh} if what else {}
        return kind(english, chinese, field=camel(key), **own, **facts)
    return kind(f"{english} {what}.", f"{chinese}{zh}。", field=camel(key), **facts)


def not_offered(key: str, choices: Sequence[tuple[str, str]] = ()) -> Validation:
    """The refusal of a value that a field does not offer; `choices`: what it offers, in English and Chinese."""
    facts: dict[str, Any] = {}
    if choices:
        facts = {"choices": [english for english, _ in choices], "choices_zh": [chinese for _, chinese in choices]}
    return refused(NotInList, key, "must be chosen from what is offered", "须从给出的选项中选择", **facts)


def badly_formed(key: str, what: str, zh: str, example: str | None = None, *, whole: bool = False) -> Validation:
    """The refusal of a value of the wrong form; `example`: one as it is expected.

    `whole`: `what` and `zh` are whole sentences.
    """
    facts = {"example": example} if example else {}
    return Format(what, zh, field=camel(key), **facts) if whole else refused(Format, key, what, zh, **facts)


# --- one value -------------------------------------------------------------------------------------------


def _value(column: Column[Any], value: Any) -> Any:
    kind, key = column.type, column.key
    if isinstance(kind, Enum) and value is not None:
        return _member(column, value)
    if isinstance(kind, String) and not isinstance(kind, Enum) and value is not None:
        value = _text(value, key, kind.length or LONG, lines=isinstance(kind, Text))
    if value is None:
        if not column.nullable or trait_of(column).required:
            raise required(key)
        return None
    for type_, convert in _CONVERTED:
        if isinstance(kind, type_):
            converted = convert(key, value)
            if trait_of(column).not_negative and converted < 0:
                raise refused(OutOfRange, key, "is below zero", "不能为负数", min=0)
            return converted
    return value if isinstance(kind, String) else _list(key, value)


def required(key: str) -> Validation:
    """The refusal of an empty value where one is needed."""
    return refused(Required, key)


def _text(value: Any, field: str, length: int, *, lines: bool = False) -> str | None:
    """`value` in one form: composed, trimmed, without invisible characters; on one line unless it may have several."""
    if not isinstance(value, str):
        raise badly_formed(field, "must be text", "必须是文本")
    if len(value) <= length and _PLAIN.fullmatch(value):
        return value.strip() or None
    if len(value) > SPARE * length:
        raise _longer(field, length)
    if _REFUSED.search(value) or (len(value) > LARGEST_STACK and not value.isascii() and MARKS.search(seen(value))):
        raise badly_formed(field, "holds characters that cannot be printed", "含有不可打印的字符")
    value = composed(_BREAK.sub("\n", value))
    value = (value if lines else _GAP.sub(" ", value)).strip()
    if len(value) > length:
        raise _longer(field, length)
    return value or None


def _longer(field: str, length: int) -> Validation:
    return refused(TooLong, field, max=length)


def _member(column: Column[Any], value: Any) -> Any:
    assert isinstance(column.type, Enum), "asked before"
    members: Any = column.type.enum_class
    try:
        return members(value)
    except ValueError:
        raise not_offered(column.key, [choice_said(member) for member in members]) from None


def _moment(field: str, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise badly_formed(field, "must be a time", "必须是时间", "2026-11-24T08:30:00Z")
    if value.year not in YEARS:
        raise out_of_range(field)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def day_of(field: str, value: Any) -> date:
    """A day in the calendar of business.  Raises Validation."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise badly_formed(field, "must be a date", "必须是日期", "2026-11-24")
    if value.year not in YEARS:
        raise out_of_range(field)
    return value


def yes_or_no(field: str, value: Any) -> bool:
    """A boolean.  Raises Validation."""
    if not isinstance(value, bool):
        raise badly_formed(field, "must be yes or no", "必须是“是”或“否”")
    return value


def _whole_number(field: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise badly_formed(field, "must be a whole number", "必须是整数", "30")
    if abs(value) > _LARGEST_INTEGER:
        raise out_of_range(field)
    return value


def amount_of(field: str, value: Any) -> Decimal:
    """An amount with two decimals.  Raises Validation."""
    if not isinstance(value, Decimal | int) or isinstance(value, bool) or not Decimal(value).is_finite():
        raise badly_formed(field, "must be an amount", "必须是金额", "1234.50")
    amount = Decimal(value)
    if amount.adjusted() >= _AMOUNT_DIGITS:
        raise out_of_range(field)
    if amount != (rounded := amount.quantize(Decimal("0.01"))):
        raise badly_formed(field, "has at most two decimals", "最多两位小数", "1234.50")
    return rounded


def _list(field: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise badly_formed(field, "must be a list", "必须是列表")
    if len(value) > _MOST_ITEMS:
        raise refused(TooMany, field, max=_MOST_ITEMS)
    return list(dict.fromkeys(text for item in value if (text := _text(item, field, 200))))


def out_of_range(
    field: str, least: Any = None, largest: Any = None, *, said: tuple[str, str] | None = None
) -> Validation:
    """The refusal of a number or day beyond its bounds, or beyond what can be stored where none are given.

    `said`: a sentence of its own for these bounds.
    """
    facts = {name: value for name, value in (("min", least), ("max", largest)) if value is not None}
    low, high = (f"{x:,}" if isinstance(x, int) else str(x) for x in (least, largest))
    if said is not None:
        pass
    elif least is None and largest is None:
        said = "is out of range", "超出范围"
    elif largest is None:
        said = f"must be at least {low}", f"不能小于 {low}"
    elif least is None:
        said = f"is at most {high}", f"最多为 {high}"
    else:
        said = f"must lie between {low} and {high}", f"须在 {low} 至 {high} 之间"
    return refused(OutOfRange, field, *said, **facts)


_CONVERTED: tuple[tuple[type[Any], Callable[[str, Any], Any]], ...] = (
    (Utc, _moment),
    (Date, day_of),
    (Boolean, yes_or_no),
    (Money, amount_of),
    (Integer, _whole_number),
)


def check_language(language: str | None) -> None:
    """Raise Validation for a language that Millpond does not have."""
    if language not in LANGUAGES:
        raise not_offered("language", [LANGUAGE_NAMES[key] for key in LANGUAGES])
