"""Names of logged values: the record that a foreign key points to, and the label of a dictionary key."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, Dictionary, DictionaryItem, Entity
from models.base import column_of, trait_of

from ..reading.pages import display_column, target_of
from ..runtime.custom_fields import referred_kind
from ..runtime.viewer import Viewer
from . import redaction
from .log_filter import storable_id

RawChange = tuple[type[Entity] | None, str, Any, Any]
"""A visible change: (entity, key, old, new)."""


class ValueNames:
    """Names of the keys in changes: one statement per entity that is referred to, and one for all dictionary words."""

    def __init__(self, viewer: Viewer, db: Session, changes: Iterable[RawChange]) -> None:
        self._book = viewer.policy.book
        pointed: dict[type[Base], set[int]] = {}
        words: dict[str, set[str]] = {}
        for model, key, *pair in changes:
            target, dictionary = self._reference_of(model, key)
            if target is not None:
                pointed.setdefault(target, set()).update(x for x in pair if type(x) is int and storable_id(x))
            elif dictionary:
                words.setdefault(dictionary, set()).update(word for x in pair for word in _words(x))
        self._separator = "、" if viewer.language.startswith("zh") else ", "
        self._names = {target: visible_names(viewer, db, target, ids) for target, ids in pointed.items() if ids}
        self._labels = _labels(viewer, db, words) if any(words.values()) else {}

    def of(self, model: type[Entity] | None, key: str, value: Any) -> str | None:
        """The name of a value of this field; None for a value that is no key or has no visible name."""
        target, dictionary = self._reference_of(model, key)
        if target is not None:
            return self._names.get(target, {}).get(value) if type(value) is int else None
        if dictionary and isinstance(value, list):
            return self._separator.join(self._labels.get((dictionary, word), word) for word in _words(value)) or None
        return self._labels.get((dictionary, value), value) if dictionary and isinstance(value, str) else None

    def _reference_of(self, model: type[Entity] | None, key: str) -> tuple[type[Base] | None, str | None]:
        custom = self._book.find(model.module, key) if model is not None else None
        return _reference_of(model, key) if custom is None else (referred_kind(custom), custom.dictionary)


def _words(value: Any) -> list[str]:
    """The dictionary keys in a value, which may be a list of them."""
    return [x for x in (value if isinstance(value, list) else [value]) if isinstance(x, str)]


@cache
def _reference_of(model: type[Entity] | None, key: str) -> tuple[type[Base] | None, str | None]:
    """(the model that a value refers to, the dictionary whose key it is)."""
    if model is None or key not in model.__table__.c:
        return None, None
    return target_of(model, key), trait_of(column_of(model, key)).dictionary


def visible_names(viewer: Viewer, db: Session, model: type[Base], ids: Collection[int]) -> dict[int, str]:
    """Id -> name, of the visible ones among these records."""
    source, row = redaction.few(model)
    named = select(row.id, viewer.value(model, row, display_column(model))).select_from(source)
    named = named.where(row.id.in_(sorted(ids)), viewer.rows(model, row))
    found = db.execute(named.execution_options(policy=True))
    return {id: str(name) for id, name in found if name is not None}


def _labels(viewer: Viewer, db: Session, words: Mapping[str, Collection[str]]) -> dict[tuple[str | None, str], str]:
    """(dictionary, key) -> label in the language of the viewer."""
    item: Any = DictionaryItem
    english, chinese = (viewer.value(item, item, key) for key in ("label_en", "label_zh"))
    asked = (
        select(Dictionary.code, item.key, english.label("english"), chinese.label("chinese"))
        .join(Dictionary, Dictionary.id == item.dictionary_id)
        .where(Dictionary.code.in_(sorted(words)), item.key.in_(sorted(set().union(*words.values()))))
        .where(item.deleted_at.is_(None))
    )
    is_chinese = viewer.language.startswith("zh")
    found = {(code, key): (zh or en) if is_chinese else en for code, key, en, zh in db.execute(asked)}
    return {word: label for word, label in found.items() if label}
