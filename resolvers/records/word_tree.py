"""The words of a dictionary as a tree: saved together as an editor shows them, and counted by the records that hold them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Refusal

from ..reading.clauses import value
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from . import create_update
from .custom_conversion import model_of
from .custom_options import key_from
from .dictionaries import customs_of, holding


@dataclass(frozen=True)
class TreeLine:
    """One row of the editor: a word, or with `id` None a new one.

    `depth`: how many words stand above it.  `given`: labels, aliases and colour as they are now.  `was`: the same, and
    the word above and the place among all, as they were when the editor was opened; of `version`.
    """

    id: int | None
    depth: int
    given: Mapping[str, Any]
    was: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    archived: bool | None = None
    """True to archive the word, False to bring it back; None leaves it as it is."""


@dataclass(frozen=True)
class SavedTree:
    """`ids`: the words in the order of the lines.  `problems`: number of a line -> why it, and so nothing, was saved."""

    ids: list[int] = field(default_factory=list)
    problems: dict[int, Refusal] = field(default_factory=dict)


class _Undo(Exception):
    """Leaves the transaction of a tree that cannot be saved; no error."""


def save_tree(scope: Scope, dictionary_id: int, lines: Sequence[TreeLine]) -> SavedTree:
    """Save the rows of an editor: all of them, or none.

    Only what differs from `was` is written, so what others have changed meanwhile stays; a Conflict is what both have
    changed.  Words that others have added stay where they are.  Raises NotFound, Forbidden.
    """
    saved = SavedTree()
    try:
        with scope.write("dictionary.edit") as db:
            scope.load(db, Dictionary, dictionary_id, to="edit")
            known = set(db.execute(_keys(dictionary_id), execution_options=_PAST).scalars())
            above: list[int] = []
            for number, (line, place) in enumerate(zip(lines, _places(lines), strict=True)):
                del above[max(0, line.depth) :]
                try:
                    id = _saved(scope, db, dictionary_id, line, above[-1] if above else None, place, known)
                except Refusal as refusal:
                    saved.problems[number] = refusal
                    id = line.id or 0
                saved.ids.append(id)
                above.append(id)
            if saved.problems:
                raise _Undo
    except _Undo:
        return SavedTree(problems=saved.problems)
    return saved


def counts_of(scope: Scope, db: Session, code: str) -> Counter[str]:
    """Key -> number of records outside the bin in which the caller sees that word.  One query for each column.

    Settings that name words, like the stages of pipelines, are no records: no search finds them.
    """
    found: Counter[str] = Counter()
    own = [(model_of(custom.module), custom.word) for custom in customs_of(scope, code)]
    for model, key in (*((model, key) for model, key in holding(code) if model.search), *own):
        held: Any = value(scope.viewer, model, model, key)
        counted = select(held.label("held"), func.count(model.id)).where(model.deleted_at.is_(None))
        for words, count in db.execute(counted.group_by("held")):
            for word in words if isinstance(words, list) else [words]:
                found[word] += count
    del found[None]  # of the records without a word
    return found


# --- steps -----------------------------------------------------------------------------------------------

_PAST = bypass_policy(Because.KEEPS_RULE)


def _keys(dictionary_id: int) -> Any:
    return select(DictionaryItem.key).where(DictionaryItem.dictionary_id == dictionary_id)


def _saved(
    scope: Scope, db: Session, dictionary_id: int, line: TreeLine, above: int | None, place: int, known: set[str]
) -> int:
    given = {**line.given, "parent_id": above, "position": place}
    if line.archived is not None:
        given["archived_at"] = scope.now() if line.archived else None
    if line.id is None:
        key = key_from(given.get("label_en") or given.get("label_zh"), known, "word")
        known.add(key)
        return create_update.create(scope, DictionaryItem, {**given, "dictionary_id": dictionary_id, "key": key}).id
    changed = {name: now for name, now in given.items() if name not in line.was or line.was[name] != now}
    row = db.get(DictionaryItem, line.id)
    if row is None or row.dictionary_id != dictionary_id:
        raise NotFound(what=DictionaryItem.names, record_id=global_id(DictionaryItem, line.id))
    if changed:
        create_update.update(scope, DictionaryItem, line.id, changed, line.version)
    return line.id


def _places(lines: Sequence[TreeLine]) -> Iterator[int]:
    """A position for each line.  Those of words whose order is as it was stay, so that few words change."""
    before = [line.was.get("position") for line in lines]
    there = [place for place in before if place is not None]
    if len(there) == len(before) and all(a < b for a, b in pairwise(there)):
        yield from there
    elif len(there) == len(before) and len(set(there)) == len(there):
        yield from sorted(there)
    else:
        yield from range(1, len(lines) + 1)
