"""Deletion of staged rows in parts, so that no other write waits for all rows of an import."""

from typing import Any

from sqlalchemy import Connection, delete, exists, literal, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportKey, ImportRow

from .file_duplicates import drop_keys

AT_ONCE = 5_000
"""Maximum number of rows that one transaction deletes; a job deletes the others."""
_ROWS: Any = ImportRow.__table__


def drop_rows(db: Session, row: ImportBatch) -> None:
    """Delete the first AT_ONCE rows of an import, and about as many keys."""
    r = _ROWS.c
    mine = r.batch_id == row.id
    last = select(r.number).where(mine).order_by(r.number).offset(AT_ONCE - 1).limit(1).scalar_subquery()
    db.execute(delete(_ROWS).where(mine, or_(r.number <= last, last.is_(None))))
    drop_keys(db, row, AT_ONCE)


def has_rows(db: Session | Connection, id: int) -> bool:
    """Whether rows of an import, or their keys, are still there."""
    asked = select(literal(1)).where(
        or_(exists().where(_ROWS.c.batch_id == id), exists().where(ImportKey.batch_id == id))
    )
    return db.execute(asked).first() is not None
