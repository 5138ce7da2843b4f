"""What the operation log tells its reader: the records that he sees, and in each the fields that he may see.

Clauses under policy, like those of `clauses.py`, and one statement that asks them of a few records.  A record is judged as
it is now.  One that was purged is nobody's secret any more; what some line hides in some records stays hidden in it,
since nobody can tell any more which of them it was.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import and_, case, false, func, inspect, null, or_, select, true
from sqlalchemy.orm import Session

from models import ENTITIES, AuditEntry, Base, Part
from models.base import columns
from policies.objects import LISTED, field_name
from policies.rows import Hanging, Rows

from ..runtime.viewer import UNGUARDED, Clause, Value, Viewer


def is_visible(viewer: Viewer, e: Any) -> Clause:
    """Whether the record of an entry may be seen; for statements that tell of many entries."""
    return or_(e.record_id.is_(None), *(and_(e.entity == m.__tablename__, _is_seen(viewer, m, e)) for m in ENTITIES))


def said(viewer: Viewer, e: Any, key: str) -> Value:
    """The label or the reason of an entry, NULL where it would tell of a record out of sight or by a hidden name."""
    secret = _unnamed(viewer, e) if key == "label" else ()
    shown = and_(is_visible(viewer, e), *(~clause for clause in secret))
    return case((shown, viewer.value(AuditEntry, e, key)), else_=null())


def change_is_visible(viewer: Viewer, e: Any, name: Value) -> Iterator[Clause]:
    """Clauses that let a change of the field `name` through, all together."""
    yield is_visible(viewer, e)
    whole = viewer.guard(AuditEntry, "changes", e)
    if whole is not None:
        yield whole
    for model in ENTITIES:
        for key in names_of(model):
            clear = _clear(viewer, model, key)
            if clear is not None:
                yield ~and_(e.entity == model.__tablename__, name == key, e.record_id.not_in(clear))


def named_in_sight(viewer: Viewer, e: Any) -> Clause:
    """Whether the label of an entry may be seen, asked of one entry after the other: for a search among many."""
    known = {model.__tablename__: _is_named(viewer, model, e) for model in ENTITIES}
    return or_(e.record_id.is_(None), case(known, value=e.entity, else_=false()))


# --- few records -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visibility:
    """Whether the record of an entry is seen, and the names in the log that are hidden in it."""

    seen: bool
    hidden: Collection[str]


class Visibilities:
    """What somebody sees of the records that a few entries are about: one statement per kind of record."""

    def __init__(self, viewer: Viewer, db: Session, records: Mapping[type[Base], Collection[int]]) -> None:
        self._found: dict[tuple[type[Base], int], Visibility] = {}
        self._guarded: dict[type[Base], Collection[str]] = {}
        for model, ids in records.items():
            source, row = few(model)
            guards = guards_of(viewer, model, row)
            self._guarded[model] = [x for x, word in names_of(model).items() if hides(viewer, model, word)]
            flags = [viewer.rows(model, row).label("seen"), *(g.label(f"g{n}") for n, g in enumerate(guards.values()))]
            asked = select(row.id, *flags).select_from(source).where(row.id.in_(sorted(ids)))
            for id, seen, *clear in db.execute(asked.execution_options(policy=True)) if ids else ():
                hidden = [key for key, is_clear in zip(guards, clear, strict=True) if not is_clear]
                self._found[model, id] = Visibility(bool(seen), hidden)

    def is_there(self, model: type[Base], id: int) -> bool:
        """Whether the record is there and seen."""
        return (model, id) in self._found and self._found[model, id].seen

    def of(self, model: type[Base] | None, id: int | None) -> Visibility:
        """What is seen of the record of an entry; `model` is None for what is no kind of record."""
        if model is None:
            return Visibility(id is None, ())
        purged = Visibility(seen=True, hidden=self._guarded[model])  # where it lay when it went nobody knows
        return purged if id is None else self._found.get((model, id), purged)


@cache
def names_of(model: type[Base]) -> Mapping[str, str]:
    """Name in the log -> field word: columns by their key, parts as they are logged by the list that they lie in."""
    names = {column.key: field_name(column.key) for column in columns(model) if column.key not in UNGUARDED}
    for relation in inspect(model).relationships:
        part = relation.mapper.class_
        if relation.uselist and issubclass(part, Part):
            names |= dict.fromkeys(_logged_as(part), LISTED[part])
    return names


def label_of(model: type[Base]) -> str:
    """The column whose value is the label of an entry."""
    return str(getattr(model, "named_by", "id"))


def guards_of(viewer: Viewer, model: type[Base], e: Any) -> dict[str, Clause]:
    """Name in the log -> what must hold of a record `e` that is seen for changes of that field to be told.

    Names that are not in it are told to whoever sees the record.
    """
    found = {key: viewer.guard(model, word, e) for key, word in names_of(model).items()}
    return {key: guard for key, guard in found.items() if guard is not None}


def hides(viewer: Viewer, model: type[Base], word: str) -> bool:
    """Whether the policy hides this field in some records."""
    return viewer.policy.may_hide(viewer.person, model, word)


@cache
def few(model: type[Base]) -> tuple[Any, Any]:
    """A row source for a statement about few records, and its columns as the policy wants them.

    What a record hangs on stands beside it.  So the policy asks about those few wholes, not for all that are in reach.
    Dear to make and safe to share: nothing is correlated to it.
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
    return beside, Hanging(table.c, Rows(whole, above))


def _logged_as(part: type[Part]) -> list[str]:
    """The names under which parts stand in the log: `phone`, `email` …"""
    kind: Any = part.__table__.c.get("kind")
    return [part.__tablename__] if kind is None else [str(word).lower() for word in kind.type.enums]


# --- steps -----------------------------------------------------------------------------------------------


def _is_seen(viewer: Viewer, model: type[Base], e: Any) -> Clause:
    seen, there = model.__table__.alias(), model.__table__.alias()
    visible = select(seen.c.id).where(viewer.rows(model, seen.c)).execution_options(policy=True)
    return or_(e.record_id.in_(visible), e.record_id.not_in(select(there.c.id).execution_options(policy=True)))


def _is_named(viewer: Viewer, model: type[Base], e: Any) -> Clause:
    source, row = few(model)
    guard = guards_of(viewer, model, row).get(label_of(model))
    shown = viewer.rows(model, row) if guard is None else and_(viewer.rows(model, row), guard)
    asked = select(shown).select_from(source).where(row.id == e.record_id).execution_options(policy=True)
    asked = asked.correlate_except(source)
    word = names_of(model).get(label_of(model))
    purged = false() if word is not None and hides(viewer, model, word) else true()
    return func.coalesce(asked.scalar_subquery(), purged)


def _unnamed(viewer: Viewer, e: Any) -> Iterator[Clause]:
    """Clauses that are true for an entry whose label is a value that this reader may not see in this record."""
    for model in ENTITIES:
        clear = _clear(viewer, model, label_of(model))
        if clear is not None:
            yield and_(e.entity == model.__tablename__, e.record_id.not_in(clear))


def _clear(viewer: Viewer, model: type[Base], key: str) -> Any:
    """SELECT of the records in which a field is not hidden; None when it is hidden in none."""
    table, word = model.__table__, names_of(model).get(key)
    if word is None or viewer.guard(model, word, table.c) is None:
        return None
    rows = table.alias()
    guard: Any = viewer.guard(model, word, rows.c)
    return select(rows.c.id).where(guard).execution_options(policy=True)
