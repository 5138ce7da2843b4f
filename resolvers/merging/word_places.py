"""Where words of a dictionary stand: columns of records, lists of words, conditions, views, inputs of imports.

`holders` finds every place of one dictionary.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, AssignmentShare, Base, ClaimCondition, Customer, DictionaryItem, ImportBatch, SavedView
from models.base import columns, trait_of
from models.custom_field import PREFIX, CustomField, Customised
from models.import_batch import ImportState

from ..reading.condition_check import CUSTOM
from ..reading.condition_fields import CONNECTIVES, fields_of, relations_of
from ..records.custom_values import held_by
from .statements import run

_ENDED = (ImportState.DONE, ImportState.PARTLY, ImportState.CANCELLED, ImportState.UNDONE)


@dataclass(frozen=True)
class Words:
    """The words of a dictionary in conditions: its code, and the custom fields that take them, as (module, dotted key)."""

    code: str
    customs: frozenset[tuple[str, str]] = frozenset()

    def are_in(self, model: type[Base], name: str) -> bool:
        """Whether a field of a condition about these records holds them."""
        found = fields_of(model).get(name)
        return (model.module, name) in self.customs if found is None else found.dictionary == self.code


@dataclass(frozen=True)
class Holder:
    """A column that holds words as they are."""

    model: type[Base]
    key: str

    @property
    def is_setting(self) -> bool:
        """Whether it is no record of a customer: there are few of them, and records follow from what settings say."""
        return self.model is not Customer and not self.model.visible_through

    def rows(self, db: Session, word: Any, limit: int | None = None) -> list[Any]:
        """The next rows that hold the word, in the bin or not, locked."""
        table: Any = self.model
        asked = select(self.model).where(self.narrowed(word)).order_by(table.id).limit(limit)
        return list(run(db, asked.with_for_update()).scalars())

    def narrowed(self, word: Any) -> Any:
        """The rows among which those with the word are."""
        return getattr(self.model, self.key) == word

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        """The value of the row with the new word in place of the old one; the very value where it does not hold it."""
        return new if getattr(row, self.key) == old else getattr(row, self.key)


class ListHolder(Holder):
    """A column that holds a list of words."""

    def narrowed(self, word: str) -> Any:
        return _mentions(getattr(self.model, self.key), word)

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        return _without_repeats(getattr(row, self.key), old, new)


class CustomHolder(Holder):
    """A custom field whose options are words; `key` is the dotted one, `custom.satisfaction`."""

    def narrowed(self, word: Any) -> Any:
        held: Any = self.model.custom[self.key.removeprefix(PREFIX)]  # type: ignore[attr-defined]  # of entities with custom fields
        return or_(held.as_string() == word, _mentions(held, word))

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        held = held_by(row, self.key)
        return _without_repeats(held, old, new) if isinstance(held, list) else new if held == old else held


@dataclass(frozen=True)
class ConditionHolder(Holder):
    """A column that holds a condition about customers as text."""

    words: Words

    def narrowed(self, word: str) -> Any:
        return getattr(self.model, self.key).contains(json.dumps(word, ensure_ascii=False), autoescape=True)

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        text = getattr(row, self.key)
        before = json.loads(text)
        after = in_condition(Customer, before, self.words, old, new)
        return text if after == before else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class ViewHolder(Holder):
    """The conditions of saved views."""

    words: Words

    def narrowed(self, word: str) -> Any:
        return _mentions(SavedView.settings, word)

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        model = _MODELS.get(row.entity)
        before = row.settings.get("condition") or {}
        after = in_condition(model, before, self.words, old, new) if model is not None else before
        return row.settings if after == before else {**row.settings, "condition": after}


@dataclass(frozen=True)
class InputHolder(Holder):
    """The inputs for all rows of imports that have not ended."""

    dictionary: str = ""

    def narrowed(self, word: str) -> Any:
        return _mentions(ImportBatch.options, word) & ImportBatch.state.not_in(_ENDED)

    def replaced(self, row: Any, old: Any, new: Any) -> Any:
        given = row.options.get("given") or {} if row.target in _OF_CUSTOMERS else {}
        known = {x.key for x in fields_of(Customer).values() if x.dictionary == self.dictionary}
        after = {key: new if value == old and key in known else value for key, value in given.items()}
        return row.options if after == given else {**row.options, "given": after}


_OF_CUSTOMERS = ("customer", "pooled_customer")
"""The targets of imports whose inputs for all rows are columns of customers."""
_MODELS: Mapping[str, type[Base]] = {model.__name__: model for model in ENTITIES}


def holders(db: Session, code: str) -> Iterator[Holder]:
    """Every place that may hold words of this dictionary, but the tree of the words themselves."""
    for model in ENTITIES:
        for column in columns(model):
            if trait_of(column).dictionary == code:
                yield Holder(model, column.key)
            elif trait_of(column).words_of == code:
                yield ListHolder(model, column.key)
    defined = select(CustomField.for_module, CustomField.key).where(CustomField.dictionary == code)
    customs = [(row.for_module, PREFIX + row.key) for row in run(db, defined.where(CustomField.deleted_at.is_(None)))]
    words = Words(code, frozenset(customs))
    yield ConditionHolder(ClaimCondition, "condition", words)
    yield ConditionHolder(AssignmentShare, "condition", words)
    yield ViewHolder(SavedView, "settings", words)
    yield InputHolder(ImportBatch, "options", code)
    for module, key in customs:
        yield from (CustomHolder(x, key) for x in ENTITIES if x.module == module and issubclass(x, Customised))


BELOW = Holder(DictionaryItem, "parent_id")
"""The words below a word: they hold its id."""


def in_condition(model: type[Base], condition: Mapping[str, Any], words: Words, old: str, new: str) -> dict[str, Any]:
    """A condition about records of `model` with one word of a dictionary in place of another."""
    return {name: _part(model, name, wanted, words, old, new) for name, wanted in condition.items()}


# --- steps -----------------------------------------------------------------------------------------------


def _part(model: type[Base], name: str, wanted: Any, words: Words, old: str, new: str) -> Any:
    if name in CONNECTIVES:
        if name == "not":
            return in_condition(model, wanted, words, old, new)
        return [in_condition(model, part, words, old, new) for part in wanted]
    if name == CUSTOM:
        return [_part(model, f"{PREFIX}{x.get('key')}", x, words, old, new) for x in wanted]
    if (relation := relations_of(model).get(name)) is not None:
        return {how: in_condition(relation.target, inner, words, old, new) for how, inner in wanted.items()}
    if not words.are_in(model, name):
        return wanted
    return {how: _operand(how, operand, old, new) for how, operand in wanted.items()}


def _operand(how: str, operand: Any, old: str, new: str) -> Any:
    if how in ("in", "under") and isinstance(operand, list):
        return _without_repeats(operand, old, new)
    return new if how in ("eq", "ne", "under", "in") and operand == old else operand


def _without_repeats(words: Sequence[Any], old: Any, new: Any) -> list[Any]:
    return list(dict.fromkeys(new if word == old else word for word in words)) if old in words else list(words)


def _mentions(column: Any, word: str) -> Any:
    """The rows whose JSON has this text in it somewhere, with or without escapes."""
    text, spelled = cast(column, Text), {json.dumps(word), json.dumps(word, ensure_ascii=False)}
    return or_(*(text.contains(x, autoescape=True) for x in sorted(spelled)))
