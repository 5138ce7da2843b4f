"""Columns as users see them: kind, name, possible values.  Lists, filters, forms and facts derive from these."""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer, Text

from models import (
    ENTITIES,
    AssignmentShare,
    Base,
    ClaimCondition,
    CustomerStage,
    CustomField,
    DuplicateRule,
    NumberRule,
    PipelineStage,
    PoolMember,
    Role,
    User,
)
from models.base import Money, Utc, column_of, columns, trait_of
from models.custom_field import Custom, CustomKind, is_custom
from models.duplicates import DEFAULTS
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.pages import display_column, target_of
from resolvers.records.custom_fields import CUSTOMISED, TARGETS
from resolvers.records.numbering import NUMBERED

from .book import custom_keys, custom_of
from .field_help import FIELD_HELP
from .labels import field_label
from .translation import LANGUAGES, Label, language

HIDDEN = {
    "delete_batch_id",
    "rehearsed_terms",
    "salt",
    "values_hash",
    "hash",
    "value_key",
    "path",
    "id",
    "version",
    "department_id",
}
"""Columns that no screen shows.  The department is shown where it is no copy of another column, see `shown_keys`."""


FIELD_LISTS: dict[tuple[type[Base], str], str] = {
    (PipelineStage, "required_fields"): "fields.opportunity",
    (CustomerStage, "required_fields"): "fields.customer",
}
"""The columns that hold a list of fields, with the code under which `field_words` has those to choose from."""

CONDITIONS = {(ClaimCondition, "condition"), (AssignmentShare, "condition")}
"""The columns that hold a condition about customers, which is built, and shown as a sentence."""


DICTIONARIES = "#dictionaries"
"""In place of the code of a dictionary: the words are the dictionaries themselves."""


class Kind(StrEnum):
    """How a value is shown and entered."""

    TEXT = "text"
    LONG = "long"
    WHOLE = "whole"
    MONEY = "money"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    YES_NO = "yes_no"
    CHOICE = "choice"
    WORDS = "words"
    WORD_LIST = "word_list"
    RECORD = "record"
    LINES = "lines"
    POINTS = "points"
    OPTIONS = "options"
    CONDITION = "condition"


@dataclass(frozen=True)
class Field:
    """One value of a record, or one that a dialog asks for.

    `target`: the model of a RECORD.  `dictionary`: the code of the dictionary of WORDS or of a WORD_LIST.  `choices`: the members of a
    CHOICE.  `reach`: phone, email or link, for a TEXT that calls, writes or leads somewhere.
    """

    key: str
    kind: Kind
    model: type[Base] | None = None
    target: type[Base] | None = None
    dictionary: str | None = None
    choices: tuple[str, ...] = ()
    is_required: bool = False
    length: int | None = None
    name: str = ""
    help: str = ""
    reach: str = ""

    @property
    def label(self) -> str:
        return str(self.name) if self.name else field_label(self.model, self.key)

    @property
    def word(self) -> str:
        """The name of the field in policy lines."""
        return word_of(self.key)

    @property
    def is_number(self) -> bool:
        return self.kind in (Kind.WHOLE, Kind.MONEY, Kind.DECIMAL)


def word_of(key: str) -> str:
    """The name of a column or a custom field in policy lines."""
    return key if is_custom(key) else key.removesuffix("_id")


def field_of(model: type[Base], key: str) -> Field:
    """The field of a column, of a computed value, or of an extra input of the rules of the entity."""
    return _field_of(model, key) if not is_custom(key) else _custom_field(model, key)


def input_of(model: type[Base], key: str) -> Field:
    """The same for a form, with the sentence of help below it."""
    return (
        replace(_field_of(model, key), help=FIELD_HELP.get((model, key), ""))
        if not is_custom(key)
        else field_of(model, key)
    )


def _custom_field(model: type[Base], key: str) -> Field:
    custom = custom_of(model, key)
    return of_custom(model, custom) if custom is not None else Field(key, Kind.TEXT, model)


def of_custom(model: type[Base], custom: Custom) -> Field:
    """The field of a custom field, with its label and its help in the language of the request."""
    targets = {CustomKind.PERSON: "user", CustomKind.REFERENCE: custom.target}
    module = targets.get(custom.kind)
    return Field(
        custom.word,
        _OF_CUSTOM[custom.kind],
        model,
        target=next((each for each in ENTITIES if each.module == module), None) if module else None,
        dictionary=custom.dictionary,
        is_required=custom.is_required,
        length=_LONGEST.get(custom.kind, 200) if custom.kind in _TEXTS else None,
        name=custom.label(language()),
        help=custom.help(language()) or "",
        reach=_TEXTS.get(custom.kind, ""),
    )


_TEXTS = {CustomKind.TEXT: "", CustomKind.PHONE: "phone", CustomKind.EMAIL: "email", CustomKind.LINK: "link"}
_LONGEST = {CustomKind.LINK: 2000}
_OF_CUSTOM = {
    **dict.fromkeys(_TEXTS, Kind.TEXT),
    CustomKind.LONG_TEXT: Kind.LONG,
    CustomKind.NUMBER: Kind.DECIMAL,
    CustomKind.MONEY: Kind.MONEY,
    CustomKind.DATE: Kind.DATE,
    CustomKind.MOMENT: Kind.TIME,
    CustomKind.YES_NO: Kind.YES_NO,
    CustomKind.SINGLE_CHOICE: Kind.WORDS,
    CustomKind.MULTIPLE_CHOICE: Kind.WORD_LIST,
    CustomKind.PERSON: Kind.RECORD,
    CustomKind.REFERENCE: Kind.RECORD,
}


@cache
def _field_of(model: type[Base], key: str) -> Field:
    if (model, key) in COMPUTED:
        return Field(key, Kind.YES_NO, model)
    if (model, key) == (User, "role_id"):
        return Field(key, Kind.RECORD, target=Role, name=Label("Role"))
    if key not in model.__table__.c:
        return Field(key, _LISTS.get(key, Kind.TEXT), model)
    if (model, key) in _MODULES:
        return Field(key, Kind.CHOICE, model, choices=_MODULES[model, key], is_required=key == "for_module")
    if key == "language":
        return Field(key, Kind.CHOICE, model, choices=tuple(LANGUAGES), is_required=True)
    if (model, key) == (CustomField, "dictionary"):
        return Field(key, Kind.WORDS, model, dictionary=DICTIONARIES)
    column, trait = column_of(model, key), trait_of(column_of(model, key))
    if (model, key) in FIELD_LISTS:
        return Field(key, Kind.WORD_LIST, model, dictionary=FIELD_LISTS[model, key])
    kind = Kind.CONDITION if (model, key) in CONDITIONS else _kind(model, key)
    return Field(
        key,
        kind,
        model,
        target=target_of(model, key),
        dictionary=trait.dictionary or trait.words_of,
        choices=tuple(column.type.enum_class or column.type.enums) if isinstance(column.type, Enum) else (),
        is_required=(not column.nullable and column.default is None and not trait.generated) or trait.required,
        length=getattr(column.type, "length", None),
    )


_LISTS = {"points": Kind.POINTS, "options": Kind.OPTIONS}
_MODULES: dict[tuple[type[Base], str], tuple[str, ...]] = {
    (NumberRule, "for_module"): tuple(NUMBERED),
    (DuplicateRule, "for_module"): tuple(DEFAULTS),
    (CustomField, "for_module"): tuple(CUSTOMISED),
    (CustomField, "target"): tuple(TARGETS),
}
"""Columns that hold the name of a module, with those that they offer."""


def _kind(model: type[Base], key: str) -> Kind:
    column = column_of(model, key)
    if target_of(model, key) is not None or (model in (PoolMember, ClaimCondition) and key == "grantee_id"):
        return Kind.RECORD
    if trait_of(column).dictionary:
        return Kind.WORDS
    if trait_of(column).words_of:
        return Kind.WORD_LIST
    for sql, kind in (
        (Enum, Kind.CHOICE),
        (Utc, Kind.TIME),
        (Date, Kind.DATE),
        (Money, Kind.MONEY),
        (Boolean, Kind.YES_NO),
        (Integer, Kind.WHOLE),
        (JSON, Kind.LINES),
        (Text, Kind.LONG),
    ):
        if isinstance(column.type, sql):
            return kind
    return Kind.TEXT


def shown_keys(model: type[Base]) -> list[str]:
    """The columns that screens show, in the order of the table, custom fields, and those that the system manages last."""
    keys = [c.key for c in columns(model) if c.key not in HIDDEN or (c.key == "department_id" and not _is_copy(c))]
    keys += [key for owner, key in COMPUTED if owner is model]
    first = display_column(model)
    return sorted([*keys, *custom_keys(model)], key=lambda key: (key != first, is_system_managed(model, key)))


def _is_copy(column: Any) -> bool:
    return trait_of(column).system_managed


def is_system_managed(model: type[Base], key: str) -> bool:
    return (model, key) in COMPUTED or (not is_custom(key) and trait_of(column_of(model, key)).system_managed)
