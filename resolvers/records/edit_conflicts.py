"""Two people who edit one record at once: different fields merge, the same field is a conflict.

What has changed since a version is read from the operation log; no table keeps former states.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby, takewhile
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models import AuditEntry, Entity, Part
from models.audit.entries import BYPASS_POLICY, Changes, Outcome, plain
from models.base import columns, trait_of
from models.errors import Conflict

from ..runtime.ids import camel, global_id

MOST_VERSIONS = 200
"""How far an edit may lag behind; for an older one every field counts as changed."""


class Line(NamedTuple):
    """What merging needs of an entry in the operation log."""

    batch_id: str
    action: str
    changes: Changes


def check_version(db: Session, row: Entity, given: Mapping[str, Any], version: int | None) -> None:
    """Raise Conflict where an edit made on `version` would overwrite what the same field was changed to since.

    The row must be locked, so that the log holds all that led to it, and every given field one that the person may
    see: its value is told.  An edit of the newest state costs nothing.
    """
    if version is None or version == row.version:
        return
    both = {key: _held_and_given(db, row, key, value) for key, value in given.items()}
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
    """The fields, as the log names them, that changed in the last `versions` versions; None if the log ends before.

    `lines` are a record's, newest first, and name no version.  But whatever changes columns raises the version at
    least once for each line it writes, and an edit that changes only parts raises it too: so that many lines reach
    back far enough.  They reach too far where a version has left no line; that only means more conflicts.
    """
    own = {column.key for column in columns(model)}
    found: set[str] = set()
    lived = takewhile(lambda line: not _is_birth(model, line.changes), lines)
    for _, batch in groupby(lived, attrgetter("batch_id")):
        if versions <= 0:
            break
        told = list(batch)
        found.update(*(line.changes for line in told))
        raised = sum(not own.isdisjoint(line.changes) for line in told)
        versions -= max(raised, any(line.action == f"{model.module}.edit" for line in told))
    return found if versions <= 0 else None


def _changed_since(db: Session, row: Entity, version: int) -> set[str] | None:
    """The fields that were changed since `version`; None when nobody knows."""
    if (versions := row.version - version) > MOST_VERSIONS:
        return None
    newest = select(AuditEntry.batch_id, AuditEntry.action, AuditEntry.changes).order_by(AuditEntry.id.desc())
    mine = newest.where(AuditEntry.entity == row.__tablename__, AuditEntry.record_id == row.id)
    done = mine.where(AuditEntry.outcome == Outcome.OK).limit(3 * versions + 20)  # passwords and tokens raise none
    lines = db.execute(done, execution_options=BYPASS_POLICY)
    return fields_changed(type(row), (Line(*line) for line in lines), versions)


def _is_birth(model: type[Entity], changes: Changes) -> bool:
    """Whether these are the first values of a record: a column that is never NULL had none before."""
    needed = {column.key for column in columns(model) if not column.nullable}
    return any(changes[key][0] is None and changes[key][1] is not None for key in needed & changes.keys())


def _is_in(changed: set[str], model: type[Entity], key: str) -> bool:
    """Whether a field is among those changed.  Parts are logged under their kinds: whatever is no column."""
    own = {column.key for column in columns(model)}
    return key in changed if key in own else not changed <= own


def _held_and_given(db: Session, row: Entity, key: str, value: Any) -> tuple[Any, Any]:
    """What a field holds and what it is to hold, as JSON; of parts what people give of them, in order."""
    relation = inspect(type(row)).relationships.get(key)
    if relation is None:
        return plain(getattr(row, key)), plain(value)
    part: type[Part] = relation.mapper.class_
    said = [c for c in columns(part) if not (c.primary_key or c.foreign_keys or trait_of(c).system_managed)]
    mine = select(*said).where(part.__table__.c[f"{part.part_of}_id"] == row.id).order_by(*(relation.order_by or ()))
    return _listed(db.execute(mine, execution_options=BYPASS_POLICY).mappings()), _listed(value or ())


def _listed(parts: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    return [{str(key): plain(value) for key, value in part.items()} for part in parts]
