"""The merges of a customer, as far as the caller may know of them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, MergeRecord, User
from models.base import Entity

from ..reading.clauses import value
from ..reading.pages import names_of
from ..runtime.batch import Note
from ..runtime.scope import Scope
from .moves import ENTITY_OF

_RECORD: Any = MergeRecord.__table__


@dataclass(frozen=True)
class PastMerge:
    """One merge: what became part of which customer, what moved, and what its undoing had to leave.

    `numbers` and `by` are empty where the caller may not see them.
    """

    id: int
    winner_id: int
    loser_ids: list[int]
    numbers: list[str]
    at: datetime
    by: str | None
    reason: str | None
    is_undone: bool
    may_undo: bool
    """Whether the caller may, and no later merge is in the way."""
    moved: dict[type[Entity], int]
    kept: list[Note]


def merges_of(scope: Scope, db: Session, winner_id: int) -> list[PastMerge]:
    """The merges into a customer that are not undone, the last one first; none of one that the caller does not see."""
    asked = select(_RECORD).where(_RECORD.c.winner_id == winner_id, _RECORD.c.undone_at.is_(None))
    return _seen(scope, db, winner_id, db.execute(asked.order_by(_RECORD.c.id.desc())).all())


def past_merge(scope: Scope, db: Session, merge_id: int) -> PastMerge | None:
    """One merge, undone or not; None where the caller does not see the customer that stayed."""
    row = db.execute(select(_RECORD).where(_RECORD.c.id == merge_id)).first()
    found = _seen(scope, db, row.winner_id, [row]) if row is not None else []
    return found[0] if found else None


def _seen(scope: Scope, db: Session, winner_id: int, rows: Any) -> list[PastMerge]:
    c: Any = Customer.__table__.alias().c
    may = scope.viewer.where("merge", Customer, c)
    number = value(scope.viewer, Customer, c, "number")
    asked = select(number, may).where(c.id == winner_id, c.deleted_at.is_(None), scope.viewer.rows(Customer, c))
    winner = db.execute(asked.execution_options(policy=True)).first()
    if winner is None:
        return []
    last = select(_RECORD.c.id).where(_RECORD.c.winner_id == winner_id, _RECORD.c.undone_at.is_(None))
    newest = db.execute(last.order_by(_RECORD.c.id.desc()).limit(1)).scalar()
    names = names_of(scope, db, User, sorted({row.by_id for row in rows if row.by_id is not None}))
    is_named = winner[0] is not None
    return [_past(db, row, names, is_named=is_named, may_undo=bool(winner[1]) and row.id == newest) for row in rows]


def _past(db: Session, row: Any, names: dict[int, str], *, is_named: bool, may_undo: bool) -> PastMerge:
    notes = row.changes["notes"]
    moved = Counter(table for kind, table, _id, what in notes if kind == "set" and "customer_id" in what)
    return PastMerge(
        row.id,
        row.winner_id,
        row.loser_ids,
        _numbers(db, row.loser_ids) if is_named else [],
        row.at,
        names.get(row.by_id),
        row.reason,
        row.undone_at is not None,
        may_undo,
        {model: moved[table] for table, model in ENTITY_OF.items() if moved[table]},
        [Note(*note) for note in row.changes.get("kept", ())],
    )


def _numbers(db: Session, ids: list[int]) -> list[str]:
    """The numbers of customers that became part of one whose number the caller sees."""
    c: Any = Customer.__table__.c
    asked = select(c.id, c.number).where(c.id.in_(ids))
    found = {row.id: row.number for row in db.execute(asked.execution_options(policy=True))}
    return [found[id] for id in ids if id in found]
