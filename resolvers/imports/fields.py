"""The fields of an import: what a row of a sheet may set, derived from what the forms of the entity set."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Enum

from models import ENTITIES, Base, Entity, User
from models.base import column_of, trait_of
from models.choices import Choice, choices_of
from models.column_types import LONG
from models.custom_field import Custom, CustomKind
from models.field_examples import example_of
from models.field_names import column_in_words
from models.headings import Heading, headings_of
from models.people import LANGUAGES

from ..records.form_schema import FieldType, FormField

LINE = 200
"""Maximum number of characters of an input that is no column."""


class FieldKind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    """One line of text."""
    LONG_TEXT = "long_text"
    """Text of several lines."""
    PHONE = "phone"
    """A phone number."""
    EMAIL = "email"
    """An e-mail address."""
    NUMBER = "number"
    """Digits, with decimals or without."""
    AMOUNT = "amount"
    """An amount of money."""
    DATE = "date"
    """A day."""
    TIME = "time"
    """A day and a time, in the time zone of the organisation."""
    YES_NO = "yes_no"
    """Yes or no."""
    WORD = "word"
    """One word of a dictionary, by label, key or alias."""
    WORD_LIST = "word_list"
    """Several words of a dictionary."""
    PERSON = "person"
    """A user, by name or login."""
    RECORD = "record"
    """Another record, by number or name."""
    CHOICE = "choice"
    """One of a few fixed values."""


@dataclass(frozen=True)
class ImportField:
    """One field that a column of a sheet may hold.

    `input`: the key that the use case takes, the same for two ways to name one record.  `label`, `example`: English and
    Chinese.  `length`: maximum number of characters.  `dictionary`: the code of the dictionary of a WORD.  `choices`: the
    members of a CHOICE with their words.  `reference`: the entity of a PERSON or RECORD, whose columns `by` a cell names.
    """

    key: str
    input: str
    table: str
    kind: FieldKind
    label: tuple[str, str]
    example: tuple[str, str]
    headings: tuple[Heading, ...] = field(default=(), compare=False, repr=False)
    """What sheets call it.  Table and key decide that."""
    is_required: bool = False
    length: int | None = None
    dictionary: str | None = None
    choices: tuple[Choice, ...] = ()
    reference: type[Entity] | None = None
    by: tuple[str, ...] = ()
    is_key: bool = False
    """Whether an existing record may be found by it, alone or with others."""
    is_written: bool = True
    """Whether the caller may set it; otherwise it only finds the record."""
    is_new_only: bool = False
    """Whether it is set at creation only."""
    has_several: bool = False
    """Whether a cell may hold several values, apart by a line break or a semicolon."""
    may_have_left: bool = False
    """Whether it may name a person who is no longer active."""

    def say(self, language: str) -> str:
        """What the field is called."""
        return self.label[language.startswith("zh")]


def import_field(model: type[Entity], field: FormField, *, is_required: bool | None = None) -> ImportField:
    """The field of an import for one of a form, as far as a column holds it whole."""
    reference = _ENTITIES[field.reference] if field.reference else None
    if field.custom is not None:
        return _custom_field(model, field, field.custom, reference)
    kind = _kind(field, reference)
    return named(
        model,
        field.key,
        kind,
        is_required=field.required if is_required is None else is_required,
        length=_length(kind, field),
        dictionary=field.dictionary or (_list_of(model, field.key) if kind is FieldKind.WORD_LIST else None),
        choices=_choices(model, field),
        reference=reference,
        by=lookup_columns(reference) if reference else (),
        has_several=kind is FieldKind.WORD_LIST,
        may_have_left=reference is User and trait_of(column_of(model, field.key)).historical,
    )


def _custom_field(model: type[Entity], field: FormField, custom: Custom, reference: type[Entity] | None) -> ImportField:
    """The field for a custom one: its heading is its name in either language."""
    kind = _CUSTOM.get(custom.kind, FieldKind.TEXT) if reference is not User else FieldKind.PERSON
    return ImportField(
        field.key,
        field.key,
        model.__tablename__,
        kind,
        (custom.label("en"), custom.label("zh")),
        _EXAMPLES.get(kind, ("", "")),
        is_required=field.required,
        length=field.length,
        dictionary=custom.dictionary,
        reference=reference,
        by=lookup_columns(reference) if reference else (),
        has_several=kind is FieldKind.WORD_LIST,
        may_have_left=reference is User,
    )


def named(model: type[Base], key: str, kind: FieldKind, *, input: str = "", **more: object) -> ImportField:
    """A field with the label, the example and the headings of its key."""
    table = model.__tablename__
    label = column_in_words(table, key)
    plain = ImportField(key, input or key, table, kind, label, example_of(table, key, kind), headings_of(table, key))
    return replace(plain, **more)  # type: ignore[arg-type]  # the fields of the class


def lookup_columns(model: type[Entity]) -> tuple[str, ...]:
    """The columns under which a cell names a record: what the search box of its list looks at; of a person the address, too."""
    return (*model.search, *(("email",) if model is User else ()))


# --- steps -----------------------------------------------------------------------------------------------

_ENTITIES = {model.__name__: model for model in ENTITIES}
_LINES = (FieldKind.TEXT, FieldKind.PHONE, FieldKind.EMAIL)
_KINDS = {
    FieldType.LONG_TEXT: FieldKind.LONG_TEXT,
    FieldType.WHOLE_NUMBER: FieldKind.NUMBER,
    FieldType.AMOUNT: FieldKind.AMOUNT,
    FieldType.DATE: FieldKind.DATE,
    FieldType.TIME: FieldKind.TIME,
    FieldType.YES_NO: FieldKind.YES_NO,
    FieldType.CHOICE: FieldKind.CHOICE,
    FieldType.WORD: FieldKind.WORD,
    FieldType.LIST: FieldKind.WORD_LIST,
}
_CUSTOM = {
    CustomKind.LONG_TEXT: FieldKind.LONG_TEXT,
    CustomKind.NUMBER: FieldKind.AMOUNT,
    CustomKind.MONEY: FieldKind.AMOUNT,
    CustomKind.DATE: FieldKind.DATE,
    CustomKind.MOMENT: FieldKind.TIME,
    CustomKind.YES_NO: FieldKind.YES_NO,
    CustomKind.SINGLE_CHOICE: FieldKind.WORD,
    CustomKind.MULTIPLE_CHOICE: FieldKind.WORD_LIST,
    CustomKind.PHONE: FieldKind.PHONE,
    CustomKind.EMAIL: FieldKind.EMAIL,
    CustomKind.PERSON: FieldKind.PERSON,
    CustomKind.REFERENCE: FieldKind.RECORD,
}
_EXAMPLES = {
    FieldKind.AMOUNT: ("1,234.50", "1,234.50"),
    FieldKind.DATE: ("2026-12-31", "2026-12-31"),
    FieldKind.TIME: ("2026-12-31 18:00", "2026-12-31 18:00"),
    FieldKind.YES_NO: ("yes", "是"),
    FieldKind.PHONE: ("021-5555 1234", "021-5555 1234"),
    FieldKind.EMAIL: ("wang@example.com", "wang@example.com"),
    FieldKind.PERSON: ("li.na", "li.na"),
}
_BY_KEY = {"phone": FieldKind.PHONE, "email": FieldKind.EMAIL}


def _kind(field: FormField, reference: type[Entity] | None) -> FieldKind:
    if reference is not None:
        return FieldKind.PERSON if reference is User else FieldKind.RECORD
    return _KINDS.get(field.type) or _BY_KEY.get(field.key.removeprefix("contact_"), FieldKind.TEXT)


def _length(kind: FieldKind, field: FormField) -> int | None:
    if kind is FieldKind.LONG_TEXT:
        return LONG
    return field.length or (LINE if kind in _LINES else None)


def _choices(model: type[Entity], field: FormField) -> tuple[Choice, ...]:
    if field.type is not FieldType.CHOICE:
        return ()
    if field.key == "language":
        return choices_of("language", LANGUAGES)
    kind = column_of(model, field.key).type
    return choices_of(kind.enum_class.__name__ if isinstance(kind, Enum) and kind.enum_class else "", field.choices)


def _list_of(model: type[Entity], key: str) -> str | None:
    return trait_of(column_of(model, key)).words_of
