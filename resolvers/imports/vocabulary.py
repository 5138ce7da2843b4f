"""The spellings of dictionary words, by which columns are known and cells are understood."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem, WordMerge
from models.text import fold

from ..runtime.scope import Scope
from .fields import ImportField

Vocabulary = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Code of a dictionary -> folded spelling -> the keys of the words that are meant: several for an alias of several."""


def vocabulary(_scope: Scope, db: Session, fields: Iterable[ImportField]) -> Vocabulary:
    """Of each dictionary of these fields the keys, labels and aliases of its words.

    A key or a label means its word, whatever has it as an alias.  Of words with one label each is known by its key behind
    it as well: `Retail (retail_2)`.  Keys and labels of archived words are known as well, because records may hold them, but for
    those of words that are part of another one, which has their names.  At most one query.
    """
    codes = sorted({each.dictionary for each in fields if each.dictionary})
    if not codes:
        return {}
    item = DictionaryItem
    part_of_another = exists().where(WordMerge.loser_id == item.id, WordMerge.undone_at.is_(None))
    statement = (
        select(Dictionary.code, item.key, item.label_en, item.label_zh, item.aliases, item.archived_at)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.code.in_(codes), Dictionary.deleted_at.is_(None))
        .where(item.deleted_at.is_(None), ~part_of_another)
        .order_by(
            item.archived_at.is_not(None), item.position, item.id
        )  # the first of two words with one label is meant
    )
    named: dict[str, dict[str, tuple[str, ...]]] = {code: {} for code in codes}
    also: dict[str, dict[str, tuple[str, ...]]] = {code: {} for code in codes}
    rows = db.execute(statement).all()
    said = Counter((row.code, text) for row in rows for text in _labels(row))
    for row in rows:
        code, key, aliases, archived_at = row.code, row.key, row.aliases, row.archived_at
        shared = [f"{text} ({fold(key)})" for text in _labels(row) if said[code, text] > 1]
        for text in (fold(key), *_labels(row), *shared):
            named[code].setdefault(text, (key,))
        for word in {fold(alias) for alias in aliases if alias and archived_at is None}:
            also[code][word] = (*also[code].get(word, ()), key)
    return {code: also[code] | named[code] for code in codes}


def _labels(row: Any) -> list[str]:
    """The labels of a word in both languages, folded, each once."""
    return list(dict.fromkeys(fold(label) for label in (row.label_en, row.label_zh) if label))
