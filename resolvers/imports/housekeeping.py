"""Clean-up of imports: rows and files of those that ended long ago are deleted; what is left says that they were."""

from typing import Any

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.import_batch import KEPT, ImportState

from ..jobs.kinds import Progress, Work
from ..runtime.scope import Scope
from .applying import counts
from .batches import ENDED
from .file_duplicates import KEYS_AT_ONCE, drop_keys

_ROWS: Any = ImportRow.__table__


def expire(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete the next rows of an import that ended long ago or was cancelled, and its file with the last of them.

    `job_id` of an import that is cleaned up is None: its job is deleted, too, by then.
    """
    b = ImportBatch
    is_left = (b.state == ImportState.CANCELLED) & exists().where(_ROWS.c.batch_id == b.id)
    is_over = b.state.in_(ENDED) & (b.ended_at <= scope.now() - KEPT) & b.returned.is_(None)
    over = select(b).where(or_(is_over, is_left), b.job_id.is_not(None))
    batch = db.execute(over.order_by(b.id).limit(1).with_for_update()).scalars().first()
    if batch is None:
        return Progress(work.position, more=False)
    if "counts" not in batch.options:
        batch.options = {**batch.options, "counts": {state.value: n for state, n in counts(db, batch).items()}}
    some = select(_ROWS.c.number).where(_ROWS.c.batch_id == batch.id).order_by(_ROWS.c.number).limit(work.size)
    numbers = [*db.execute(some).scalars()]
    db.execute(delete(_ROWS).where(_ROWS.c.batch_id == batch.id, _ROWS.c.number.in_(numbers)))
    drop_keys(db, batch, KEYS_AT_ONCE)
    if len(numbers) < work.size:
        drop_keys(db, batch)
        _let_go(scope, batch)
    done = len(numbers) or 1
    return Progress(work.position + done, done=done, more=True)


def _let_go(scope: Scope, batch: ImportBatch) -> None:
    """Delete the file, and the samples of its cells."""
    batch.overview = batch.job_id = None
    name, files = batch.file.partition(".")[0], scope.backend.files
    scope.after_commit(lambda: files.delete_all(name))
