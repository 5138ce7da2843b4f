"""The spellings of dictionary words, by which columns are known and cells are understood."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem
from models.text import fold

from ..runtime.scope import Scope
from .fields import ImportField

Vocabulary = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Code of a dictionary -> folded spelling -> the keys of the words that are meant: several for an alias of several."""


def vocabulary(_scope: Scope, db: Session, fields: Iterable[ImportField]) -> Vocabulary:
    """Of each dictionary of these fields the keys, labels and aliases of its words.

    A key or a label means its word, whatever has it as an alias.  Of words with one label the second is called by its key
    behind it: `Retail (retail_2)`.  Keys and labels of archived words are known as well, because records may hold them.  At
    most one query.
    """
    codes = sorted({each.dictionary for each in fields if each.dictionary})
    if not codes:
        return {}
    item = DictionaryItem
    statement = (
        select(Dictionary.code, item.key, item.label_en, item.label_zh, item.aliases, item.archived_at)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.code.in_(codes), Dictionary.deleted_at.is_(None))
        .where(item.deleted_at.is_(None))
        .order_by(
            item.archived_at.is_not(None), item.position, item.id
        )  # the first of two words with one label is meant
    )
    named: dict[str, dict[str, tuple[str, ...]]] = {code: {} for code in codes}
    also: dict[str, dict[str, tuple[str, ...]]] = {code: {} for code in codes}
    for code, key, english, chinese, aliases, archived_at in db.execute(statement):
        for word in filter(None, (key, english, chinese)):
            named[code].setdefault(fold(word), (key,))
        for word in filter(None, (english, chinese)):
            named[code].setdefault(fold(f"{word} ({key})"), (key,))
        for word in {fold(alias) for alias in aliases if alias and archived_at is None}:
            also[code][word] = (*also[code].get(word, ()), key)
    return {code: also[code] | named[code] for code in codes}
