"""Columns of a model as the sweep reads them: free texts, references, inputs of a form."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Enum, String, Text

from models import Base
from models.base import columns, trait_of
from resolvers.runtime.statement_guard import MODELS

from .tables import KEYS, KINDS

SHORTEST_TEXT = 40
"""Fewest characters of a column that can hold a canary."""


def free_texts(model: type[Base]) -> list[str]:
    """The columns that take any text, or any text of a form."""
    return [column.key for column in columns(model) if _is_free_text(column)]


def _is_free_text(column: Any) -> bool:
    trait, kind = trait_of(column), column.type
    is_text = isinstance(kind, String | Text) and not isinstance(kind, Enum)
    is_long = (getattr(kind, "length", None) or SHORTEST_TEXT) >= SHORTEST_TEXT
    return is_text and is_long and not (trait.system_managed or trait.dictionary or column.key in KEYS)


def target_of(column: Column[Any]) -> type[Base] | None:
    """The entity that a foreign key points to."""
    return next((MODELS.get(key.column.table.name) for key in column.foreign_keys), None)


def references(model: type[Base], *, creating: bool = True) -> Iterator[tuple[str, type[Base]]]:
    """(Foreign key that a form may set, the entity that it points to)."""
    for column in columns(model):
        trait, target = trait_of(column), target_of(column)
        if target is not None and not trait.system_managed and (creating or not trait.immutable):
            yield column.key, target


def pointers(model: type[Base]) -> dict[str, type[Base]]:
    """Every input of the form for a new record that points to another: foreign keys, and those that `KINDS` names."""
    return {**dict(references(model)), **KINDS[model].pointers}


def editable(model: type[Base]) -> set[str]:
    """The columns that a form may edit."""
    traits = {column.key: trait_of(column) for column in columns(model) if not column.primary_key}
    return {key for key, trait in traits.items() if not (trait.system_managed or trait.immutable)}
