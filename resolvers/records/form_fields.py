"""What a form says of one field, so that a front end can draw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.base import LONG
from models.custom_field import Custom, CustomKind

from ..runtime.custom_fields import referred_kind


class FieldType(StrEnum):
    """What a field holds, and so how it is typed in."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    WHOLE_NUMBER = "whole_number"
    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    YES_NO = "yes_no"
    CHOICE = "choice"
    WORD = "word"
    RECORD = "record"
    LIST = "list"
    POINTS = "points"
    NUMBER = "number"
    WORDS = "words"
    PHONE = "phone"
    EMAIL = "email"
    LINK = "link"


@dataclass(frozen=True)
class FormField:
    """One field of a form.

    `name` is that of the API.  `dictionary`: the code of the dictionary whose words it holds.  `reference`: the entity
    that it refers to.  `required`: a new record needs it.  `visible`, `editable`: the rights of the caller.
    """

    key: str
    name: str
    type: FieldType
    required: bool
    visible: bool
    editable: bool
    length: int | None = None
    dictionary: str | None = None
    choices: tuple[str, ...] = ()
    reference: str | None = None
    custom: Custom | None = None
    """The definition of a custom field; its name is its dotted key."""


def custom_form_field(custom: Custom, visible: bool, editable: bool) -> FormField:
    """What a form says of a custom field."""
    target = referred_kind(custom)
    return FormField(
        custom.word,
        custom.word,
        _TYPES[custom.kind],
        custom.is_required,
        visible,
        editable,
        length=_LENGTHS.get(custom.kind),
        dictionary=custom.dictionary,
        reference=target.__name__ if target else None,
        custom=custom,
    )


_LENGTHS: Mapping[CustomKind, int] = {
    CustomKind.TEXT: 200,
    CustomKind.LONG_TEXT: LONG,
    CustomKind.PHONE: 40,
    CustomKind.EMAIL: 200,
    CustomKind.LINK: 2_000,
}
_TYPES: Mapping[CustomKind, FieldType] = {
    CustomKind.TEXT: FieldType.TEXT,
    CustomKind.LONG_TEXT: FieldType.LONG_TEXT,
    CustomKind.NUMBER: FieldType.NUMBER,
    CustomKind.MONEY: FieldType.AMOUNT,
    CustomKind.DATE: FieldType.DATE,
    CustomKind.MOMENT: FieldType.TIME,
    CustomKind.YES_NO: FieldType.YES_NO,
    CustomKind.SINGLE_CHOICE: FieldType.WORD,
    CustomKind.MULTIPLE_CHOICE: FieldType.WORDS,
    CustomKind.PHONE: FieldType.PHONE,
    CustomKind.EMAIL: FieldType.EMAIL,
    CustomKind.LINK: FieldType.LINK,
    CustomKind.PERSON: FieldType.RECORD,
    CustomKind.REFERENCE: FieldType.RECORD,
}
