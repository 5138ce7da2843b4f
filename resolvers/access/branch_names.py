"""Branches of dictionaries in policy lines: which there are, and what their words are called."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models import PROTECTED, Dictionary, DictionaryItem
from models.database.bypass import Because, bypass_policy
from policies import Line
from policies.branches import FIELDS_WITH_WORDS, Branch, branch_of, dictionary_of
from policies.saying import Called

from ..records.dictionaries import Word, in_tree, words_of
from ..runtime.scope import Scope


@dataclass(frozen=True)
class Choice:
    """A branch that a line may name, and how many words stand above its word."""

    branch: str
    word: Word
    depth: int


def branches_in(lines: Iterable[Line]) -> frozenset[str]:
    """The branches that lines of use or of granting name."""
    words = (
        word for line in lines if line.kind != "g" and len(line.columns) == 6 for word in line.columns[4].split("&")
    )
    return frozenset(word.removeprefix("!") for word in words if branch_of(word.removeprefix("!")) is not None)


def known_branches(db: Session) -> frozenset[str]:
    """Every branch that there is: each word of each dictionary, archived ones too, for each field that takes its words."""
    fields: dict[str, set[str]] = {}
    for code, field in _fields():
        fields.setdefault(code, set()).add(field)
    asked = select(Dictionary.code, DictionaryItem.key).join(Dictionary, Dictionary.id == DictionaryItem.dictionary_id)
    asked = asked.where(
        Dictionary.deleted_at.is_(None), DictionaryItem.deleted_at.is_(None), Dictionary.code.in_(fields)
    )
    found = db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL))
    return frozenset(str(Branch(field, key)) for code, key in found for field in fields[code])


def called(db: Session, words: Iterable[str]) -> Called:
    """What the words of these branches are called; one that is gone is left out.  Other words of lines are passed over.

    Two dictionaries may have the word, as that of stages of customers and that of opportunities: then by both names.
    """
    found = {branch for word in words if (branch := branch_of(word.removeprefix("!"))) is not None}
    wanted = [(branch, code) for branch in sorted(found) for code in sorted(_codes_of(branch))]
    if not wanted:
        return {}
    item = DictionaryItem
    asked = select(Dictionary.code, item.key, item.label_en, item.label_zh)
    asked = asked.join(Dictionary, Dictionary.id == item.dictionary_id).where(
        item.deleted_at.is_(None),
        Dictionary.deleted_at.is_(None),
        or_(*(and_(Dictionary.code == code, item.key == branch.key) for branch, code in wanted)),
    )
    rows = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    labels = {(code, key): (english, chinese or english) for code, key, english, chinese in rows}
    names: dict[str, list[tuple[str, str]]] = {}
    for branch, code in wanted:
        if (label := labels.get((code, branch.key))) is not None:
            names.setdefault(str(branch), []).append(label)
    return {branch: _together(both) for branch, both in names.items()}


def called_in_force(scope: Scope, db: Session) -> Called:
    """What the words of the branches are called that the policy in force names."""
    return called(db, branches_in(scope.policy.lines))


def choices(scope: Scope, db: Session) -> dict[str, list[Choice]]:
    """Field -> the branches that a line may name, in the order of the tree, archived words left out.

    A word that stands in two dictionaries of the field, as stages may, is offered once.
    """
    fields = sorted({(field, code) for code, field in _fields()})
    words = words_of(scope, db, {code for _, code in fields})
    found: dict[str, dict[str, Choice]] = {}
    for field, code in fields:
        for word, depth in in_tree(words.get(code, {})):
            if not word.is_archived:
                branch = str(Branch(field, word.key))
                found.setdefault(field, {}).setdefault(branch, Choice(branch, word, depth))
    return {field: [*offered.values()] for field, offered in found.items()}


# --- steps -----------------------------------------------------------------------------------------------


def _fields() -> Iterator[tuple[str, str]]:
    """(code of a dictionary, field that takes its words)"""
    for model in PROTECTED:
        for field in sorted(FIELDS_WITH_WORDS):
            if (code := dictionary_of(model, field)) is not None:
                yield code, field


def _together(labels: Iterable[tuple[str, str]]) -> tuple[str, str]:
    english, chinese = zip(*labels, strict=True)
    return " / ".join(dict.fromkeys(english)), " / ".join(dict.fromkeys(chinese))


def _codes_of(branch: Branch) -> set[str]:
    return {code for code, field in _fields() if field == branch.field}
