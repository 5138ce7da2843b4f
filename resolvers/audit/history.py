"""History of a record and pages of the operation log, redacted for the caller, with labels for keys; newest first.

The number of statements does not grow with the page: one for the entries, one per entity for what is hidden in them, one
per entity that they refer to, one for dictionary words.  All run under the read guard; `redaction.py` has the rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import and_, func, literal, select
from sqlalchemy.orm import Session

from models import AuditEntry, Base, Entity
from models.actions import actor_in_words
from models.audit.entries import Outcome
from models.audit.proof import ERASED
from models.errors import NotFound
from policies.objects import field_name

from ..reading.pages import LARGEST_PAGE
from ..reading.search import by_customer
from ..runtime.ids import LARGEST_ID, global_id
from ..runtime.merged_records import merged_ids
from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value, Viewer
from . import redaction
from .log_filter import FOLD, MODELS, UnindexedKey, clauses_of, first_of_fold, is_narrow, storable_id
from .log_filter import Wanted as Wanted
from .value_names import RawChange, ValueNames


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
    changes; in other entries the changes of hidden fields are left out.  `others` is the number of entries of the same
    use case that a folded page leaves out.
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
    others: int = 0


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

    Entries about records that became part of it belong to it, like those of a purged record.

    Raises NotFound for a missing record and for a hidden one alike.
    """
    viewer, id = Viewer(scope.person, scope.policy, scope.language, scope.sees_many), storable_id(id)
    source, row = redaction.few(model)
    seen = (
        select(row.id).select_from(source).where(row.id == id, viewer.rows(model, row)).execution_options(policy=True)
    )
    family = [id, *merged_ids(db, model, id)]
    is_about = _LOG.c.record_id == id if len(family) == 1 else _LOG.c.record_id.in_(family)
    about = [_LOG.c.entity == model.__tablename__, is_about, _LOG.c.outcome == Outcome.OK, literal(id).in_(seen)]
    page = _page(viewer, db, about, _LOG.c.id, before, after, size)
    # Read after the entries, so that rights are never older than the entries which they open.
    visibilities = redaction.Visibilities(viewer, db, {model: {id}})
    if not visibilities.is_there(model, id):
        raise NotFound(what=model.names, record_id=global_id(model, id) if id else None)
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
    viewer = Viewer(scope.person, scope.policy, scope.language, scope.sees_many)
    by = UnindexedKey(_LOG.c.id) if is_narrow(wanted) else _LOG.c.id
    named = by_customer(scope, db, wanted.text) if wanted.text else None
    shown = [viewer.rows(AuditEntry, _LOG.c), *clauses_of(viewer, wanted, _LOG.c, named)]
    heads = [first_of_fold(viewer, wanted, _LOG.c, named)] if wanted.folded else []
    page = _page(viewer, db, [*shown, *heads], by, before, after, size)
    pages = _redacted(viewer, db, redaction.Visibilities(viewer, db, _records(page[0])), *page)
    return _with_others(db, pages, shown) if wanted.folded else pages


def found_ids(scope: Scope, db: Session, wanted: Wanted, *, size: int) -> Iterator[list[int]]:
    """The ids of all wanted entries that the policy lets the caller export, newest first, `size` at a time.

    Raises Forbidden, Validation.
    """
    scope.allow("export", AuditEntry.module)
    viewer, before = Viewer(scope.person, scope.policy, scope.language, scope.sees_many), LARGEST_ID
    by = UnindexedKey(_LOG.c.id) if is_narrow(wanted) else _LOG.c.id
    named = by_customer(scope, db, wanted.text) if wanted.text else None
    shown = [_may_be_exported(viewer), *clauses_of(viewer, wanted, _LOG.c, named), *_whole(viewer)]
    heads = [first_of_fold(viewer, wanted, _LOG.c, named)] if wanted.folded else []
    while before:
        page = select(_LOG.c.id).where(*shown, *heads, _LOG.c.id < before).order_by(by.desc()).limit(size)
        ids = [*db.execute(page.execution_options(policy=True)).scalars()]
        yield ids
        before = ids[-1] if len(ids) == size else 0


def of_ids(scope: Scope, db: Session, ids: Sequence[int]) -> list[Entry]:
    """These entries, newest first, as far as the caller may see and export them; at most LARGEST_PAGE."""
    viewer = Viewer(scope.person, scope.policy, scope.language, scope.sees_many)
    page = _page(viewer, db, [_LOG.c.id.in_(ids), _may_be_exported(viewer)], _LOG.c.id, None, None, LARGEST_PAGE)
    return _redacted(viewer, db, redaction.Visibilities(viewer, db, _records(page[0])), *page).entries


def _may_be_exported(viewer: Viewer) -> Clause:
    return and_(viewer.rows(AuditEntry, _LOG.c), viewer.where("export", AuditEntry, _LOG.c))


def _with_others(db: Session, pages: Pages, shown: Sequence[Clause]) -> Pages:
    """The folded page with the number of further entries of each use case."""
    keys, moments = [_LOG.c[key] for key in FOLD], {entry.at for entry in pages.entries}
    sizes = select(*keys, func.count()).where(_LOG.c.at.in_(sorted(moments)), *shown).group_by(*keys)
    size_of = {tuple(key): size for *key, size in db.execute(sizes.execution_options(policy=True))}
    return replace(
        pages,
        entries=[replace(x, others=size_of.get((x.batch_id, x.action, x.at), 1) - 1) for x in pages.entries],
    )


# --- which entries ---------------------------------------------------------------------------------------

_LOG, _SHOWN = AuditEntry.__table__.alias(), AuditEntry.__table__.alias()
_Page = tuple[Sequence[Any], int | None, int | None]
"""(rows, newest first; id to page to newer entries; id to page to older ones)."""
_ALWAYS = ("at", "actor_name", "door", "action", "entity", "outcome", "batch_id")
"""Required columns: an entry is left out where the policy hides any of these."""
_OPTIONAL = ("actor_id", "record_id", "label", "reason", "changes")
"""Columns that may be empty, or that the policy may hide."""


def _page(
    viewer: Viewer, db: Session, clauses: Sequence[Clause], by: Value, before: int | None, after: int | None, size: int
) -> _Page:
    """The newest entries, those below `before`, or the nearest above `after`; `by` is the sort key of their id.

    An inner query finds and sorts ids alone, which indexes cover, because the entries are wide.
    """
    size, id = max(1, min(size, LARGEST_PAGE)), _LOG.c.id
    found = select(id).where(*clauses, *_whole(viewer))
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


def _whole(viewer: Viewer) -> list[Clause]:
    """The conditions under which the required columns of an entry are visible."""
    guards = (viewer.guard(AuditEntry, field_name(key), _LOG.c) for key in _ALWAYS)
    return [guard for guard in guards if guard is not None]


def _bound(id: int) -> int:
    return max(-1, min(id, LARGEST_ID))


# --- redaction -------------------------------------------------------------------------------------------


def _records(rows: Iterable[Any]) -> dict[type[Base], set[int]]:
    """Entity -> ids of the records that the entries are about."""
    found: dict[type[Base], set[int]] = {}
    for row in rows:
        if row.entity in MODELS:
            found.setdefault(MODELS[row.entity], set()).update(() if row.about is None else (row.about,))
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
    seen = [(row, visibilities.of(MODELS.get(row.entity), row.about)) for row in rows]
    shown = {row.id: [*_visible_changes(row, visibility)] for row, visibility in seen}
    names = ValueNames(viewer, db, chain.from_iterable(shown.values()))
    entries = [
        _entry(row, visibility, viewer.language, [_named(names, *raw) for raw in shown[row.id]])
        for row, visibility in seen
    ]
    return Pages(entries, newer, older)


def _visible_changes(row: Any, visibility: redaction.Visibility) -> Iterator[RawChange]:
    for key, (old, new) in (row.changes or {}).items() if visibility.seen else ():
        if key not in visibility.hidden and key != ERASED and old != new:
            yield MODELS.get(row.entity), key, old, new


def _named(names: ValueNames, model: type[Entity] | None, key: str, old: Any, new: Any) -> Change:
    return Change(key, old, new, names.of(model, key, old), names.of(model, key, new))


def _entry(row: Any, visibility: redaction.Visibility, language: str, changes: list[Change]) -> Entry:
    model = MODELS.get(row.entity)
    is_named = visibility.seen and (model is None or redaction.label_of(model) not in visibility.hidden)
    return Entry(
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        actor=actor_in_words(row.actor_name, language),
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
