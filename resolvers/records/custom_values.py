"""Values of custom fields: cleaned by kind, required where they must be, with words and records that there are.

Use cases take them beside other fields, under dotted keys: `{"name": "Acme", "custom.satisfaction": "good"}`.  Within a
use case they are one value, `custom`, which the record holds.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models import Entity
from models.base import LONG, is_customised
from models.contact import PointKind
from models.custom_field import (
    PREFIX,
    Custom,
    CustomKind,
    FormerKind,
    ManyValues,
    is_custom,
    past_value,
    stored_value,
)
from models.custom_sql import plain_number
from models.errors import TooMany, Validation
from models.field_names import FieldWord

from ..runtime.custom_fields import known_field, unknown_field
from ..runtime.gathering import Gathering
from ..runtime.ids import LARGEST_ID
from ..runtime.inputs import (
    amount_of,
    badly_formed,
    day_of,
    invalid,
    line,
    moment,
    out_of_range,
    paragraphs,
    refused,
    required,
    yes_or_no,
)
from ..runtime.points import check_point
from ..runtime.scope import Scope
from .field_rights import open_fields

COLUMN = "custom"
MOST_WORDS = 100
"""Maximum number of words of a multiple choice."""
_DIGITS, _DECIMALS = 15, 6
_LINK = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
Stored = dict[str, Any]
"""Key -> value as the column holds it; None empties the field."""


def take_customs(
    scope: Scope, model: type[Entity], given: Mapping[str, Any], found: Gathering | None = None
) -> tuple[dict[str, Any], Stored | None]:
    """(what is given of other fields, the cleaned values of custom fields; None where none is given).

    Raises Validation for a field that is not there for the caller, is retired, or cannot hold the value.  With `found`
    they are noted there, and left out.
    """
    words = [key for key in given if is_custom(key)]
    if not words:
        return dict(given), None
    if not is_customised(model):
        raise unknown_field(model, words[0], words[0])
    stored, gathered = {}, found if found is not None else Gathering()
    for word in words:
        with gathered.noting():
            custom = known_field(scope.policy, scope.person, model, word, word)
            stored[custom.key] = cleaned(custom, given[word])
    if found is None:
        gathered.settle()
    return {key: value for key, value in given.items() if not is_custom(key)}, stored


def cleaned(custom: Custom, value: Any) -> Any:
    """A value as the column holds it, None for an empty one.  Raises Validation, whose sentence names the field."""
    if isinstance(value, ManyValues):
        raise invalid(custom.named, "takes exactly one value", "须填写且只能填写一个值")
    if isinstance(value, FormerKind):
        raise invalid(custom.named, "was of another kind then", "当时是其他类型")
    value = None if value in ("", [], ()) else value
    if value is not None and custom.is_retired:
        raise invalid(custom.named, "is retired and takes no new values", "已停用，不能填写")
    return None if value is None else stored_value(_CLEANERS[custom.kind](custom.named, value))


def still_fits(custom: Custom, stored: Any) -> bool:
    """Whether a stored value of the past is one of the present kind of its field, retired or not; an empty one is."""
    try:
        return bool(cleaned(replace(custom, is_retired=False), past_value(custom.kind, stored)) == stored)
    except Validation:
        return False


def may_come_back(scope: Scope, model: type[Entity], key: str, stored: Any) -> bool:
    """Whether a former value is one that its field can hold: a custom field may have another kind by now, or be gone."""
    if not is_custom(key) or stored is None:
        return True
    custom = scope.policy.book.find(model.module, key)
    return custom is not None and still_fits(custom, stored)


def merged(held: Stored | None, changes: Stored) -> Stored | None:
    """What the column holds after these changes; None when nothing is left."""
    left = {key: value for key, value in {**(held or {}), **changes}.items() if value is not None}
    return left or None


def dotted(stored: Stored | None) -> dict[str, Any]:
    """The same under dotted keys, as log, conflicts and rights call them."""
    return {f"{PREFIX}{key}": value for key, value in (stored or {}).items()}


def held_by(row: Entity, key: str) -> Any:
    """What a record holds in a column, or in a custom field that its dotted key names, as it is stored."""
    return (getattr(row, COLUMN) or {}).get(key.removeprefix(PREFIX)) if is_custom(key) else getattr(row, key)


def put_into(row: Entity, key: str, value: Any) -> None:
    """Set a column, or a custom field as it is stored."""
    if is_custom(key):
        setattr(row, COLUMN, merged(getattr(row, COLUMN), {key.removeprefix(PREFIX): value}))
    else:
        setattr(row, key, value)


# --- required --------------------------------------------------------------------------------------------


def check_emptied(scope: Scope, model: type[Entity], changes: Stored | None) -> None:
    """Raise Validation for a required field that an edit is to empty.  A field that is not given may stay empty."""
    found = Gathering()
    for custom in scope.policy.book.of(model.module) if changes else ():
        if custom.is_required and custom.key in (changes or {}) and (changes or {})[custom.key] is None:
            found.note(required(custom.named))
    found.settle()


def missing(scope: Scope, model: type[Entity], stored: Stored | None) -> list[Custom]:
    """The required fields that a new record leaves empty and that the caller may see and fill in some record.

    A part of the system has no form in which it could fill them.
    """
    if scope.person.id is None or not is_customised(model):
        return []
    fields = (x for x in scope.policy.book.of(model.module) if x.is_required)
    return [x for x in fields if (stored or {}).get(x.key) is None and _may_fill(scope, x)]


def require_customs(scope: Scope, db: Session, row: Entity, lacking: list[Custom]) -> None:
    """Raise Required for those of these fields that the caller may fill in this new record.  It is flushed."""
    if lacking:
        shown, found = open_fields(scope, db, type(row), row.id, [x.word for x in lacking], _FILL), Gathering()
        for custom in lacking:
            if custom.word in shown:
                found.note(required(custom.named))
        found.settle()


_FILL = ("view", "create", "edit")


def _may_fill(scope: Scope, custom: Custom) -> bool:
    return all(scope.policy.ever(scope.person, action, custom.object) for action in _FILL)


# --- words and records -----------------------------------------------------------------------------------


def words_in(scope: Scope, model: type[Entity], values: Mapping[str, Any]) -> Iterator[tuple[FieldWord, str, str]]:
    """(field, dictionary, key) of each dictionary word among these values."""
    for key, value in (values.get(COLUMN) or {}).items():
        custom = scope.policy.book.find(model.module, f"{PREFIX}{key}")
        if custom is not None and custom.dictionary:
            words = (value or ()) if custom.is_list else (value,)
            yield from ((custom.named, custom.dictionary, word) for word in words if word)


def refers(scope: Scope, model: type[Entity], values: Mapping[str, Any]) -> bool:
    """Whether one of these values refers to a record."""
    found = (scope.policy.book.find(model.module, f"{PREFIX}{key}") for key in values.get(COLUMN) or ())
    return any(custom is not None and custom.kind in (CustomKind.PERSON, CustomKind.REFERENCE) for custom in found)


# --- one value -------------------------------------------------------------------------------------------


def _line(field: FieldWord, value: Any) -> Any:
    return line(value, field)


def _phone(field: FieldWord, value: Any) -> Any:
    text = line(value, field, 40)
    if text:
        check_point(PointKind.PHONE, text, field)
    return text


def _email(field: FieldWord, value: Any) -> Any:
    text = line(value, field)
    if text:
        check_point(PointKind.EMAIL, text, field)
    return text


def _link(field: FieldWord, value: Any) -> Any:
    text = line(value, field, 2_000)
    if text and not _LINK.fullmatch(text):
        said = "must be an address that begins with http:// or https://", "须为以 http:// 或 https:// 开头的网址"
        raise badly_formed(field, *said, "https://example.com")
    return text


def _number(field: FieldWord, value: Any) -> Decimal:
    if not isinstance(value, Decimal | int) or isinstance(value, bool) or not Decimal(value).is_finite():
        raise badly_formed(field, "must be a number", "必须是数字", "4.25")
    number = Decimal(value)
    if number and number.adjusted() >= _DIGITS:
        raise out_of_range(field)
    number = plain_number(number)
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or -exponent > _DECIMALS or len(digits) > _DIGITS:
        raise badly_formed(
            field,
            f"has at most {_DIGITS} digits, {_DECIMALS} of them after the point",
            f"最多 {_DIGITS} 位数字，其中小数最多 {_DECIMALS} 位",
        )
    return number


def _word(field: FieldWord, value: Any) -> Any:
    return line(value, field, 40)


def _words(field: FieldWord, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise badly_formed(field, "must be a list", "必须是列表")
    if len(value) > MOST_WORDS:
        raise refused(TooMany, field, max=MOST_WORDS)
    return list(dict.fromkeys(word for x in value if (word := line(x, field, 40)))) or None


def _id(field: FieldWord, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_ID:
        raise badly_formed(field, "must be a record", "必须是一条记录")
    return value


_CLEANERS: Mapping[CustomKind, Callable[[FieldWord, Any], Any]] = {
    CustomKind.TEXT: _line,
    CustomKind.LONG_TEXT: lambda field, value: paragraphs(value, field, LONG),
    CustomKind.NUMBER: _number,
    CustomKind.MONEY: lambda field, value: amount_of(field, value) + 0,
    CustomKind.DATE: day_of,
    CustomKind.MOMENT: lambda field, value: moment(value, field),
    CustomKind.YES_NO: yes_or_no,
    CustomKind.SINGLE_CHOICE: _word,
    CustomKind.MULTIPLE_CHOICE: _words,
    CustomKind.PHONE: _phone,
    CustomKind.EMAIL: _email,
    CustomKind.LINK: _link,
    CustomKind.PERSON: _id,
    CustomKind.REFERENCE: _id,
}
