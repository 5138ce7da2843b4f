"""History of a record and pages of the operation log, redacted for the caller, with labels for keys; newest first.

The number of statements does not grow with the page: one for the entries, one per entity for what is hidden in them, one
per entity that they refer to, one for dictionary words.  All run under the read guard; `redaction.py` has the rules.
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
    """The change of one field: old and new JSON value as logged, and a name for each where the value is a key.

    `key` is a column key, or the kind of a part (`phone`).  The name of a foreign key is that of the record it points
    to, None when the caller may not see it or it is gone.  The name of a dictionary key is its label, or the key itself
    when the dictionary has it no longer.
    """

    key: str
    old: Any
    new: Any
    old_name: str | None = None
    new_name: str | None = None


@dataclass(frozen=True)
class Entry:
    """One change of one record, or one refused attempt.

    `model` is None for an entry that is not about an entity.  An entry about a hidden record has no label, reason or
    changes; in other entries the changes of hidden fields are left out.
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
    """Filter of the operation log; all given conditions must hold.

    `action` is a whole action (`customer.claim`), a module (`customer`) or a verb (`.claim`).  `since` is inclusive,
    `until` exclusive.  `text` is a part of the label, and finds no entries about hidden records.
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
    """A page of entries, newest first.  `before=older` reads the next page, `after=newer` the previous one, if any."""

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
    """A page of the history of a record, for every caller who sees the record; needs no right on the log.

    Raises NotFound for a missing record and for a hidden one alike.
    """
    viewer, id = Viewer(scope.person, scope.policy, scope.language), _key(id)
    source, row = redaction.few(model)
    seen = (
        select(row.id).select_from(source).where(row.id == id, viewer.rows(model, row)).execution_options(policy=True)
    )
    about = [_LOG.c.entity == model.__tablename__, _LOG.c.record_id == id, _LOG.c.outcome == Outcome.OK]
    page = _page(viewer, db, [*about, _LOG.c.record_id.in_(seen)], _LOG.c.id, before, after, size)
    # Read after the entries, so that rights are never older than the entries which they open.
    visibilities = redaction.Visibilities(viewer, db, {model: {id}})
    if not visibilities.is_there(model, id):
        raise NotFound(what=noun(model), record_id=global_id(model, id) if id else None)
    return _redacted(viewer, db, visibilities, *page)


def log(
    scope: Scope,
    db: Session,
    wanted: Wanted,
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = 50,
) -> Pages:
    """A page of the operation log: the wanted entries among those that the policy lets the caller view.

    Raises Forbidden when the policy lets them view none at all, Validation for a text that is too long.
    """
    scope.allow("view", AuditEntry.module)
    viewer = Viewer(scope.person, scope.policy, scope.language)
    by = _Sorted(_LOG.c.id) if _is_narrow(wanted) else _LOG.c.id
    page = _page(viewer, db, [viewer.rows(AuditEntry, _LOG.c), *_filters(viewer, wanted)], by, before, after, size)
    return _redacted(viewer, db, redaction.Visibilities(viewer, db, _records(page[0])), *page)


# --- which entries ---------------------------------------------------------------------------------------

_LOG, _SHOWN = AuditEntry.__table__.alias(), AuditEntry.__table__.alias()
_Page = tuple[Sequence[Any], int | None, int | None]
"""(rows, newest first; id to page to newer entries; id to page to older ones)."""
_Raw = tuple[type[Entity] | None, str, Any, Any]
"""A visible change: (entity, key, old, new)."""
_MODELS: dict[str, type[Entity]] = {model.__tablename__: model for model in ENTITIES}
_ALWAYS = ("at", "actor_name", "door", "action", "entity", "outcome", "batch_id")
"""Required columns: an entry is left out where the policy hides any of these."""
_OPTIONAL = ("actor_id", "record_id", "label", "reason", "changes")
"""Columns that may be empty, or that the policy may hide."""


def _filters(viewer: Viewer, wanted: Wanted) -> Iterator[Clause]:
    tables = [wanted.model.__tablename__] if wanted.model is not None else None
    if wanted.record_id is not None and tables is None:
        tables = sorted(_MODELS)  # changes no result, but lets SQL use the index that begins with the table
    text = search_text(wanted.text or "")
    tree = {
        "actor_id": {"eq": None if wanted.actor_id is None else _key(wanted.actor_id)},
        "entity": {"in": tables},
        "record_id": {"eq": None if wanted.record_id is None else _key(wanted.record_id)},
        "action": _action_condition(_plain(wanted.action)),
        "outcome": {"eq": wanted.outcome},
        "at": {"gte": wanted.since, "lt": wanted.until},
        "batch_id": {"eq": _plain(wanted.batch_id)},
        "label": {"contains": text or None},
    }
    yield matching(viewer, AuditEntry, _LOG.c, tree)
    if text:
        yield redaction.named_in_sight(viewer, _LOG.c)


def _action_condition(action: str | None) -> Mapping[str, Any]:
    """`customer.claim` as an equality, `customer` as an index range, `.claim` as a list of all modules."""
    if not action:
        return {}
    if action.startswith("."):
        return {"in": [f"{module}{action}" for module in sorted(MODULES)]}
    if "." in action:
        return {"eq": action}
    return {"gte": f"{action}.", "lt": f"{action}/"}  # `/` is the character after `.`


def _plain(text: str | None) -> str | None:
    """A word that the database can take; None for an empty one."""
    return (text or "").replace("\0", "").strip() or None


def _key(id: int) -> int:
    """An id that a column can hold; 0, which no record has, for any other."""
    return id if 0 < id <= LARGEST_ID else 0


def _bound(id: int) -> int:
    return max(-1, min(id, LARGEST_ID))


def _is_narrow(wanted: Wanted) -> bool:
    """Whether a condition has an index and may match few entries."""
    return any((wanted.actor_id, wanted.model, wanted.record_id, wanted.action, wanted.batch_id))


class _Sorted(FunctionElement[int]):
    """A sort key that SQLite does not use as an index: `+id`.

    SQLite does not know how often a value occurs.  It would walk the index of the sort key to save the sorting, which
    is the whole table where a value is rare.
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
    """The newest entries, those below `before`, or the nearest above `after`; `by` is the sort key of their id.

    An inner query finds and sorts ids alone, which indexes cover, because the entries are wide.
    """
    size, id = max(1, min(size, LARGEST_PAGE)), _LOG.c.id
    whole = [viewer.policy.guard(viewer.person, AuditEntry, field_name(key), _LOG.c) for key in _ALWAYS]
    found = select(id).where(*clauses, *(guard for guard in whole if guard is not None))
    if before is not None:
        found = found.where(id < _bound(before))
    if after is not None:
        found = found.where(id > _bound(after))
    ids = found.order_by(by.desc() if after is None else by.asc()).limit(size + 1).subquery()
    columns = [_SHOWN.c.id, _SHOWN.c.record_id.label("about"), *(_SHOWN.c[key] for key in _ALWAYS)]
    columns += [viewer.value(AuditEntry, _SHOWN.c, key).label(key) for key in _OPTIONAL]
    statement = select(*columns).join_from(ids, _SHOWN, _SHOWN.c.id == ids.c.id).order_by(_SHOWN.c.id.desc())
    rows = [*db.execute(statement.execution_options(policy=True))]
    is_more = len(rows) > size
    rows = rows[:size] if after is None else rows[-size:]
    has_newer, has_older = (before is not None, is_more) if after is None else (is_more, True)
    return rows, rows[0].id if rows and has_newer else None, rows[-1].id if rows and has_older else None


# --- redaction -------------------------------------------------------------------------------------------


def _records(rows: Iterable[Any]) -> dict[type[Base], set[int]]:
    """Entity -> ids of the records that the entries are about."""
    found: dict[type[Base], set[int]] = {}
    for row in rows:
        if row.entity in _MODELS:
            found.setdefault(_MODELS[row.entity], set()).update(() if row.about is None else (row.about,))
    return found


def _redacted(
    viewer: Viewer,
    db: Session,
    visibilities: redaction.Visibilities,
    rows: Sequence[Any],
    newer: int | None,
    older: int | None,
) -> Pages:
    """The page without what the viewer may not see."""
    seen = [(row, visibilities.of(_MODELS.get(row.entity), row.about)) for row in rows]
    shown = {row.id: [*_visible_changes(row, visibility)] for row, visibility in seen}
    names = _Names(viewer, db, chain.from_iterable(shown.values()))
    entries = [_entry(row, visibility, [names.change(*raw) for raw in shown[row.id]]) for row, visibility in seen]
    return Pages(entries, newer, older)


def _visible_changes(row: Any, visibility: redaction.Visibility) -> Iterator[_Raw]:
    for key, (old, new) in (row.changes or {}).items() if visibility.seen else ():
        if key not in visibility.hidden:
            yield _MODELS.get(row.entity), key, old, new


def _entry(row: Any, visibility: redaction.Visibility, changes: list[Change]) -> Entry:
    model = _MODELS.get(row.entity)
    is_named = visibility.seen and (model is None or redaction.label_of(model) not in visibility.hidden)
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
        reason=row.reason if visibility.seen else None,
        outcome=row.outcome,
        batch_id=row.batch_id,
        is_visible=visibility.seen,
        changes=changes,
    )


# --- names of values -------------------------------------------------------------------------------------


class _Names:
    """Names of the keys in changes: one statement per entity that is referred to, and one for all dictionary words."""

    def __init__(self, viewer: Viewer, db: Session, changes: Iterable[_Raw]) -> None:
        pointed: dict[type[Base], set[int]] = {}
        words: dict[str, set[str]] = {}
        for model, key, *pair in changes:
            target, dictionary = _reference_of(model, key)
            if target is not None:
                pointed.setdefault(target, set()).update(x for x in pair if type(x) is int and _key(x))
            elif dictionary:
                words.setdefault(dictionary, set()).update(x for x in pair if isinstance(x, str))
        self._names = {target: _names(viewer, db, target, ids) for target, ids in pointed.items() if ids}
        self._labels = _labels(viewer, db, words) if any(words.values()) else {}

    def change(self, model: type[Entity] | None, key: str, old: Any, new: Any) -> Change:
        """The change with the names of its values."""
        return Change(key, old, new, *(self._name(*_reference_of(model, key), value) for value in (old, new)))

    def _name(self, target: type[Base] | None, dictionary: str | None, value: Any) -> str | None:
        if target is not None:
            return self._names.get(target, {}).get(value) if type(value) is int else None
        return self._labels.get((dictionary, value), value) if dictionary and isinstance(value, str) else None


@cache
def _reference_of(model: type[Entity] | None, key: str) -> tuple[type[Base] | None, str | None]:
    """(the model that a value refers to, the dictionary whose key it is)."""
    if model is None or key not in model.__table__.c:
        return None, None
    return target_of(model, key), trait_of(column_of(model, key)).dictionary


def _names(viewer: Viewer, db: Session, model: type[Base], ids: Collection[int]) -> dict[int, str]:
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
