"""Branches of dictionaries as states of records: `category under prospect`, this word or one below it.

The SQL form reads the tree as it is, so words that move or come later count at once, without a new policy.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from models import PROTECTED, Base, Dictionary, DictionaryItem
from models.base import columns, trait_of
from models.database.bypass import Because, bypass_policy
from models.field_names import field_in_words
from models.names import in_sentence

from .objects import FIELDS, MODULE_OF
from .rows import Clause, Rows

_FORM = re.compile(r"([a-z][a-z_]*) under ([^\s&!,]+)")
Held = tuple[str, str]
"""A field and the key of a word: what a record is under, its own word included."""


@dataclass(frozen=True, order=True)
class Branch:
    """A word of the tree that a field takes its words from, with all below it."""

    field: str
    key: str

    def __str__(self) -> str:
        return f"{self.field} under {self.key}"

    def sentences(self, called: tuple[str, str] | None = None, *, wanted: bool = True) -> tuple[str, str]:
        """That a record lies in the branch, or (`wanted` False) that it does not, in English and Chinese.

        `called`: the word in both languages.
        """
        english, chinese = called or (self.key, self.key)
        field, field_zh = field_in_words(self.field)
        if wanted:
            return f"its {in_sentence(field)} is {english} or below it", f"{field_zh}为“{chinese}”或其下级"
        return f"its {in_sentence(field)} is neither {english} nor below it", f"{field_zh}不是“{chinese}”及其下级"

    def sql(self, rows: Rows) -> Clause:
        """The rows whose own word, or where the kind has no such field that of their parent, lies in the branch."""
        code = dictionary_of(rows.model, self.field)
        if code is None:
            return rows.of_parent(self.sql) if rows.model.visible_through else false()
        column = getattr(rows.e, self.field)
        return and_(column.is_not(None), under(code, column, [self.key]))


@lru_cache(maxsize=4096)
def branch_of(word: str) -> Branch | None:
    """The branch that a state of a line names; None for another word, and for a field without a dictionary."""
    found = _FORM.fullmatch(word)
    return Branch(found[1], found[2]) if found is not None and found[1] in FIELDS_WITH_WORDS else None


def dictionary_of(model: type[Base], field: str) -> str | None:
    """The code of the dictionary from which the field of a model takes its words; None where it takes none."""
    return _dictionaries(model).get(field)


def words_for(model: type[Base], field: str) -> str | None:
    """The code of the dictionary whose words a line about records of a model means: their own, or that of their parent."""
    if (code := dictionary_of(model, field)) is not None or not model.visible_through:
        return code
    return words_for(getattr(model, model.visible_through).property.mapper.class_, field)


@cache
def dictionaries_of(object: str, field: str) -> frozenset[str]:
    """The codes of the dictionaries whose words a line about an object names by a field.

    More than one for lines about everything: stages of customers are others than those of opportunities.
    """
    module = FIELDS.get(object, object)
    models = [model for model, of in MODULE_OF.items() if module in (of, "*")]
    return frozenset(code for model in models if (code := words_for(model, field)) is not None)


def may_lie_under(model: type[Base], field: str) -> bool:
    """Whether records of a model, or the parents through which they are visible, have the field."""
    return words_for(model, field) is not None


def under(code: str | None, column: Any, keys: Sequence[str]) -> Clause:
    """Whether the word in a column is one of these or lies below one in its dictionary."""
    item, whole, below = (x.__table__.alias() for x in (DictionaryItem, Dictionary, DictionaryItem))
    top = select(item.c.id, item.c.key).join(whole, whole.c.id == item.c.dictionary_id)
    top = top.where(whole.c.code == code, whole.c.deleted_at.is_(None), item.c.deleted_at.is_(None))
    branch = top.where(item.c.key.in_(keys)).cte(recursive=True, nesting=True)
    further = select(below.c.id, below.c.key).join(branch, below.c.parent_id == branch.c.id)
    branch = branch.union(further.where(below.c.deleted_at.is_(None)))
    found: Select[Any] = select(branch.c.key).correlate(None).execution_options(policy=True)
    return or_(column.in_(keys), column.in_(found))


def held_by(db: Session | Connection, model: type[Base], row: Any) -> frozenset[Held]:
    """The branches in which a stored row lies by its own fields.  One query, none for a row without words."""
    return held_by_all(db, model, [row])[0]


def held_by_all(db: Session | Connection, model: type[Base], rows: Collection[Any]) -> list[frozenset[Held]]:
    """The same for many rows, in their order, by one query."""
    codes = _dictionaries(model)
    words = [{field: word for field in codes if (word := getattr(row, field, None)) is not None} for row in rows]
    known = _above(db, {(codes[field], word) for each in words for field, word in each.items()})
    return [
        frozenset((field, key) for field, word in each.items() for key in (word, *known.get((codes[field], word), ())))
        for each in words
    ]


# --- steps -----------------------------------------------------------------------------------------------


@cache
def _dictionaries(model: type[Base]) -> dict[str, str]:
    """Field -> code of its dictionary, for every column of a model that holds one word."""
    return {x.key: code for x in columns(model) if (code := trait_of(x).dictionary)}


def _of_protected() -> Iterable[str]:
    return (field for model in PROTECTED for field in _dictionaries(model))


FIELDS_WITH_WORDS: frozenset[str] = frozenset(_of_protected())
"""The fields of which a line can name a branch."""


def _above(db: Session | Connection, words: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """(dictionary, key) -> the keys of the words above it."""
    if not words:
        return {}
    item, whole, wider = (x.__table__.alias() for x in (DictionaryItem, Dictionary, DictionaryItem))
    first = select(whole.c.code, item.c.key.label("word"), item.c.key, item.c.parent_id)
    first = first.join(whole, whole.c.id == item.c.dictionary_id).where(
        whole.c.code.in_({code for code, _ in words}),
        item.c.key.in_({key for _, key in words}),
        whole.c.deleted_at.is_(None),
        item.c.deleted_at.is_(None),
    )
    chain = first.cte(recursive=True)
    further = select(chain.c.code, chain.c.word, wider.c.key, wider.c.parent_id)
    chain = chain.union(further.join(chain, wider.c.id == chain.c.parent_id).where(wider.c.deleted_at.is_(None)))
    found: dict[tuple[str, str], set[str]] = {}
    asked = select(chain.c.code, chain.c.word, chain.c.key)
    for code, word, key in db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)):
        found.setdefault((code, word), set()).add(key)
    return found
