"""Dictionaries: check that a field holds a known key, and suggest the one that was meant."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session, aliased

from models import ENTITIES, Dictionary, DictionaryItem, Entity, Tone
from models.base import columns, trait_of
from models.custom_field import PREFIX, Custom, is_custom
from models.custom_sql import CustomValue
from models.database.bypass import Because, bypass_policy
from models.dictionary import usual_tone
from models.errors import Validation

from ..reading.elements import Element, HasElement
from ..runtime.ids import camel
from ..runtime.inputs import invalid
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .custom_conversion import model_of
from .custom_values import COLUMN
from .custom_values import words_in as custom_words_in
from .references import refuse_if_any

_SUGGESTED = 12
_CLOSE = 4
"""Maximum number of words that are suggested because they are close."""
_SEARCHED = 500
"""Maximum number of words of a dictionary that are compared with an unknown key."""


@dataclass(frozen=True)
class Word:
    """One word of a dictionary, its label in the language of the caller.  `above` is the key of the wider word."""

    key: str
    label: str
    is_archived: bool
    tone: Tone
    above: str | None = None


def words_of(scope: Scope, db: Session, codes: Collection[str]) -> dict[str, dict[str, Word]]:
    """Code -> key -> word, for these dictionaries, in their order, archived words included.  One query."""
    chinese, item, wider = scope.language.startswith("zh"), DictionaryItem, aliased(DictionaryItem)
    shown = (item.label_en, item.label_zh, item.archived_at, item.tone)
    statement = (
        select(Dictionary.code, item.key, *shown, wider.key)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .outerjoin(wider, and_(wider.id == item.parent_id, wider.deleted_at.is_(None)))
        .where(Dictionary.code.in_(codes), Dictionary.deleted_at.is_(None), DictionaryItem.deleted_at.is_(None))
        .order_by(Dictionary.code, DictionaryItem.position, DictionaryItem.id)
    )
    found: dict[str, dict[str, Word]] = {}
    for code, key, english, other, archived_at, tone, above in db.execute(statement):
        label = (other if chinese else None) or english
        word = Word(key, label, archived_at is not None, tone or usual_tone(code, key), above)
        found.setdefault(code, {})[key] = word
    return found


def in_tree(words: Mapping[str, Word]) -> list[tuple[Word, int]]:
    """(word, how many stand above it) of one dictionary, each after the word above it, in their order."""
    below: dict[str | None, list[Word]] = {}
    for word in words.values():
        below.setdefault(word.above if word.above in words else None, []).append(word)

    def walk(above: str | None, depth: int) -> Iterator[tuple[Word, int]]:
        for word in below.get(above, ()) if depth <= _DEEPEST else ():
            yield word, depth
            yield from walk(word.key, depth + 1)

    return list(walk(None, 0))


Named = tuple[str, str, str]
"""(field, dictionary, key)"""


def check_words(
    scope: Scope,
    db: Session,
    model: type[Entity],
    values: Mapping[str, Any],
    before: Entity | None = None,
    known: Collection[tuple[str, str]] | None = None,
) -> None:
    """Raise Validation for a key that its dictionary does not have or has archived.  One query.

    A key that the record `before` holds already may stay.  `known`: what `known_words` says of the words of many
    records.
    """
    wanted = [
        (field, code, key)
        for field, code, key in words_in(scope, model, values)
        if before is None or not _is_kept(before, field, key, values)
    ]
    if not wanted:
        return
    if known is None:
        known = known_words(db, wanted)
    for field, code, key in wanted:
        if (code, key) not in known:
            raise _unknown(db, field, code, key)


def known_words(db: Session, named: Collection[Named]) -> set[tuple[str, str]]:
    """The words among these that can be chosen: (dictionary, key).  One query."""
    codes, keys = ({word[place] for word in named} for place in (1, 2))
    asked = _live().where(Dictionary.code.in_(codes), DictionaryItem.key.in_(keys))
    options = bypass_policy(Because.APPLIES_TO_ALL)
    return {(code, item.key) for code, item in db.execute(asked, execution_options=options)} if codes else set()


def words_in(scope: Scope, model: type[Entity], values: Mapping[str, Any]) -> Iterator[Named]:
    """The words that a record with these values holds, those of custom fields last."""
    for field, code, is_list in _worded(model):
        if value := values.get(field):
            yield from ((field, code, key) for key in (value if is_list else (value,)))
    yield from custom_words_in(scope, model, values)


@cache
def _worded(model: type[Entity]) -> list[tuple[str, str, bool]]:
    """(column, dictionary, does it hold a list) of the columns that hold words."""
    traits = [(column.key, trait_of(column)) for column in columns(model)]
    return [
        (key, x.words_of or x.dictionary or "", x.words_of is not None)
        for key, x in traits
        if x.words_of or x.dictionary
    ]


def _is_kept(before: Entity, field: str, key: str, values: Mapping[str, Any]) -> bool:
    """Whether the record holds the word in this field already."""
    if is_custom(field):
        held = (getattr(before, COLUMN) or {}).get(field.removeprefix(PREFIX))
        return key == held or (isinstance(held, list) and key in held)
    held = getattr(before, field)
    return bool(held == values[field] or (isinstance(held, list) and key in held))


def _live() -> Select[str, DictionaryItem]:
    return (
        select(Dictionary.code, DictionaryItem)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.deleted_at.is_(None), DictionaryItem.deleted_at.is_(None))
        .where(DictionaryItem.archived_at.is_(None))
        .order_by(DictionaryItem.position, DictionaryItem.id)
    )


def _unknown(db: Session, field: str, code: str, key: str) -> Validation:
    """The refusal of an unknown key, which suggests close words, else the first ones of the dictionary.

    The sentence names their labels, its params their keys.
    """
    found = db.execute(
        _live().where(Dictionary.code == code).limit(_SEARCHED), execution_options=bypass_policy(Because.APPLIES_TO_ALL)
    )
    items = [item for _, item in found]
    labels = {item.key: (item.label_en, item.label_zh or item.label_en) for item in items}
    if close := _close(key, items):
        english, chinese = " or ".join(labels[x][0] for x in close), "或".join(f"“{labels[x][1]}”" for x in close)
        said = f"“{key}” is not in the list; choose {english}", f"“{key}”不存在，请选择{chinese}"
        return invalid(field, *said, suggestions=close)
    if not (first := [item.key for item in items[:_SUGGESTED]]):
        return invalid(field, f"“{key}” is not in the list, which is empty", f"“{key}”不在列表中，列表尚无内容")
    english, chinese = ", ".join(labels[x][0] for x in first), "、".join(labels[x][1] for x in first)
    said = f"“{key}” is not in the list; choose {english}", f"“{key}”不在列表中，可选：{chinese}"
    return invalid(field, *said, suggestions=first)


def _close(key: str, items: Iterable[DictionaryItem]) -> list[str]:
    """The keys of the items whose key, label or alias is close to `key`, closest first; of equals only those."""
    names: dict[str, list[str]] = {}
    for item in items:
        for name in filter(None, (item.key, item.label_en, item.label_zh, *item.aliases)):
            names.setdefault(name.lower(), []).append(item.key)
    close = [said] if (said := key.lower()) in names else difflib.get_close_matches(said, names, n=_CLOSE, cutoff=0.7)
    return list(dict.fromkeys(key for name in close for key in names[name]))[:_CLOSE]


class DictionaryItemRules(Rules[DictionaryItem]):
    """A word and its parent belong to one dictionary, and no word is its own ancestor."""

    def check(self, scope: Scope, db: Session, row: DictionaryItem, values: dict[str, Any]) -> None:
        above, steps = values.get("parent_id"), 0
        while above is not None:
            found = db.execute(
                select(DictionaryItem.dictionary_id, DictionaryItem.parent_id).where(DictionaryItem.id == above),
                execution_options=bypass_policy(Because.KEEPS_RULE),
            ).first()
            if found is None:
                return  # the write guard refuses a reference to a missing record
            steps += 1
            if above == row.id or found.dictionary_id != row.dictionary_id or steps > _DEEPEST:
                raise Validation(
                    "The wider word must stand in the same dictionary, and not below this one.",
                    "上级词条须在同一数据字典中，且不能是本词条的下级。",
                    field=camel("parent_id"),
                )
            above = found.parent_id

    def deleted(self, scope: Scope, db: Session, row: DictionaryItem) -> None:
        """Raise InUse for a word that records hold: they would be left with a key without a label."""
        _refuse_if_held(scope, db, row, is_purge=False)

    def purged(self, scope: Scope, db: Session, row: DictionaryItem) -> None:
        """Raise InUse for a word that records hold, those in the bin included, because they can be restored."""
        _refuse_if_held(scope, db, row, is_purge=True)


class DictionaryRules(Rules[Dictionary]):
    """A dictionary stays as long as a field takes its words from it."""

    def deleted(self, scope: Scope, db: Session, row: Dictionary) -> None:
        _refuse_if_wanted(scope, db, row, is_purge=False)

    def purged(self, scope: Scope, db: Session, row: Dictionary) -> None:
        _refuse_if_wanted(scope, db, row, is_purge=True)


def _refuse_if_held(scope: Scope, db: Session, row: DictionaryItem, *, is_purge: bool) -> None:
    code = db.execute(
        select(Dictionary.code).where(Dictionary.id == row.dictionary_id),
        execution_options=bypass_policy(Because.KEEPS_RULE),
    ).scalar_one()
    for model, key in holding(code):
        refuse_if_any(db, row, model, getattr(model, key) == row.key, is_purge=is_purge)
    for custom in customs_of(scope, code):
        model = model_of(custom.module)
        refuse_if_any(db, row, model, _holds(model, custom, row.key), is_purge=is_purge)


def _refuse_if_wanted(scope: Scope, db: Session, row: Dictionary, *, is_purge: bool) -> None:
    """Raise InUse while records hold words of the dictionary, Validation while a field takes its words from there."""
    fields = [*holding(row.code)]
    for model, key in fields:
        refuse_if_any(db, row, model, getattr(model, key).is_not(None), is_purge=is_purge)
    fields += [(model_of(custom.module), custom.word) for custom in customs_of(scope, row.code)]
    for model, _ in fields:
        raise Validation(
            f"{row.name} stays: a field of {model.names.nouns} takes its words from it. Archive words instead.",
            f"“{row.name_zh or row.name}”不能删除：{model.names.zh}有字段使用其词条；可将词条归档。",
        )


def customs_of(scope: Scope, code: str) -> list[Custom]:
    """The custom fields that take their words from this dictionary, retired ones included."""
    return [x for x in scope.policy.book.fields.values() if x.dictionary == code]


def _holds(model: Any, custom: Custom, key: str) -> Any:
    """The condition that a record holds this word in a custom field."""
    held = CustomValue(model.custom, custom)
    return HasElement(held, Element(held) == key) if custom.is_list else held == key


def holding(code: str) -> Iterator[tuple[type[Entity], str]]:
    """(entity, column key) of every column that holds words of this dictionary."""
    for model in ENTITIES:
        yield from ((model, column.key) for column in columns(model) if trait_of(column).dictionary == code)


_DEEPEST = 20
