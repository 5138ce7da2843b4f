"""Concurrent edits of one record: different fields merge, the same field is a conflict.

The fields changed since a version are read from the operation log; no table keeps former states.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby, takewhile
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models import AuditEntry, Entity, Part
from models.audit.entries import Changes, Outcome, plain
from models.base import columns, trait_of
from models.custom_field import PREFIX, is_custom
from models.database.bypass import Because, bypass_policy
from models.errors import Conflict

from ..runtime.ids import camel, global_id
from .custom_values import COLUMN

MOST_VERSIONS = 200
"""Maximum number of versions that an edit may lag behind; for an older one every field counts as changed."""


class Line(NamedTuple):
    """The columns of an entry in the operation log that merging needs."""

    batch_id: str
    action: str
    changes: Changes


def check_version(db: Session, row: Entity, given: Mapping[str, Any], version: int | None) -> None:
    """Raise Conflict, with both values, where an edit of `version` would overwrite a later change of the same field.

    Fields that mean one thing together count as the same.
    The row must be locked, so that the log is complete up to it.  The caller must be allowed to see every given field,
    because the conflict names its value.  An edit of the newest version costs nothing.
    """
    if version is None or version == row.version:
        return
    both = {key: _current_and_given(db, row, key, value) for key, value in given.items()}
    if version < row.version:
        both = {key: pair for key, pair in both.items() if pair[0] != pair[1]}
        changed = _changed_since(db, row, version) if both else set()
        both = {key: pair for key, pair in both.items() if changed is None or _is_in(changed, type(row), key)}
        if not both:
            return
    current, wanted = ({camel(key): pair[side] for key, pair in both.items()} for side in (0, 1))
    where: dict[str, Any] = {"field": "version", "record_id": global_id(type(row), row.id)}
    raise Conflict(label=row.label, version=row.version, current=current, given=wanted, **where)


def fields_changed(model: type[Entity], lines: Iterable[Line], versions: int) -> set[str] | None:
    """The fields, by their names in the log, that changed in the last `versions` versions; None if the log ends before.

    `lines` are those of one record, newest first; a line names no version.  But a change of columns raises the version
    at least once per line, and an edit of parts alone raises it too, so `versions` lines reach back far enough.  They
    reach too far where a version has no line; that only means more conflicts.
    """
    own = {column.key for column in columns(model)}

    def raises_version(key: str) -> bool:
        return key in own or is_custom(key)

    found: set[str] = set()
    since_creation = takewhile(lambda line: not _is_creation(model, line.changes), lines)
    for _, batch in groupby(since_creation, attrgetter("batch_id")):
        if versions <= 0:
            break
        together = list(batch)
        found.update(*(line.changes for line in together))
        raised = sum(any(map(raises_version, line.changes)) for line in together)
        versions -= max(raised, any(line.action == f"{model.module}.edit" for line in together))
    return found if versions <= 0 else None


def _changed_since(db: Session, row: Entity, version: int) -> set[str] | None:
    """The fields that were changed since `version`; None when the log does not say."""
    if (versions := row.version - version) > MOST_VERSIONS:
        return None
    newest = select(AuditEntry.batch_id, AuditEntry.action, AuditEntry.changes).order_by(AuditEntry.id.desc())
    mine = newest.where(AuditEntry.entity == row.__tablename__, AuditEntry.record_id == row.id)
    done = mine.where(AuditEntry.outcome == Outcome.OK).limit(3 * versions + 20)  # passwords and tokens raise none
    lines = db.execute(done, execution_options=bypass_policy(Because.FOLLOWS_CHECK))
    return fields_changed(type(row), (Line(*line) for line in lines), versions)


def _is_creation(model: type[Entity], changes: Changes) -> bool:
    """Whether these are the first values of a record: a column that is never NULL had no value before."""
    needed = {column.key for column in columns(model) if not column.nullable}
    return any(changes[key][0] is None and changes[key][1] is not None for key in needed & changes.keys())


def _is_in(changed: set[str], model: type[Entity], key: str) -> bool:
    """Whether a field, or one that it means something with, is among those changed.

    Parts are logged under names that are no columns (`phone`).
    """
    own = {column.key for column in columns(model)}
    if key in own:
        return not changed.isdisjoint(model.with_partners([key]))
    return key in changed if is_custom(key) else any(name not in own and not is_custom(name) for name in changed)


def _current_and_given(db: Session, row: Entity, key: str, value: Any) -> tuple[Any, Any]:
    """(current value of a field, given value) as JSON; of parts the columns that users set, in order."""
    if is_custom(key):
        return (getattr(row, COLUMN) or {}).get(key.removeprefix(PREFIX)), value
    relation = inspect(type(row)).relationships.get(key)
    if relation is None:
        return plain(getattr(row, key)), plain(value)
    part: type[Part] = relation.mapper.class_
    settable = [c for c in columns(part) if not (c.primary_key or c.foreign_keys or trait_of(c).system_managed)]
    mine = select(*settable).where(part.__table__.c[f"{part.part_of}_id"] == row.id)
    mine = mine.order_by(*(relation.order_by or ()))
    return _listed(db.execute(mine, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).mappings()), _listed(
        value or ()
    )


def _listed(parts: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    return [{str(key): plain(value) for key, value in part.items()} for part in parts]
