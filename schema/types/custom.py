"""Custom fields in the API: one schema for all installations, with a type for each form of value.

`custom(keys:)` reads them as a union, `CustomInput` writes them, `CustomFilter` asks about them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date as day
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import strawberry
from graphql import FieldNode
from sqlalchemy import Text, cast, func, literal, literal_column, select

from models import Base, Dictionary, DictionaryItem
from models.base import is_customised
from models.custom_field import Book, Custom, CustomKind, ManyValues
from models.custom_sql import CustomJson
from resolvers.audit.redaction import few
from resolvers.reading.pages import display_column
from resolvers.runtime.custom_fields import referred_kind, visible_fields
from resolvers.runtime.ids import number_of
from resolvers.runtime.viewer import Viewer

from ..plan.dialect import Value, name_literal, object_of
from ..plan.shape import SHAPES, Computed, Expressions
from . import make
from .scalars import Number

Nodes = Sequence[FieldNode]
_KIND = make.enum_of(CustomKind)


@strawberry.interface(description="What every value of a custom field says: which field it is, by key, name and kind.")
class CustomFieldValue:
    key: str
    """The key of the field: the same in all languages, and for good."""
    label: str = strawberry.field(description="The name of the field in your language.")
    kind: _KIND  # type: ignore[valid-type]  # made from the models' enum
    """What the field holds, and so which member of the union this is."""


@strawberry.type(description="A text, a phone number, an e-mail address or a link.")
class CustomText(CustomFieldValue):
    text: str | None


@strawberry.type(description="A number with at most 6 decimals.")
class CustomNumber(CustomFieldValue):
    number: Number | None


@strawberry.type(description="An amount in the currency of the organisation.")
class CustomAmount(CustomFieldValue):
    amount: Decimal | None
    """The amount; null where it is empty or hidden in this record."""


@strawberry.type(description="A day.")
class CustomDate(CustomFieldValue):
    date: day | None


@strawberry.type(description="A day and a time, in UTC.")
class CustomMoment(CustomFieldValue):
    at: datetime | None
    """The moment; null where it is empty or hidden in this record."""


@strawberry.type(description="Yes or no.")
class CustomYesNo(CustomFieldValue):
    yes: bool | None
    """True for yes; null where it is empty or hidden in this record."""


@strawberry.type(description="One word of a dictionary.")
class CustomWord(CustomFieldValue):
    word: str | None
    """The key of the word; null where it is empty or hidden in this record."""
    word_label: str | None
    """What the word is called in your language."""


@strawberry.type(description="Several words of a dictionary.")
class CustomWords(CustomFieldValue):
    words: list[str] | None
    """The keys of the words, in the order of their dictionary; null where it is empty or hidden in this record."""


@strawberry.type(description="Another record: its id, and its name as far as you may see it.")
class CustomRecord(CustomFieldValue):
    record_id: strawberry.ID | None
    """The global id of the record; null where it is empty or hidden in this record."""
    record_name: str | None
    """What that record is called; null where it is out of your sight."""


MEMBERS = (
    CustomText,
    CustomNumber,
    CustomAmount,
    CustomDate,
    CustomMoment,
    CustomYesNo,
    CustomWord,
    CustomWords,
    CustomRecord,
)
CustomValue = Annotated[
    CustomText
    | CustomNumber
    | CustomAmount
    | CustomDate
    | CustomMoment
    | CustomYesNo
    | CustomWord
    | CustomWords
    | CustomRecord,
    strawberry.union("CustomValue", description="The value of a custom field; its fields are null where it is empty."),
]
TYPES: Mapping[CustomKind, type[Any]] = {
    CustomKind.NUMBER: CustomNumber,
    CustomKind.MONEY: CustomAmount,
    CustomKind.DATE: CustomDate,
    CustomKind.MOMENT: CustomMoment,
    CustomKind.YES_NO: CustomYesNo,
    CustomKind.SINGLE_CHOICE: CustomWord,
    CustomKind.MULTIPLE_CHOICE: CustomWords,
    CustomKind.PERSON: CustomRecord,
    CustomKind.REFERENCE: CustomRecord,
}
"""The type of the values of a kind; a CustomText for all others."""


@strawberry.input(
    description="The value of a custom field: `key`, and the one member that fits its kind. Null empties the field."
)
class CustomInput:
    key: str
    """The key of the custom field, as `formSchema` tells it."""
    text: str | None = strawberry.UNSET
    """For texts, phone numbers, e-mail addresses and links."""
    number: Number | None = strawberry.UNSET
    """For numbers."""
    amount: Decimal | None = strawberry.UNSET
    """For amounts, in the currency of the organisation."""
    date: day | None = strawberry.UNSET
    """For days."""
    at: datetime | None = strawberry.UNSET
    """For moments."""
    yes: bool | None = strawberry.UNSET
    """For yes or no."""
    word: str | None = strawberry.UNSET
    """For one choice: the key of a word."""
    words: list[str] | None = strawberry.UNSET
    """For several choices: keys of words, which replace those that are there."""
    record_id: strawberry.ID | None = strawberry.UNSET
    """For users and other records: a global id."""


@strawberry.input(
    description="A custom field, and what must hold of it: all that is given. Values are written as text: `4.5`,"
    " `2026-11-24`, `true`, the key of a word, an id or `me`. Of several words one must be the one that is asked for."
)
class CustomFilter:
    key: str
    """The key of the custom field, as `formSchema` tells it."""
    eq: str | None = strawberry.UNSET
    ne: str | None = strawberry.UNSET
    in_: list[str] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: str | None = strawberry.UNSET
    gte: str | None = strawberry.UNSET
    lt: str | None = strawberry.UNSET
    lte: str | None = strawberry.UNSET
    contains: str | None = strawberry.UNSET
    starts_with: str | None = strawberry.UNSET
    ends_with: str | None = strawberry.UNSET
    under: list[str] | None = strawberry.UNSET
    during: str | None = strawberry.UNSET
    is_null: bool | None = strawberry.UNSET


# --- writing ---------------------------------------------------------------------------------------------


def given_customs(book: Book, module: str, inputs: Sequence[CustomInput]) -> dict[str, Any]:
    """The values under dotted keys, with numbers for ids.  One that is given twice is left for the use case to refuse."""
    given: dict[str, Any] = {}
    for each in inputs:
        word = f"custom.{each.key}"
        members = [f.name for f in fields(each) if f.name != "key" and getattr(each, f.name) is not strawberry.UNSET]
        is_one = len(members) == 1 and word not in given
        given[word] = _given(book.find(module, word), getattr(each, members[0])) if is_one else ManyValues()
    return given


def _given(custom: Custom | None, value: Any) -> Any:
    target = referred_kind(custom) if custom is not None else None
    return number_of(target, value) if target is not None and isinstance(value, str) else value


# --- reading ---------------------------------------------------------------------------------------------


def add_values() -> None:
    """Add the field `custom` to the shapes of the types that have custom fields."""
    for model in SHAPES:
        if is_customised(model):
            SHAPES[model]["custom"] = Computed(
                partial(_values, model),
                list[CustomValue],
                "Its custom fields in their order, those that you see; with `keys` these alone, retired ones included.",
                {"keys": list[str] | None},
            )


def _values(model: type[Base], compiler: Expressions, e: Any, arguments: Mapping[str, Any], nodes: Nodes) -> Value:
    asked = asked_fields(model, compiler.viewer, arguments.get("keys"))
    return compiler.dialect.list(*(_value(model, compiler, e, x, nodes) for x in asked))


def asked_fields(model: type[Base], viewer: Viewer, keys: Sequence[str] | None) -> list[Custom]:
    """The fields to read.  A key that is not there for the viewer is left out, whether or not others know it."""
    if keys is None:
        return [*visible_fields(viewer.policy, viewer.person, model)]
    found = (viewer.policy.book.find(model.module, f"custom.{key}") for key in dict.fromkeys(keys))
    return [x for x in found if x is not None and viewer.policy.ever(viewer.person, "view", x.object)]


def _value(model: type[Base], compiler: Expressions, e: Any, custom: Custom, nodes: Nodes) -> Value:
    name = TYPES.get(custom.kind, CustomText).__name__
    known = dict(_members(model, compiler, e, custom))
    pairs = [
        (alias, known[group[0].name.value]()) for alias, group in compiler.operation.subfields(name, nodes).items()
    ]
    if compiler.is_executed:
        pairs.append(("~type", name_literal(name)))
    return object_of(compiler.dialect, pairs)


def _members(
    model: type[Base], compiler: Expressions, e: Any, custom: Custom
) -> Iterator[tuple[str, Callable[[], Value]]]:
    name = TYPES.get(custom.kind, CustomText).__name__
    held: Callable[[], Value] = lambda: compiler.viewer.value(model, e, custom.word)  # noqa: E731
    json: Callable[[], Value] = lambda: compiler.viewer.custom(model, e, custom.word, as_json=True)  # noqa: E731
    text: Callable[[], Value] = lambda: compiler.viewer.custom(model, e, custom.word, as_text=True)  # noqa: E731
    yield "__typename", lambda: name_literal(name)
    yield "key", lambda: name_literal(custom.key)
    yield "label", lambda: _text(custom.label(compiler.viewer.language))
    yield "kind", lambda: name_literal(custom.kind.value)
    # The column holds every value in the form of the API, so nothing is converted.
    for member in ("text", "number", "amount", "date", "at", "word"):
        yield member, text
    for member in ("yes", "words"):
        yield member, lambda: value if isinstance(value := json(), CustomJson) else compiler.dialect.json(value)
    yield "wordLabel", lambda: _word_label(compiler, custom, text())
    yield "recordId", lambda: _global_id(custom, text())
    yield "recordName", lambda: _name(compiler, custom, held())


def _text(text: str) -> Value:
    """A text of the definition: a new label makes a new snapshot, and with it a new plan."""
    return literal(text, Text)


def _word_label(compiler: Expressions, custom: Custom, word: Value) -> Value:
    """The label of a word; its key where the dictionary has it no longer."""
    item, whole = DictionaryItem.__table__.alias(), Dictionary.__table__.alias()
    chinese = compiler.viewer.language.startswith("zh")
    label = func.coalesce(item.c.label_zh, item.c.label_en) if chinese else item.c.label_en
    known = select(label).join(whole, whole.c.id == item.c.dictionary_id)
    known = known.where(whole.c.code == custom.dictionary, item.c.key == word, item.c.deleted_at.is_(None))
    known = known.where(compiler.viewer.rows(DictionaryItem, item.c)).limit(1).correlate_except(item, whole)
    return func.coalesce(known.scalar_subquery(), word)


def _global_id(custom: Custom, number: Value) -> Value:
    target = referred_kind(custom)
    prefix = target.prefix if target is not None else "none"
    return literal_column(f"'{prefix}_'", Text).concat(cast(number, Text))


def _name(compiler: Expressions, custom: Custom, number: Value) -> Value:
    target = referred_kind(custom)
    if target is None:
        return literal_column("NULL", Text)
    source, row = few(target)
    near = compiler.viewer.one_by_one
    named = select(cast(near.value(target, row, display_column(target)), Text)).select_from(source)
    named = named.where(row.id == number, near.rows(target, row)).correlate_except(source)
    return named.execution_options(policy=True).scalar_subquery()
