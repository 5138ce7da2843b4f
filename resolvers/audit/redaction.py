"""Redaction of the operation log: which records of entries a viewer sees, and which fields in each of them.

SQL conditions under policy, and one statement that evaluates them for a few records.  The current state of a record
decides.  Entries about a purged record are visible, but every field that the policy hides in some records stays hidden
in them, because the facts that would decide are gone.  So it is with a record that became part of another one, for who
sees that one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import and_, case, false, func, inspect, null, or_, select, true
from sqlalchemy.orm import Session

from models import ENTITIES, AuditEntry, Base, Part
from models.attachment import FIELD, with_files
from models.base import columns, is_customised
from models.custom_field import PREFIX, is_custom
from policies.objects import LISTED, field_name
from policies.rows import Rows, WithParent

from ..runtime.merged_records import merges
from ..runtime.viewer import UNGUARDED, Clause, Value, Viewer


def is_visible(viewer: Viewer, e: Any) -> Clause:
    """Condition: the viewer may see the record of entry `e`; for statements over many entries."""
    return or_(e.record_id.is_(None), *(and_(e.entity == m.__tablename__, _is_seen(viewer, m, e)) for m in ENTITIES))


def redacted_text(viewer: Viewer, e: Any, key: str) -> Value:
    """The label or the reason of an entry; NULL where it would reveal a hidden record or a hidden name."""
    return case((text_is_visible(viewer, e, key), viewer.value(AuditEntry, e, key)), else_=null())


def text_is_visible(viewer: Viewer, e: Any, key: str) -> Clause:
    """Condition: the label or the reason of an entry reveals no hidden record and no hidden name."""
    hidden = _hidden_labels(viewer, e) if key == "label" else ()
    return and_(is_visible(viewer, e), *(~clause for clause in hidden))


def change_is_visible(viewer: Viewer, e: Any, name: Value) -> Iterator[Clause]:
    """Conditions under which a change of the field `name` is visible; all of them must hold."""
    yield is_visible(viewer, e)
    whole = viewer.guard(AuditEntry, "changes", e)
    if whole is not None:
        yield whole
    for model in ENTITIES:
        names = names_in(viewer, model)
        for key in names:
            hidden = _is_hidden_in(viewer, model, key, e)
            if hidden is not None:
                yield ~and_(e.entity == model.__tablename__, name == key, hidden)
        if is_customised(model):
            customs = [key for key in names if is_custom(key)]
            is_unknown = and_(func.substr(name, 1, len(PREFIX)) == PREFIX, name.not_in(customs))
            yield ~and_(e.entity == model.__tablename__, is_unknown)


def label_is_visible(viewer: Viewer, e: Any) -> Clause:
    """Condition: the viewer may see the label of entry `e`, evaluated row by row: for a search among many entries."""
    by_entity = {model.__tablename__: _is_label_visible(viewer, model, e) for model in ENTITIES}
    return or_(e.record_id.is_(None), case(by_entity, value=e.entity, else_=false()))


# --- few records -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visibility:
    """Whether the viewer sees the record of an entry, and the names of the changes that are hidden from them."""

    seen: bool
    hidden: Collection[str]


class Names(frozenset[str]):
    """Names of hidden changes.  A custom field of which nothing is known is among them: nobody can say who may see it."""

    known: frozenset[str]
    """The custom fields that are known."""

    def __new__(cls, known: frozenset[str], names: Iterable[str]) -> "Names":
        made = super().__new__(cls, names)
        made.known = known
        return made

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and is_custom(name) and name not in self.known)


class Visibilities:
    """The visibility of the records that a few entries are about.  Reads at creation: one statement per entity."""

    def __init__(self, viewer: Viewer, db: Session, records: Mapping[type[Base], Collection[int]]) -> None:
        self._found: dict[tuple[type[Base], int], Visibility] = {}
        self._guarded: dict[type[Base], Collection[str]] = {}
        for model, ids in records.items():
            source, row = few(model)
            guards = guards_of(viewer, model, row)
            names = names_in(viewer, model)
            known = frozenset(key for key in names if is_custom(key))
            self._guarded[model] = Names(known, (x for x, word in names.items() if hides(viewer, model, word)))
            into = _merged_into(db, model, ids)
            whole = {*ids, *into.values()} - into.keys()
            flags = [viewer.rows(model, row).label("seen"), *(g.label(f"g{n}") for n, g in enumerate(guards.values()))]
            asked = select(row.id, *flags).select_from(source).where(row.id.in_(sorted(whole)))
            for id, seen, *shown in db.execute(asked.execution_options(policy=True)) if whole else ():
                hidden = Names(known, (key for key, is_shown in zip(guards, shown, strict=True) if not is_shown))
                self._found[model, id] = Visibility(bool(seen), hidden)
            for id, winner in into.items():
                is_seen = (model, winner) in self._found and self._found[model, winner].seen
                self._found[model, id] = Visibility(is_seen, self._guarded[model])

    def is_there(self, model: type[Base], id: int) -> bool:
        """Whether the record exists and the viewer sees it."""
        return (model, id) in self._found and self._found[model, id].seen

    def of(self, model: type[Base] | None, id: int | None) -> Visibility:
        """The visibility of the record of an entry; `model` is None for an entry that is not about an entity."""
        if model is None:
            return Visibility(id is None, ())
        purged = Visibility(seen=True, hidden=self._guarded[model])  # its owner and pool are not known any more
        return purged if id is None else self._found.get((model, id), purged)


@cache
def names_of(model: type[Base]) -> Mapping[str, str]:
    """Name in the log -> field name in policy lines: column keys, and the logged names of parts (`phone`)."""
    names = {column.key: field_name(column.key) for column in columns(model) if column.key not in UNGUARDED}
    for relation in inspect(model).relationships:
        part = relation.mapper.class_
        if relation.uselist and issubclass(part, Part):
            names |= dict.fromkeys(_logged_as(part), LISTED[part])
    return names | {FIELD: FIELD} if model.__tablename__ in with_files() else names


def names_in(viewer: Viewer, model: type[Base]) -> Mapping[str, str]:
    """The same with the custom fields, retired ones included, which the log calls as policy lines do."""
    customs = viewer.policy.book.all_of(model.module) if is_customised(model) else ()
    return {**names_of(model), **{x.word: x.word for x in customs}} if customs else names_of(model)


def label_of(model: type[Base]) -> str:
    """The key of the column whose value is the label of an entry."""
    return str(getattr(model, "named_by", "id"))


def guards_of(viewer: Viewer, model: type[Base], e: Any) -> dict[str, Clause]:
    """Name in the log -> condition on a visible record `e` under which changes of that field are visible.

    A name without a condition is visible to every viewer who sees the record.
    """
    found = {key: viewer.guard(model, word, e) for key, word in names_in(viewer, model).items()}
    return {key: guard for key, guard in found.items() if guard is not None}


def hides(viewer: Viewer, model: type[Base], word: str) -> bool:
    """Whether the policy hides this field from the viewer in some records."""
    return viewer.policy.may_hide(viewer.person, model, word)


@cache
def few(model: type[Base]) -> tuple[Any, Any]:
    """(row source of `model` for a statement about few records, its columns for policy conditions).

    Parent records are joined to it, so the policy tests those few parents instead of listing all visible ones.  It is
    expensive to make and safe to share, because nothing is correlated to it.
    """
    table = model.__table__.alias(f"few_{model.__tablename__}")
    if not model.visible_through:
        return table, table.c
    relation = inspect(model).relationships[model.visible_through]
    ((mine, _),) = relation.local_remote_pairs or ()
    if mine.nullable:
        return table, table.c
    whole: type[Base] = relation.mapper.class_
    source, above = few(whole)
    beside = table.join(source, above.id == table.c[str(mine.key)])
    return beside, WithParent(table.c, Rows(whole, above))


def _logged_as(part: type[Part]) -> list[str]:
    """The names of a kind of part in the log: `phone`, `email` …"""
    kind: Any = part.__table__.c.get("kind")
    return [part.__tablename__] if kind is None else [str(word).lower() for word in kind.type.enums]


# --- steps -----------------------------------------------------------------------------------------------


def _merged_into(db: Session, model: type[Base], ids: Collection[int]) -> dict[int, int]:
    """Record -> the one that it became part of."""
    if not (ids and merges(model)):
        return {}
    c: Any = model.__table__.c
    asked = select(c.id, c.merged_into_id).where(c.id.in_(sorted(ids)), c.merged_into_id.is_not(None))
    return {row.id: row.merged_into_id for row in db.execute(asked.execution_options(policy=True))}


def _is_seen(viewer: Viewer, model: type[Base], e: Any) -> Clause:
    seen, there = model.__table__.alias(), model.__table__.alias()
    visible = select(seen.c.id).where(viewer.rows(model, seen.c)).execution_options(policy=True)
    purged = e.record_id.not_in(select(there.c.id).execution_options(policy=True))
    if not merges(model):
        return or_(e.record_id.in_(visible), purged)
    gone, winner = model.__table__.alias(), model.__table__.alias()
    into = select(gone.c.id).join_from(gone, winner, winner.c.id == gone.c.merged_into_id)
    merged = into.where(viewer.rows(model, winner.c)).execution_options(policy=True)
    return or_(e.record_id.in_(visible.where(seen.c.merged_into_id.is_(None))), e.record_id.in_(merged), purged)


def _is_label_visible(viewer: Viewer, model: type[Base], e: Any) -> Clause:
    source, row = few(model)
    guard = guards_of(viewer, model, row).get(label_of(model))
    shown = viewer.rows(model, row) if guard is None else and_(viewer.rows(model, row), guard)
    asked = select(shown).select_from(source).where(row.id == e.record_id).execution_options(policy=True)
    asked = asked.correlate_except(source)
    word = names_of(model).get(label_of(model))
    purged = false() if word is not None and hides(viewer, model, word) else true()
    if not merges(model):
        return func.coalesce(asked.scalar_subquery(), purged)
    gone = model.__table__.alias()
    into = select(and_(viewer.rows(model, row), purged)).select_from(source).join(gone, gone.c.merged_into_id == row.id)
    merged = into.where(gone.c.id == e.record_id).execution_options(policy=True).correlate_except(source, gone)
    return func.coalesce(merged.scalar_subquery(), asked.scalar_subquery(), purged)


def _hidden_labels(viewer: Viewer, e: Any) -> Iterator[Clause]:
    """Conditions, each true for entries whose label is a value that the viewer may not see in the record."""
    for model in ENTITIES:
        hidden = _is_hidden_in(viewer, model, label_of(model), e)
        if hidden is not None:
            yield and_(e.entity == model.__tablename__, hidden)


def _is_hidden_in(viewer: Viewer, model: type[Base], key: str, e: Any) -> Clause | None:
    """Condition: a field is hidden in the record of entry `e`; None when no record hides it."""
    word = names_in(viewer, model).get(key)
    if word is None:
        return None
    rows = model.__table__.alias()
    if (guard := viewer.guard(model, word, rows.c)) is not None:
        whole = rows.c.merged_into_id.is_(None) if merges(model) else true()
        hidden: Clause = e.record_id.not_in(select(rows.c.id).where(guard, whole).execution_options(policy=True))
        return hidden
    if not (merges(model) and hides(viewer, model, word)):
        return None
    merged: Clause = e.record_id.in_(
        select(rows.c.id).where(rows.c.merged_into_id.is_not(None)).execution_options(policy=True)
    )
    return merged
