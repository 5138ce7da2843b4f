"""Clean-up of bulk changes: what became of each record is forgotten long after their end."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from models import BulkChange, BulkItem
from models.bulk_change import KEPT

from ..jobs.kinds import Progress, Work
from ..runtime.scope import Scope

_ITEMS: Any = BulkItem.__table__


def expire(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete the next records of a bulk change that ended or was left long ago, then the change itself."""
    id = db.execute(_old(scope.now() - KEPT)).scalar()
    if id is None:
        return Progress(work.position, more=False)
    some = select(_ITEMS.c.number).where(_ITEMS.c.change_id == id).order_by(_ITEMS.c.number).limit(work.size)
    numbers = [*db.execute(some).scalars()]
    db.execute(delete(_ITEMS).where(_ITEMS.c.change_id == id, _ITEMS.c.number.in_(numbers)))
    if len(numbers) < work.size:
        db.execute(delete(BulkChange).where(BulkChange.id == id))
    done = len(numbers) or 1
    return Progress(work.position + done, done=done)


def _old(at: datetime) -> Any:
    """One that ended before; one that was stopped or has failed, and never went on, counts from its beginning."""
    c = BulkChange
    is_left = and_(c.ended_at.is_(None), c.created_at <= at)
    return select(c.id).where(or_(c.ended_at <= at, is_left)).order_by(c.id).limit(1)
