"""What becomes of the files of records: they go with a record that is purged, and bytes with the last row that names them."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Attachment, Entity
from models.attachment import KEPT

from .scope import Scope

_FILES: Any = Attachment.__table__
STRAY_SECONDS = 24 * 3_600
"""How old bytes are that are deleted: younger ones may belong to a change that is not committed yet."""


def drop_files(db: Session, row: Entity) -> None:
    """Delete the files of a record that is purged; their bytes go with the last row that names them."""
    if row.has_files:
        with db.no_autoflush:  # the record and its parts are one entry of the log
            db.execute(delete(_FILES).where(_FILES.c.entity == type(row).__tablename__, _FILES.c.record_id == row.id))


def forget_removed(scope: Scope, db: Session, limit: int) -> int:
    """Delete the rows of files that were removed long ago; returns how many."""
    old = select(_FILES.c.id).where(_FILES.c.removed_at <= scope.now() - KEPT).order_by(_FILES.c.id).limit(limit)
    ids = [*db.execute(old).scalars()]
    db.execute(delete(_FILES).where(_FILES.c.id.in_(ids)))
    return len(ids)


def sweep_content(scope: Scope, db: Session) -> None:
    """Delete the bytes that no row names, once the change is durable."""
    known, files = {*db.execute(select(_FILES.c.hash).distinct()).scalars()}, scope.backend.files

    def swept() -> None:
        files.sweep_content(known.__contains__, STRAY_SECONDS)

    scope.after_commit(swept)
