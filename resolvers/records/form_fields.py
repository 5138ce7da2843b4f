"""What a form says of one field, so that a front end can draw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from models.base import LONG
from models.custom_field import Custom, CustomKind

from ..runtime.custom_fields import referred_kind


class FieldType(StrEnum):
    """What a field holds, and so how it is typed in."""

    TEXT = "text"
    """One line of text."""
    LONG_TEXT = "long_text"
    """Text of several lines."""
    WHOLE_NUMBER = "whole_number"
    """A number without decimals."""
    AMOUNT = "amount"
    """An exact amount with 2 decimals, as text."""
    DATE = "date"
    """A day, `2026-11-24`."""
    TIME = "time"
    """A moment with its zone, `2026-11-24T08:30:00Z`."""
    YES_NO = "yes_no"
    """True or false."""
    CHOICE = "choice"
    """One of a few fixed values, which are the members of an enum."""
    WORD = "word"
    """The key of a word of a dictionary."""
    RECORD = "record"
    """The id of another record."""
    LIST = "list"
    """Several words, by their keys."""
    POINTS = "points"
    """Phone numbers and addresses of a contact."""
    OPTIONS = "options"
    """The options of a choice with a list of its own, each with labels in both languages and a key."""
    NUMBER = "number"
    """A number with at most 6 decimals, as text."""
    WORDS = "words"
    """Keys of several words of a dictionary."""
    PHONE = "phone"
    """A phone number."""
    EMAIL = "email"
    """An e-mail address."""
    LINK = "link"
    """The address of a page."""
    CONDITION = "condition"
    """A condition on customers, as JSON: `{"stage": {"eq": "won"}}`."""


@dataclass(frozen=True)
class Option:
    """One value that a field offers, and what it is called in English and Chinese.

    `depth`: how many words stand above it.  `parent`: the word right above it.
    """

    value: str
    said: tuple[str, str]
    depth: int = 0
    parent: str | None = None


@dataclass(frozen=True)
class Requirement:
    """A condition under which a field is needed: each field holds one of its values, or any where they are None."""

    all: tuple[tuple[str, tuple[str, ...] | None], ...]


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
    said: tuple[str, str] = ("", "")
    """What it is called, in English and Chinese."""
    options: tuple[Option, ...] = ()
    has_more_options: bool = False
    """Whether its words are too many to be listed here."""
    low: Decimal | None = None
    high: Decimal | None = None
    decimals: int | None = None
    earliest: date | None = None
    latest: date | None = None
    """The bounds of a day, or of a moment."""
    most: int | None = None
    """Maximum number of items."""
    example: tuple[str, str] | None = None
    default: Any = None
    required_when: tuple[Requirement, ...] = ()
    one_of: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    kind_in: str | None = None
    """The field that says of which kind the record is whose id it holds."""


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
