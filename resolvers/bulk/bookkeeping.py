"""Rows of bulk changes and of their records: begun, laid down, dealt with, logged."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from models import BulkChange, BulkItem
from models.audit.entries import Changes, entry
from models.audit.recording import write_row
from models.bulk_change import BULK_CHANGE, BulkKind, BulkState, ItemState
from models.database.prepared import Prepared

from ..notices.notify import Fact, notify_each
from ..runtime.scope import Scope
from ..runtime.stored_refusals import stored_refusal
from .judging import Became

ACTION = "user.bulk_changes"
JOB = "change_in_bulk"
"""The kind of jobs that carries bulk changes out."""
_ITEMS: Any = BulkItem.__table__
_ADD = Prepared(insert(_ITEMS), ["change_id", "number", "entity", "record_id", "state"])
_NOTE = Prepared(
    update(_ITEMS).where(_ITEMS.c.change_id == bindparam("of"), _ITEMS.c.number == bindparam("at")),
    ["state", "problem"],
)


def new_change(scope: Scope, **values: Any) -> BulkChange:
    """A bulk change that is about to be found."""
    batch_id, now = secrets.token_hex(8), scope.now()
    return BulkChange(owner_id=scope.me, batch_id=batch_id, state=BulkState.FINDING, created_at=now, **values)


def start(scope: Scope, row: BulkChange) -> None:
    """Let a job carry it out.  Those of one user run one after the other."""
    options = {"order_key": f"bulk:{row.owner_id}", "total": row.total}
    row.job_id = scope.later(JOB, {"change": row.id}, **options)


def lay_down(db: Session, change: BulkChange, records: Sequence[tuple[str, int]], first: int) -> None:
    """Add records, given as (name of the model, id), with numbers from `first` on."""
    rows = [
        {"change_id": change.id, "number": first + place, "entity": entity, "record_id": id, "state": ItemState.OPEN}
        for place, (entity, id) in enumerate(records)
    ]
    _ADD.run_each(db.connection(), rows)


def next_items(db: Session, id: int, size: int) -> list[Any]:
    """The next records that are not dealt with: number, entity, record_id."""
    i = _ITEMS.c
    asked = select(i.number, i.entity, i.record_id).where(i.change_id == id, i.state == ItemState.OPEN)
    return [*db.execute(asked.order_by(i.number).limit(size))]


def note(db: Session, id: int, became: Sequence[tuple[int, Became]]) -> None:
    """Write down what has become of records, given as (number, what)."""
    rows = [
        {"of": id, "at": number, "state": each.state, "problem": stored_refusal(each.refusal) if each.refusal else None}
        for number, each in became
    ]
    if rows:
        _NOTE.run_each(db.connection(), rows)


def log(scope: Scope, db: Session, row: BulkChange, changes: Changes) -> None:
    """Log what became of a bulk change.  The entry is about no record, so that readers of the log alone see it."""
    label = (row.said or BULK_CHANGE.one)[:200]
    write_row(db, entry(db.info["signature"], scope.now(), BulkChange.__tablename__, None, changes, label=label))


def tell_maker(scope: Scope, db: Session, row: BulkChange) -> None:
    """Tell the maker of a bulk change, or of an undoing, what it came to; and who had it tried again."""
    asked = select(_ITEMS.c.state, func.count()).where(_ITEMS.c.change_id == row.id).group_by(_ITEMS.c.state)
    of = {ItemState(state): number for state, number in db.execute(asked)}
    refused = of.get(ItemState.REFUSED, 0)
    about = (BulkChange.__tablename__, row.id)
    facts: dict[str, Fact] = {"changed": of.get(ItemState.DONE, 0), "same": of.get(ItemState.SAME, 0)}
    if row.kind is BulkKind.UNDO:
        facts = {"undone": of.get(ItemState.DONE, 0), "kept": of.get(ItemState.KEPT, 0)}
    kind = "undo_ended" if row.kind is BulkKind.UNDO else "bulk_ended"
    told = dict.fromkeys((row.owner_id, scope.me))
    with scope.write(ACTION):
        notify_each(scope, db, kind, [(id, about, {**facts, "refused": refused}) for id in told])


def laid(db: Session, id: int) -> int:
    """How many records of a change are laid down."""
    asked = select(func.count()).where(_ITEMS.c.change_id == id)
    return int(db.execute(asked).scalar_one())
