"""What becomes of a saved view: its entries in the operation log, and its place among the others."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Department, Role, SavedView
from models.audit.entries import Changes, entry
from models.audit.recording import write_row
from models.pool import GranteeKind

from ..runtime.scope import Scope

ORDER = (SavedView.position, SavedView.name, SavedView.id)


def log_view(scope: Scope, db: Session, name: str, changes: Changes) -> None:
    """Log what became of a view.  The entry is about no record, so that readers of the log alone see its name."""
    write_row(db, entry(db.info["signature"], scope.now(), SavedView.__tablename__, None, changes, label=name))


def put_at(db: Session, row: SavedView, place: int) -> Changes:
    """Put a view at a place among those of its owner in its list, and number these anew; returns what changed."""
    mine = (SavedView.owner_id == row.owner_id, SavedView.entity == row.entity)
    ids = [*db.execute(select(SavedView.id).where(*mine).order_by(*ORDER)).scalars()]
    before, place = ids.index(row.id), max(0, min(place, len(ids) - 1))
    ids.insert(place, ids.pop(before))
    for n, id in enumerate(ids):
        db.execute(update(SavedView).where(SavedView.id == id, SavedView.position != n).values(position=n))
    return {"position": [before + 1, place + 1]} if place != before else {}


def readers(db: Session, row: SavedView) -> Mapping[str, Any]:
    """With whom a view is shared, by the names of the log."""
    names = list[str]()
    for model, kind in ((Role, GranteeKind.ROLE), (Department, GranteeKind.DEPARTMENT)):
        ids = [share.grantee_id for share in row.shares if share.grantee_kind is kind]
        names += db.execute(select(model.name).where(model.id.in_(ids)).order_by(model.name)).scalars() if ids else ()
    return {"shared_with": names, "for_everyone": row.for_everyone}


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> Changes:
    return {key: [before[key], now[key]] for key in now if before[key] != now[key]}
