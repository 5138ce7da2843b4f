"""Clean-up of bulk changes: what became of each record is forgotten long after their end."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import BulkChange, BulkItem
from models.bulk_change import KEPT

from ..jobs.kinds import Progress, Work
from ..runtime.scope import Scope

_ITEMS: Any = BulkItem.__table__


def expire(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete the next records of a bulk change that ended long ago, then the change itself."""
    old = select(BulkChange.id).where(BulkChange.ended_at <= scope.now() - KEPT).order_by(BulkChange.ended_at).limit(1)
    id = db.execute(old).scalar()
    if id is None:
        return Progress(work.position, more=False)
    some = select(_ITEMS.c.number).where(_ITEMS.c.change_id == id).order_by(_ITEMS.c.number).limit(work.size)
    numbers = [*db.execute(some).scalars()]
    db.execute(delete(_ITEMS).where(_ITEMS.c.change_id == id, _ITEMS.c.number.in_(numbers)))
    if len(numbers) < work.size:
        db.execute(delete(BulkChange).where(BulkChange.id == id))
    done = len(numbers) or 1
    return Progress(work.position + done, done=done)
