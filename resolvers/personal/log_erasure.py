"""Erasing values from the operation log: entries lose their values and keep who, when, what and their hashes.

The entry of the erasure names the entries that it has blanked, so `audit verify` tells them from forged ones.  The
present values of the records stand in that entry or in one beside it, so the log still leads to the records as they are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import AuditEntry, Entity
from models.audit.entries import Changes, entry
from models.audit.parts import kinds_of_parts, stored_parts
from models.audit.proof import BLANK, ERASED, ERASING, plain
from models.audit.recording import CUSTOM, logged_columns, write_row
from models.custom_field import PREFIX
from models.database.bypass import Because, bypass_policy

from ..runtime.scope import Scope
from .needles import names

_LOG: Any = AuditEntry.__table__
Record = tuple[type[Entity], int]


def entries_about(
    db: Session, records: Iterable[Record], needles: Sequence[str], whole: Record
) -> dict[Record, list[int]]:
    """Record -> its entries to blank: all of `whole`, of the others those that name the person."""
    found: dict[Record, list[int]] = {}
    for model, id in records:
        about = select(_LOG.c.id, _LOG.c.changes, _LOG.c.label, _LOG.c.reason, _LOG.c.salt).where(
            _LOG.c.entity == model.__tablename__, _LOG.c.record_id == id
        )
        rows = db.execute(about.order_by(_LOG.c.id), execution_options=bypass_policy(Because.WRITES_LOG)).all()
        is_whole = (model, id) == whole
        ids = [row.id for row in rows if row.salt and (is_whole or names(needles, [*row[1:4]]))]
        if ids:
            found[model, id] = ids
    return found


def blank(db: Session, ids: Sequence[int]) -> list[int]:
    """Erase the values of entries; returns these, and what those among them that are erasures had blanked.

    The database lets through no other change of an entry.
    """
    asked = select(_LOG.c.changes).where(_LOG.c.id.in_(ids), _LOG.c.action.in_(ERASING))
    told = db.execute(asked, execution_options=bypass_policy(Because.WRITES_LOG)).scalars().all()
    former = {id for changes in told for id in changes.get(ERASED, [None, []])[1]}
    erased = update(_LOG).where(_LOG.c.id.in_(ids)).values(**BLANK)
    db.execute(erased, execution_options=bypass_policy(Because.WRITES_LOG))
    return sorted({*ids, *former})


def restate(scope: Scope, db: Session, record: Record, erased: Sequence[int]) -> None:
    """Log what a record holds now, and which entries were blanked."""
    model, id = record
    changes: Changes = {key: [value, value] for key, value in _held(db, model, id)}
    row = entry(db.info["signature"], scope.now(), model.__tablename__, id, changes | {ERASED: [None, [*erased]]})
    write_row(db, row)


def _held(db: Session, model: type[Entity], id: int) -> Iterable[tuple[str, Any]]:
    """(name in the log, present value) of all that the log knows of a record."""
    stored = select(model.__table__).where(model.__table__.c.id == id)
    row: Any = db.execute(stored, execution_options=bypass_policy(Because.WRITES_LOG)).mappings().one()
    yield from ((key, plain(row[key])) for key in logged_columns(model))
    if CUSTOM in row:
        yield from ((f"{PREFIX}{key}", value) for key, value in (row[CUSTOM] or {}).items())
    for part, fields in kinds_of_parts(model):
        held = {name: values for _, name, values in stored_parts(db.connection(), part, id, id)}
        yield from ((name, held.get(name)) for name in fields)
