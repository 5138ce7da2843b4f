"""What a condition can ask about each kind of record: its fields with their types, and its related records.

Derived from the models, so a new column or entity is part of the language as soon as it exists.  Names are those of
GraphQL: `ownerId`, `followUps`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer, inspect

from models import ENTITIES, Base, Department, User
from models.base import Entity, Money, Part, Utc, column_of, columns, trait_of

from ..runtime.ids import camel
from ..runtime.statement_guard import MODELS
from .clauses import COMPUTED

HIDDEN = {"delete_batch_id", "salt", "values_hash", "hash", "value_key", "path", "merged_into_id"}
"""Columns for internal use, which no front end shows."""


class Kind(StrEnum):
    """The type of a field, which decides its operators."""

    TEXT = "text"
    WORD = "word"
    WORDS = "words"
    """A list of words; a comparison asks about each of them."""
    CHOICE = "choice"
    WHOLE = "whole"
    AMOUNT = "amount"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    YES_NO = "yes_no"
    RECORD = "record"


_COMPARED = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "isNull")
_TEXT = ("eq", "ne", "in", "contains", "startsWith", "endsWith", "isNull")
_NAMED = ("eq", "ne", "in", "isNull")
OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: _TEXT,
    Kind.WORD: (*_TEXT, "under"),
    Kind.WORDS: (*_NAMED, "under"),
    Kind.CHOICE: _NAMED,
    Kind.WHOLE: _COMPARED,
    Kind.AMOUNT: _COMPARED,
    Kind.NUMBER: _COMPARED,
    Kind.DAY: (*_COMPARED, "during"),
    Kind.MOMENT: (*_COMPARED, "during"),
    Kind.YES_NO: ("eq", "isNull"),
    Kind.RECORD: _NAMED,
}
SOME, NONE, IS, IS_NOT = "some", "none", "is", "isNot"
CONNECTIVES = ("and", "or", "not")
ME, MY_TEAM = "me", "my-team"
"""In place of ids: the caller, and the users or departments of the caller's team with all teams below."""
RESERVED: Mapping[type[Base], tuple[str, ...]] = {User: (ME, MY_TEAM), Department: (MY_TEAM,)}


@dataclass(frozen=True)
class ConditionField:
    """A field: its name in conditions, its column key, its type, and what it holds."""

    name: str
    key: str
    kind: Kind
    target: type[Base] | None = None
    dictionary: str | None = None
    choices: type[Any] | None = None
    labels: tuple[str, str] | None = None
    """What a custom field is called, in English and Chinese."""

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS[self.kind]


@dataclass(frozen=True)
class Relation:
    """Related records: those whose column `key` holds the record (`is_many`), or the one that the column `key` holds."""

    name: str
    key: str
    target: type[Base]
    is_many: bool

    @property
    def operators(self) -> tuple[str, str]:
        return (SOME, NONE) if self.is_many else (IS, IS_NOT)


@cache
def fields_of(model: type[Base]) -> Mapping[str, ConditionField]:
    """Name -> field, in the order of the table; computed values come last."""
    found = [_field(model, c.key) for c in columns(model) if c.key not in HIDDEN and not isinstance(c.type, JSON)]
    found += [ConditionField(camel(key), key, Kind.YES_NO) for owner, key in COMPUTED if owner is model]
    return {field.name: field for field in found if field.key != "grantee_id"}


@cache
def relations_of(model: type[Base]) -> Mapping[str, Relation]:
    """Name -> relation: parts and children of a record, then the records that it points to."""
    if not issubclass(model, Entity | Part):
        return {}
    return {relation.name: relation for relation in (*_many(model), *_one(model))}


def plural(model: type[Base]) -> str:
    """The name of a list: `customers`, `opportunities`, `auditEntries`, `calendarDays`."""
    name = model.__name__[0].lower() + model.__name__[1:]
    return re.sub(r"(?<![aeiou])y$", "ie", name) + "s"


def _many(model: type[Base]) -> Iterator[Relation]:
    for relation in inspect(model).relationships:
        if relation.uselist:
            (_, theirs), *_ = relation.local_remote_pairs or ()
            yield Relation(relation.key, str(theirs.key), relation.mapper.class_, is_many=True)
    own = "user" if model is User else model.__tablename__
    for child in ENTITIES:
        key = f"{own}_id"
        if key in child.__table__.c and target_of(child, key) is model:
            yield Relation(plural(child), key, child, is_many=True)


def _one(model: type[Base]) -> Iterator[Relation]:
    for column in columns(model):
        target = target_of(model, column.key)
        if target in ENTITIES and column.key.endswith("_id") and column.key not in HIDDEN:
            yield Relation(camel(column.key.removesuffix("_id")), column.key, target, is_many=False)


def target_of(model: type[Base], key: str) -> type[Base] | None:
    """The protected model that a foreign key points to; None for any other column."""
    tables = (each.column.table.name for each in column_of(model, key).foreign_keys)
    return next((MODELS[name] for name in tables if name in MODELS), None)


def _field(model: type[Base], key: str) -> ConditionField:
    column = column_of(model, key)
    name, dictionary = camel(key), trait_of(column).dictionary
    if column.primary_key or column.foreign_keys:
        return ConditionField(name, key, Kind.RECORD, target=model if column.primary_key else target_of(model, key))
    if isinstance(column.type, Enum):
        return ConditionField(name, key, Kind.CHOICE, choices=column.type.enum_class)
    if dictionary:
        return ConditionField(name, key, Kind.WORD, dictionary=dictionary)
    kinds = ((Utc, Kind.MOMENT), (Date, Kind.DAY), (Money, Kind.AMOUNT), (Boolean, Kind.YES_NO), (Integer, Kind.WHOLE))
    return ConditionField(name, key, next((kind for sql, kind in kinds if isinstance(column.type, sql)), Kind.TEXT))


PYTHON: Mapping[Kind, type[Any]] = {
    Kind.TEXT: str,
    Kind.WORD: str,
    Kind.WORDS: str,
    Kind.WHOLE: int,
    Kind.AMOUNT: Decimal,
    Kind.NUMBER: Decimal,
    Kind.DAY: date,
    Kind.MOMENT: datetime,
    Kind.YES_NO: bool,
}
"""The Python types of values."""
