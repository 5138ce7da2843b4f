"""The spellings of dictionary words, by which columns are known and cells are understood."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem
from models.text import fold

from ..runtime.scope import Scope
from .fields import ImportField


def vocabulary(_scope: Scope, db: Session, fields: Iterable[ImportField]) -> dict[str, frozenset[str]]:
    """Code of each dictionary of these fields -> key, labels and aliases of its words, folded, archived ones left out.

    At most one query.
    """
    codes = sorted({each.dictionary for each in fields if each.dictionary})
    if not codes:
        return {}
    item, found = DictionaryItem, {code: set[str]() for code in codes}
    statement = (
        select(Dictionary.code, item.key, item.label_en, item.label_zh, item.aliases)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.code.in_(codes), Dictionary.deleted_at.is_(None))
        .where(item.deleted_at.is_(None), item.archived_at.is_(None))
    )
    for code, key, english, chinese, aliases in db.execute(statement):
        found[code].update(fold(word) for word in (key, english, chinese, *aliases) if word)
    return {code: frozenset(words) for code, words in found.items()}
