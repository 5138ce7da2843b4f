"""Clean-up of files: exports and unused uploads go when their time is over, and what is left of a lost process."""

from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Export, ImportBatch, Upload, upload
from models.export import ExportState

from ..jobs.kinds import Progress, Work
from ..runtime.kept_files import forget_removed, sweep_content
from ..runtime.scope import Scope
from .exports import delete_files

LISTED = timedelta(days=30)
"""How long an export stays in the list of its maker after its file is deleted."""
STRAY_SECONDS = 24 * 3600
"""Age of a file without an export after which it is deleted."""


def expire(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete the files of exports whose time is over, exports long after, and files that belong to none."""
    now = scope.now()
    is_over = (Export.expires_at <= now) & (Export.state != ExportState.EXPIRED)
    rows = db.execute(select(Export).where(is_over).order_by(Export.id).limit(work.size)).scalars().all()
    for row in rows:
        row.state, row.size = ExportState.EXPIRED, None
        delete_files(scope, row)
    old = select(Export.id).where(Export.state == ExportState.EXPIRED, Export.expires_at <= now - LISTED)
    ids = [*db.execute(old.limit(work.size)).scalars()]
    db.execute(delete(Export).where(Export.id.in_(ids)))
    done = len(rows) + len(ids) + _expire_uploads(scope, db, work.size)
    if not done:
        done = forget_removed(scope, db, work.size)
    if not done:
        _sweep(scope, db)
        sweep_content(scope, db)
    return Progress(work.position + done, done=done, more=done > 0)


def _expire_uploads(scope: Scope, db: Session, limit: int) -> int:
    """Delete files that were sent and not used for a day; returns how many."""
    old = select(Upload).where(Upload.created_at <= scope.now() - upload.KEPT).order_by(Upload.id).limit(limit)
    rows, files = db.execute(old).scalars().all(), scope.backend.files
    for row in rows:
        scope.after_commit(partial(files.delete_all, row.stored.partition(".")[0]))
        db.delete(row)
    return len(rows)


def _sweep(scope: Scope, db: Session) -> None:
    known, files = {*db.execute(select(Export.file)).scalars()}, scope.backend.files
    for stored in (ImportBatch.file, ImportBatch.returned, Upload.stored):
        known.update(name.partition(".")[0] for name in db.execute(select(stored)).scalars() if name)

    def swept() -> None:
        files.sweep(known.__contains__, STRAY_SECONDS)

    scope.after_commit(swept)
