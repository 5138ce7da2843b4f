"""The operation log as people read it: what was done to a record, or to anything; in words, newest first.

Everything is read over a session behind the read wall, in a number of statements that does not grow with the page: one
for the entries, one per kind of record about what is hidden in them, one per kind of record that they point to, one for
words.  What may be told says `redaction.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Integer, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from models import ENTITIES, AuditEntry, Base, Dictionary, DictionaryItem, Entity
from models.audit.entries import Outcome
from models.base import column_of, trait_of
from models.errors import NotFound
from policies.objects import MODULES, field_name

from ..reading.clauses import matching, search_text
from ..reading.pages import LARGEST_PAGE, display_column, target_of
from ..runtime.ids import LARGEST_ID, global_id, noun
from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value, Viewer
from . import redaction


@dataclass(frozen=True)
class Change:
    """One field, from what to what: JSON values as they were logged, and what they mean to a person.

    `key` is that of a column, or the kind of a part (`phone`).  Names are there where the value is a key: what the record
    is called that a foreign key points to (None when the reader may not see it, or it is no more), the label of a
    dictionary word (the word itself when the dictionary has forgotten it).
    """

    key: str
    old: Any
    new: Any
    old_name: str | None = None
    new_name: str | None = None


@dataclass(frozen=True)
class Entry:
    """One change of one record, or one attempt that was refused.

    `model` is None for what is no kind of record.  Of a record that is out of sight there is neither label nor reason
    nor change; in the others the changes of hidden fields are left out.
    """

    id: int
    at: datetime
    actor_id: int | None
    actor: str
    door: str
    action: str
    model: type[Entity] | None
    record_id: int | None
    label: str | None
    reason: str | None
    outcome: Outcome
    batch_id: str
    is_visible: bool
    changes: list[Change]


@dataclass(frozen=True)
class Wanted:
    """Which entries of the log: whatever is given must hold.

    `action` is a whole one (`customer.claim`), a module (`customer`) or a verb (`.claim`); `since` is included and
    `until` is not; `text` is a part of the label, and finds no record that is out of sight.
    """

    actor_id: int | None = None
    model: type[Entity] | None = None
    record_id: int | None = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    batch_id: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Pages:
    """Entries, newest first.  `before=older` gives the next page, `after=newer` the one before; None where none is."""

    entries: list[Entry]
    newer: int | None
    older: int | None


def of_record(
    scope: Scope,
    db: Session,
    model: type[Entity],
    id: int,
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = 20,
) -> Pages:
    """What was done to a record.  Whoever sees it may read that, without a right on the log.

    Raises NotFound for a record that the person does not see, as for one that is not there.
    """
    viewer, id = Viewer(scope.person, scope.policy, scope.language, scope.sees_many), _key(id)
    source, row = redaction.few(model)
    seen = (
        select(row.id).select_from(source).where(row.id == id, viewer.rows(model, row)).execution_options(policy=True)
    )
    about = [_LOG.c.entity == model.__tablename__, _LOG.c.record_id == id, _LOG.c.outcome == Outcome.OK]
    page = _page(viewer, db, [*about, _LOG.c.record_id.in_(seen)], _LOG.c.id, before, after, size)
    # Asked after the entries were read, so that nothing is told by a right which was older than what it tells.
    sights = redaction.Visibilities(viewer, db, {model: {id}})
    if not sights.is_there(model, id):
        raise NotFound(what=noun(model), record_id=global_id(model, id) if id else None)
    return _told(viewer, db, sights, *page)


def log(
    scope: Scope,
    db: Session,
    wanted: Wanted,
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = 50,
) -> Pages:
    """A page of the operation log: the wanted entries among those that the policy lets the person view.

    Raises Forbidden when it lets him view none at all, Validation for a text too long.
    """
    scope.allow("view", AuditEntry.module)
    viewer = Viewer(scope.person, scope.policy, scope.language, scope.sees_many)
    by = _Sorted(_LOG.c.id) if _is_narrow(wanted) else _LOG.c.id
    page = _page(viewer, db, [viewer.rows(AuditEntry, _LOG.c), *_filters(viewer, wanted)], by, before, after, size)
    return _told(viewer, db, redaction.Visibilities(viewer, db, _records(page[0])), *page)


# --- which entries ---------------------------------------------------------------------------------------

_LOG, _SHOWN = AuditEntry.__table__.alias(), AuditEntry.__table__.alias()
_Page = tuple[Sequence[Any], int | None, int | None]
"""Rows, newest first, and the ids to page with."""
_Raw = tuple[type[Entity] | None, str, Any, Any]
"""A change that may be told: (kind of record, key, old, new)."""
_MODELS: dict[str, type[Entity]] = {model.__tablename__: model for model in ENTITIES}
_ALWAYS = ("at", "actor_name", "door", "action", "entity", "outcome", "batch_id")
"""What makes an entry one: it is not told to somebody from whom the policy hides any of these."""
_MAYBE = ("actor_id", "record_id", "label", "reason", "changes")
"""What an entry may lack, or the policy may hide in it."""


def _filters(viewer: Viewer, wanted: Wanted) -> Iterator[Clause]:
    tables = [wanted.model.__tablename__] if wanted.model is not None else None
    if wanted.record_id is not None and tables is None:
        tables = sorted(_MODELS)  # says nothing new, but lets the index begin with the table
    text = search_text(wanted.text or "")
    tree = {
        "actor_id": {"eq": None if wanted.actor_id is None else _key(wanted.actor_id)},
        "entity": {"in": tables},
        "record_id": {"eq": None if wanted.record_id is None else _key(wanted.record_id)},
        "action": _acting(_plain(wanted.action)),
        "outcome": {"eq": wanted.outcome},
        "at": {"gte": wanted.since, "lt": wanted.until},
        "batch_id": {"eq": _plain(wanted.batch_id)},
        "label": {"contains": text or None},
    }
    yield matching(viewer, AuditEntry, _LOG.c, tree)
    if text:
        yield redaction.named_in_sight(viewer, _LOG.c)


def _acting(action: str | None) -> Mapping[str, Any]:
    """`customer.claim` as such, `customer` as a range of an index, `.claim` as that of every module."""
    if not action:
        return {}
    if action.startswith("."):
        return {"in": [f"{module}{action}" for module in sorted(MODULES)]}
    if "." in action:
        return {"eq": action}
    return {"gte": f"{action}.", "lt": f"{action}/"}  # the stroke follows the dot


def _plain(text: str | None) -> str | None:
    """A word as the database takes it; None for nothing."""
    return (text or "").replace("\0", "").strip() or None


def _key(id: int) -> int:
    """An id that a column can hold; 0, which nothing has, for any other."""
    return id if 0 < id <= LARGEST_ID else 0


def _bound(id: int) -> int:
    return max(-1, min(id, LARGEST_ID))


def _is_narrow(wanted: Wanted) -> bool:
    """Whether something is wanted that an index knows and that may be rare."""
    return any((wanted.actor_id, wanted.model, wanted.record_id, wanted.action, wanted.batch_id))


class _Sorted(FunctionElement[int]):
    """A key to sort by after an index has found the entries.

    SQLite, which does not know how often a value occurs, would rather walk along the key to save the sorting: through
    the whole table where a value is rare.
    """

    type = Integer()
    inherit_cache = True


@compiles(_Sorted)
def _sorted(element: _Sorted, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(_Sorted, "sqlite")
def _sorted_on_sqlite(element: _Sorted, compiler: Any, **how: Any) -> str:
    return f"+{compiler.process(element.clauses, **how)}"


def _page(
    viewer: Viewer, db: Session, clauses: Sequence[Clause], by: Value, before: int | None, after: int | None, size: int
) -> _Page:
    """The newest entries, those below `before`, or the nearest above `after`; `by` is their id.

    Only ids are looked for and put in order, which indexes do alone: the entries themselves are wide.
    """
    size, id = max(1, min(size, LARGEST_PAGE)), _LOG.c.id
    whole = [viewer.guard(AuditEntry, field_name(key), _LOG.c) for key in _ALWAYS]
    found = select(id).where(*clauses, *(guard for guard in whole if guard is not None))
    if before is not None:
        found = found.where(id < _bound(before))
    if after is not None:
        found = found.where(id > _bound(after))
    ids = found.order_by(by.desc() if after is None else by.asc()).limit(size + 1).subquery()
    columns = [_SHOWN.c.id, _SHOWN.c.record_id.label("about"), *(_SHOWN.c[key] for key in _ALWAYS)]
    columns += [viewer.value(AuditEntry, _SHOWN.c, key).label(key) for key in _MAYBE]
    statement = select(*columns).join_from(ids, _SHOWN, _SHOWN.c.id == ids.c.id).order_by(_SHOWN.c.id.desc())
    rows = [*db.execute(statement.execution_options(policy=True))]
    is_more = len(rows) > size
    rows = rows[:size] if after is None else rows[-size:]
    has_newer, has_older = (before is not None, is_more) if after is None else (is_more, True)
    return rows, rows[0].id if rows and has_newer else None, rows[-1].id if rows and has_older else None


# --- what may be told of them ----------------------------------------------------------------------------


def _records(rows: Iterable[Any]) -> dict[type[Base], set[int]]:
    """The ids of the records that the entries are about, by their kind."""
    found: dict[type[Base], set[int]] = {}
    for row in rows:
        if row.entity in _MODELS:
            found.setdefault(_MODELS[row.entity], set()).update(() if row.about is None else (row.about,))
    return found


def _told(
    viewer: Viewer,
    db: Session,
    sights: redaction.Visibilities,
    rows: Sequence[Any],
    newer: int | None,
    older: int | None,
) -> Pages:
    """A page as this person may read it."""
    seen = [(row, sights.of(_MODELS.get(row.entity), row.about)) for row in rows]
    shown = {row.id: [*_shown(row, sight)] for row, sight in seen}
    meanings = _Meanings(viewer, db, chain.from_iterable(shown.values()))
    entries = [_entry(row, sight, [meanings.told(*raw) for raw in shown[row.id]]) for row, sight in seen]
    return Pages(entries, newer, older)


def _shown(row: Any, sight: redaction.Visibility) -> Iterator[_Raw]:
    for key, (old, new) in (row.changes or {}).items() if sight.seen else ():
        if key not in sight.hidden:
            yield _MODELS.get(row.entity), key, old, new


def _entry(row: Any, sight: redaction.Visibility, changes: list[Change]) -> Entry:
    model = _MODELS.get(row.entity)
    is_named = sight.seen and (model is None or redaction.label_of(model) not in sight.hidden)
    return Entry(
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        actor=row.actor_name,
        door=row.door,
        action=row.action,
        model=model,
        record_id=row.record_id,
        label=row.label if is_named else None,
        reason=row.reason if sight.seen else None,
        outcome=row.outcome,
        batch_id=row.batch_id,
        is_visible=sight.seen,
        changes=changes,
    )


# --- what values mean ------------------------------------------------------------------------------------


class _Meanings:
    """What the keys in changes mean: one statement per kind of record that is pointed to, and one for all words."""

    def __init__(self, viewer: Viewer, db: Session, changes: Iterable[_Raw]) -> None:
        pointed: dict[type[Base], set[int]] = {}
        words: dict[str, set[str]] = {}
        for model, key, *pair in changes:
            target, dictionary = _means(model, key)
            if target is not None:
                pointed.setdefault(target, set()).update(x for x in pair if type(x) is int and _key(x))
            elif dictionary:
                words.setdefault(dictionary, set()).update(x for x in pair if isinstance(x, str))
        self._names = {target: _names(viewer, db, target, ids) for target, ids in pointed.items() if ids}
        self._labels = _labels(viewer, db, words) if any(words.values()) else {}

    def told(self, model: type[Entity] | None, key: str, old: Any, new: Any) -> Change:
        return Change(key, old, new, *(self._meaning(*_means(model, key), value) for value in (old, new)))

    def _meaning(self, target: type[Base] | None, dictionary: str | None, value: Any) -> str | None:
        if target is not None:
            return self._names.get(target, {}).get(value) if type(value) is int else None
        return self._labels.get((dictionary, value), value) if dictionary and isinstance(value, str) else None


@cache
def _means(model: type[Entity] | None, key: str) -> tuple[type[Base] | None, str | None]:
    """(the kind of record that a value points to, the dictionary whose word it is)."""
    if model is None or key not in model.__table__.c:
        return None, None
    return target_of(model, key), trait_of(column_of(model, key)).dictionary


def _names(viewer: Viewer, db: Session, model: type[Base], ids: Collection[int]) -> dict[int, str]:
    """What those of the records are called that may be seen."""
    source, row = redaction.few(model)
    named = select(row.id, viewer.value(model, row, display_column(model))).select_from(source)
    named = named.where(row.id.in_(sorted(ids)), viewer.rows(model, row))
    found = db.execute(named.execution_options(policy=True))
    return {id: str(name) for id, name in found if name is not None}


def _labels(viewer: Viewer, db: Session, words: Mapping[str, Collection[str]]) -> dict[tuple[str | None, str], str]:
    """(dictionary, word) -> label in the reader's language."""
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
