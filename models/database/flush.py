"""The fast path of a flush: one UPDATE for each changed record.

Most use cases change some columns of existing records.  The unit of work of SQLAlchemy first sorts out dependencies,
which takes longer than everything else and finds none here.  The fast path writes each record by one UPDATE with its
version in the WHERE clause.  It calls the same listeners as any flush: the write guard before, the log and the search
index after.  For any other change `flush_changes` does nothing, and the unit of work does all of it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, inspect, update
from sqlalchemy.orm import InstanceState, Session
from sqlalchemy.orm.exc import StaleDataError

from ..base import Entity
from .bypass import Because
from .prepared import Prepared
from .sqlalchemy_internals import former_values, mark_flushed, notify_after_flush, notify_before_flush

State = InstanceState[Entity]


def flush_changes(session: Session) -> bool:
    """Whether the fast path applied and all changes are written.  False when nothing was done.

    Raises StaleDataError for a record that has another version in the database.
    """
    if session.new or session.deleted:
        return False
    if not _are_plain(session.dirty):
        return False
    notify_before_flush(session)
    states = [inspect(row) for row in session.dirty]  # after the write guard, which sets updated_at
    connection = session.connection()
    for state in sorted(states, key=lambda state: (state.class_.__name__, state.identity or ())):
        _write(connection, state)
    notify_after_flush(session)
    mark_flushed(session, states)
    return True


def _are_plain(rows: Iterable[object]) -> bool:
    """Whether only columns of entities have changed, and no relation or key."""
    for row in rows:
        if not isinstance(row, Entity):
            return False
        if not _columns(type(row)) >= former_values(row).keys():
            return False
    return True


@lru_cache
def _columns(model: type[Entity]) -> frozenset[str]:
    """The columns that the fast path writes: all but the key and the version."""
    return frozenset(column.key for column in inspect(model).column_attrs) - {"id", "version"}


def _write(connection: Any, state: State) -> None:
    row: Any = state.obj()
    changed = {key: row.__dict__[key] for key, old in former_values(row).items() if row.__dict__[key] != old}
    if not changed:
        return
    changed["version"] = row.version + 1
    statement = _updating(state.class_, tuple(sorted(changed)))
    if statement.run(connection, **changed, that_id=row.id, that_version=row.version) != 1:
        raise StaleDataError(f"{state.class_.__tablename__} {row.id} has another version by now")
    row.__dict__["version"] += 1


@lru_cache(maxsize=512)
def _updating(model: type[Entity], keys: tuple[str, ...]) -> Prepared:
    table: Any = model.__table__
    that = update(table).where(table.c.id == bindparam("that_id"), table.c.version == bindparam("that_version"))
    return Prepared(that, keys, because=Because.FOLLOWS_CHECK)
