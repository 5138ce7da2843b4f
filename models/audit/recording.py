"""How changes reach the log: a flush records what it did to entities, and a use case what no column shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, Update, event, insert, inspect, select
from sqlalchemy.orm import ColumnProperty, InstanceState, QueryableAttribute, Session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.util import identity_key

from ..base import Base, Entity, Part, columns
from ..custom_field import PREFIX, Customised
from ..database.bypass import Because, bypass_policy
from ..database.prepared import Prepared
from ..database.sqlalchemy_internals import columns_set, former_values, keep_former_value
from .entries import SILENT, AuditEntry, Changes, Signature, entry
from .parts import changes_of_parts
from .proof import plain

CUSTOM = "custom"
"""The column that holds the values of custom fields."""
_Subject = tuple[str, int]
"""(entity, record id) under which a change is logged."""


@dataclass
class _Noted:
    """What became of one record since the last entries were written."""

    label: str | None
    changes: Changes = field(default_factory=dict)


_TABLE = cast("Table", AuditEntry.__table__)
_INSERT = Prepared(
    insert(_TABLE), [column.key for column in _TABLE.c if column.key != "id"], because=Because.WRITES_LOG
)


STAGED: list[Callable[[Session, Sequence[tuple[str, int, Changes]]], None]] = []
"""Called with (table, record id, changes) of all records whose entries have just been written."""


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _remember(model: type[Base], _key: str, attribute: QueryableAttribute[Any]) -> None:
    """Make every column of an entity know its former value, also when it is set before it was read."""
    if issubclass(model, Entity | Part) and isinstance(attribute.property, ColumnProperty):
        keep_former_value(attribute)


def record(session: Session, row: Entity, changes: Changes) -> None:
    """Note a change of `row` for `write_entries`.  It is the only way into the log for changes.

    Two changes of a record become one entry, from the first old value to the last new one.
    """
    _note(session, type(row), row.id, row.label, changes)


def _note(session: Session, model: type[Entity], id: int, label: str | None, changes: Changes) -> None:
    gathered: dict[_Subject, _Noted] = session.info.setdefault("noted", {})
    noted = gathered.setdefault((model.__tablename__, id), _Noted(label))
    for name, (old, new) in changes.items():
        noted.changes[name] = [noted.changes.get(name, [old])[0], new]


def record_new(session: Session, model: type[Entity], row: Mapping[str, Any], more: Changes | None = None) -> None:
    """Note a new record that was written without a flush; `more` are the values of its parts."""
    _note(session, model, row["id"], str(row[model.named_by]), changes_of_new(model, row) | (more or {}))


def changes_of_new(model: type[Entity], row: Mapping[str, Any]) -> Changes:
    """What the log says of a new record: its values that are not empty."""
    values = ((key, row.get(key)) for key in logged_columns(model))
    customs = {f"{PREFIX}{key}": [None, value] for key, value in (row.get(CUSTOM) or {}).items()}
    return {key: [None, plain(value)] for key, value in values if value is not None} | customs


def write_entries(session: Session) -> None:
    """Insert what `record` has gathered, in one statement."""
    gathered: dict[_Subject, _Noted] = session.info.pop("noted", {})
    if not gathered:
        return
    signature, now = _signature(session), session.info["now"]
    rows = [
        entry(signature, now, *subject, noted.changes, label=(noted.label or "")[:200] or None)
        for subject, noted in gathered.items()
    ]
    _INSERT.run_each(session.connection(), rows)
    for told in STAGED:
        told(session, [(*subject, noted.changes) for subject, noted in gathered.items()])


@contextmanager
def logged_as(session: Session, action: str) -> Iterator[None]:
    """Let the entries of all changes name `action`, whichever use cases make them: `customer.import`."""
    before = session.info.get(_LOGGED_AS)
    session.info[_LOGGED_AS] = action
    try:
        yield
    finally:
        session.info[_LOGGED_AS] = before


def action_logged(session: Session) -> str:
    """The action that the entries of changes name."""
    return session.info.get(_LOGGED_AS) or str(session.info["signature"].action)


def _signature(session: Session) -> Signature:
    signature: Signature = session.info["signature"]
    action = action_logged(session)
    return signature if action == signature.action else replace(signature, action=action)


_LOGGED_AS = "logged_as"


def log_now(session: Session, row: Entity, changes: Changes) -> None:
    """Write an entry about `row` for what no column shows, like a new password.  The caller passes no secret."""
    record(session, row, changes)
    write_entries(session)


def write_row(session: Session, row: dict[str, Any]) -> None:
    """Insert one `entry` about the policy, which is no record."""
    _INSERT.run_each(session.connection(), [row])


@event.listens_for(Session, "after_flush")
def _log_the_flush(session: Session, _context: object) -> None:
    touched = _touched(session)
    if not touched:
        return
    if "signature" not in session.info:
        raise RuntimeError("records may only change inside scope.write(action)")
    for row in touched:
        if isinstance(row, Entity) and (changes := _changes(session, row)):
            record(session, row, changes)
    parts = [row for row in touched if isinstance(row, Part)]
    for model, id, name, pair in changes_of_parts(session, parts):
        _note(session, model, id, _label(session, model, id), {name: pair})
    write_entries(session)


def _touched(session: Session) -> list[Entity | Part]:
    """What a flush writes: new rows in the order in which they were made, then the others in a fixed order."""
    old = sorted((*session.dirty, *session.deleted), key=lambda row: (type(row).__name__, inspect(row).identity or ()))
    rows = [*session.new, *old]
    return [row for row in rows if isinstance(row, Entity | Part)]


def _label(session: Session, model: type[Entity], id: int) -> str | None:
    """The label of a record, which need not be loaded."""
    noted: _Noted | None = session.info.get("noted", {}).get((model.__tablename__, id))
    if noted is not None:
        return noted.label
    loaded = session.identity_map.get(identity_key(model, id))
    if loaded is not None:
        return str(loaded.label)
    named = select(model.__table__.c[model.named_by]).where(model.__table__.c.id == id)
    return str(session.execute(named, execution_options=bypass_policy(Because.WRITES_LOG)).scalar())


def _changes(session: Session, row: Entity) -> Changes:
    """What a flush did to a row: every value of a new or a deleted one, else what has changed."""
    if row in session.new:
        return {key: [None, value] for key, value in _values(row)}
    if row in session.deleted:
        return {key: [value, None] for key, value in _values(row)}
    return dict(_changed(row))


@cache
def logged_columns(model: type[Entity]) -> list[str]:
    """The columns whose changes are logged, in the order of the table."""
    return [column.key for column in columns(model) if column.key not in SILENT]


def _values(row: Entity) -> Iterator[tuple[str, Any]]:
    """The loaded values of the logged columns that are not empty."""
    unloaded = inspect(row).unloaded
    for key in logged_columns(type(row)):
        if key not in unloaded and (value := plain(getattr(row, key))) is not None:
            yield key, value
    if isinstance(row, Customised) and CUSTOM not in unloaded:
        yield from ((f"{PREFIX}{key}", value) for key, value in (row.custom or {}).items())


def _changed(row: Entity) -> Iterator[tuple[str, list[Any]]]:
    state: InstanceState[Entity] = inspect(row)
    former = former_values(row)
    for key in [key for key in logged_columns(type(row)) if key in former and key in state.dict]:
        history = get_history(row, key)
        old, new = (plain(next(iter(side or ()), None)) for side in (history.deleted, history.added))
        if history.has_changes() and old != new:
            yield key, [old, new]
    if CUSTOM in former and CUSTOM in state.dict:
        history = get_history(row, CUSTOM)
        yield from changes_of_customs(*(next(iter(side or ()), None) for side in (history.deleted, history.added)))


def changes_of_customs(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[tuple[str, list[Any]]]:
    """One change for each custom field, because each has rights and a history of its own."""
    before, after = old or {}, new or {}
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield f"{PREFIX}{key}", [before.get(key), after.get(key)]


def guarded_update(
    session: Session, statement: Update, model: type[Entity], before: Mapping[int, Mapping[str, Any]]
) -> list[int]:
    """Run an UPDATE of an entity for hot and bulk paths, and log it.  Returns the ids of the changed rows.

    `statement` carries its own guards and its policy clause.  `before` has the old values of the columns that it sets,
    by id.  Raises RuntimeError for a row without old values.
    """
    table = model.__table__
    fields = [table.c[key] for key in columns_set(statement) if key not in SILENT]
    returned = statement.returning(table.c.id, table.c[model.named_by].label("label"), *fields)
    rows = session.execute(returned, execution_options=bypass_policy(Because.WRITES_LOG)).all()
    for id, label, *values in rows:
        pairs = {c.key: [_old(before, model, id, c.key), plain(v)] for c, v in zip(fields, values, strict=True)}
        if CUSTOM in pairs:
            pairs |= changes_of_customs(*pairs.pop(CUSTOM))
        if changed := {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}:
            _note(session, model, id, str(label), changed)
    write_entries(session)
    return [row.id for row in rows]


def _old(before: Mapping[int, Mapping[str, Any]], model: type[Entity], id: int, key: str) -> Any:
    try:
        return plain(before[id][key])
    except KeyError:
        raise RuntimeError(f"guarded_update: the old {key} of {model.__tablename__} {id} was not given") from None
