"""The refusal of a word that a dictionary does not have: what may be chosen, and what was probably meant."""

from collections.abc import Iterable, Iterator
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem
from models.errors import NotInList, Validation

from ..runtime.inputs import refused
from ..runtime.scope import Scope

_SUGGESTED = 12
_CLOSE = 4
"""Maximum number of words that are suggested because they are close."""
_LIKE = 0.6
"""Least likeness of a word that is suggested because it is close, from 0 to 1."""
_SEARCHED = 500
"""Maximum number of words of a dictionary that are compared with an unknown key."""


def live_words() -> Select[str, DictionaryItem]:
    """Dictionary code and item of every word that can be chosen, in the order of the dictionary."""
    return (
        select(Dictionary.code, DictionaryItem)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.deleted_at.is_(None), DictionaryItem.deleted_at.is_(None))
        .where(DictionaryItem.archived_at.is_(None))
        .order_by(DictionaryItem.position, DictionaryItem.id)
    )


def unknown_word(scope: Scope, db: Session, field: str, code: str, key: str) -> Validation:
    """The refusal of an unknown key, which suggests close words, else the first ones, of those that the caller sees.

    The sentence and its params name their labels; `suggestions` are their keys.
    """
    seen = scope.viewer.rows(DictionaryItem, DictionaryItem)
    asked = live_words().where(Dictionary.code == code, seen).limit(_SEARCHED)
    found = db.execute(asked.execution_options(policy=True))
    items = [item for _, item in found]
    if not items:
        return refused(
            NotInList, field, f"“{key}” is not in the list, which is empty", f"“{key}”不在列表中，列表尚无内容"
        )
    labels = {item.key: (item.label_en, item.label_zh or item.label_en) for item in items}
    first, close = [item.key for item in items[:_SUGGESTED]], _close(key, items)
    told: dict[str, Any] = {name: [labels[x][place] for x in keys] for name, place, keys in _told(first, close)}
    if close:
        english, chinese = " or ".join(told["likely"]), "或".join(f"“{x}”" for x in told["likely_zh"])
        said = f"“{key}” is not in the list; choose {english}", f"“{key}”不存在，请选择{chinese}"
    else:
        english, chinese = ", ".join(told["choices"]), "、".join(told["choices_zh"])
        said = f"“{key}” is not in the list; choose {english}", f"“{key}”不在列表中，可选：{chinese}"
    return refused(NotInList, field, *said, suggestions=close or first, **told)


def _told(first: list[str], close: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """(param, place of its language, keys) of what is told about a list."""
    yield from (("choices", 0, first), ("choices_zh", 1, first))
    if close:
        yield from (("likely", 0, close), ("likely_zh", 1, close))


def _close(key: str, items: Iterable[DictionaryItem]) -> list[str]:
    """The keys of the items whose key, label or alias is close to `key`, closest first; of equals only those."""
    names: dict[str, list[str]] = {}
    for item in items:
        for name in filter(None, (item.key, item.label_en, item.label_zh, *item.aliases)):
            names.setdefault(name.lower(), []).append(item.key)
    said = key.lower()
    found = process.extract(said, names.keys(), scorer=OSA.normalized_similarity, score_cutoff=_LIKE, limit=_CLOSE)
    close = [said] if said in names else [name for name, _, _ in found]
    return list(dict.fromkeys(key for name in close for key in names[name]))[:_CLOSE]
