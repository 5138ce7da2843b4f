"""Dictionaries: check that a field holds a known key, and suggest the one that was meant."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from models import ENTITIES, Dictionary, DictionaryItem, Entity, Tone
from models.base import columns, trait_of
from models.custom_field import PREFIX, Custom, is_custom
from models.custom_sql import CustomValue
from models.database.bypass import Because, bypass_policy
from models.dictionary import usual_tone
from models.errors import Validation
from policies.branches import branch_of, dictionaries_of
from policies.words import parts

from ..reading.elements import Element, HasElement
from ..runtime.gathering import Gathering
from ..runtime.ids import camel
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .custom_conversion import model_of
from .custom_docs import renew_later
from .custom_values import COLUMN
from .custom_values import words_in as custom_words_in
from .references import refuse_if_any
from .unknown_words import live_words, unknown_word

_WRITERS_END = timedelta(seconds=5)


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


def top_of(words: Mapping[str, Word], key: str) -> str:
    """The highest word above one of a dictionary, itself where none is."""
    seen = {key}
    while key in words:
        above = words[key].above
        if above is None or above not in words or above in seen:
            break
        key = above
        seen.add(key)
    return key


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
    """Raise NotInList for each key that its dictionary does not have or has archived.  One query.

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
    found = Gathering()
    for field, code, key in wanted:
        if (code, key) not in known:
            found.note(unknown_word(scope, db, field, code, key).at(*_place(field, key, values)))
    found.settle()


def _place(field: str, key: str, values: Mapping[str, Any]) -> tuple[int, ...]:
    """Where in a list of words the key stands; nowhere in a single word."""
    held = values.get(field)
    return (held.index(key),) if isinstance(held, list) and key in held else ()


def known_words(db: Session, named: Collection[Named]) -> set[tuple[str, str]]:
    """The words among these that can be chosen: (dictionary, key).  One query."""
    codes, keys = ({word[place] for word in named} for place in (1, 2))
    asked = live_words().where(Dictionary.code.in_(codes), DictionaryItem.key.in_(keys))
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

    def changed(
        self, scope: Scope, db: Session, row: DictionaryItem, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        """Have records found by the new label, once whoever writes one with the old label has ended."""
        if any(key in before and before[key] != getattr(row, key) for key in ("label_en", "label_zh")):
            for custom in customs_of(scope, _code_of(db, row)):
                renew_later(scope, custom, after=_WRITERS_END)

    def deleted(self, scope: Scope, db: Session, row: DictionaryItem) -> None:
        """Raise InUse for a word that records hold: they would be left with a key without a label.

        Raise Validation for one that the policy names: what its lines forbid of the words below it would be free.
        """
        _refuse_if_named(scope, db, row)
        _refuse_if_held(scope, db, row, is_purge=False)

    def purged(self, scope: Scope, db: Session, row: DictionaryItem) -> None:
        """Raise InUse for a word that records hold, those in the bin included, because they can be restored."""
        _refuse_if_held(scope, db, row, is_purge=True)


def _code_of(db: Session, row: DictionaryItem) -> str:
    asked = select(Dictionary.code).where(Dictionary.id == row.dictionary_id)
    return db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()


def _refuse_if_named(scope: Scope, db: Session, row: DictionaryItem) -> None:
    code, count = _code_of(db, row), 0
    for line in scope.policy.lines:
        named = [branch_of(word) for word, _ in parts(line.columns[4])] if line.kind != "g" else []
        count += any(x and x.key == row.key and code in dictionaries_of(line.columns[1], x.field) for x in named)
    if count:
        raise Validation(
            f"{row.label_en} stays, because lines of the policy name it ({count}). Change the policy first, or archive the word.",
            f"“{row.label_zh or row.label_en}”不能删除：策略中有 {count} 行规则使用该词条，请先修改策略，或将词条归档。",
        )


def _refuse_if_held(scope: Scope, db: Session, row: DictionaryItem, *, is_purge: bool) -> None:
    code = _code_of(db, row)
    for model, key in holding(code):
        refuse_if_any(db, row, model, getattr(model, key) == row.key, is_purge=is_purge)
    for custom in customs_of(scope, code):
        model = model_of(custom.module)
        refuse_if_any(db, row, model, _holds(model, custom, row.key), is_purge=is_purge)


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


def offering(scope: Scope, code: str) -> Iterator[tuple[type[Entity], str]]:
    """(entity, field) of every field that offers words of this dictionary: columns, then custom fields in use."""
    yield from holding(code)
    yield from ((model_of(x.module), x.word) for x in customs_of(scope, code) if not x.is_retired)


_DEEPEST = 20
