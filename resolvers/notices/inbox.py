"""The inbox: what a user was told, how much of it is unread, and marking it as read."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from models import Notice
from models.database.compiled import CompiledStatement, compile_statement

from ..runtime.scope import Scope
from .sentences import Told, told

LARGEST_PAGE = 100
MOST_COUNTED = 100
"""Maximum number of unread notices that are counted; one more stands for all above."""
_QUIET = {"synchronize_session": False}


def notices(
    scope: Scope,
    db: Session,
    *,
    unread: bool = False,
    before: int | None = None,
    first: int = 50,
    ids: Sequence[int] | None = None,
) -> list[Told]:
    """A page of at most LARGEST_PAGE notices of the caller, newest first.  `before`: the id of the last one on the former; `ids`: only these."""
    wanted = _own(scope)
    if unread:
        wanted = wanted.where(Notice.read_at.is_(None))
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    if ids is not None:
        wanted = wanted.where(Notice.id.in_(ids))
    page = wanted.order_by(Notice.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))
    return told(scope, db, db.execute(page).scalars().all())


def notices_after(scope: Scope, db: Session, id: int) -> list[Told]:
    """Notices of the caller that are newer than the one with this id, oldest first."""
    wanted = _own(scope).where(Notice.id > id).order_by(Notice.id).limit(LARGEST_PAGE)
    return told(scope, db, db.execute(wanted).scalars().all())


def newest(scope: Scope, db: Session) -> int:
    """The id of the caller's newest notice; 0 where there is none."""
    found = select(func.max(Notice.id)).where(Notice.receiver_id == scope.me)
    return db.execute(found).scalar_one() or 0


def unread_count(scope: Scope, db: Session) -> int:
    """The number of unread notices of the caller, up to MOST_COUNTED + 1."""
    unread = _own(scope).with_only_columns(Notice.id).where(Notice.read_at.is_(None))
    return int(db.execute(_counted(unread)).scalar_one())


async def unread_of(scope: Scope) -> int:
    """The same at the driver, for every page of the panel."""
    statement = _unread_statement(scope.backend.read_engine.dialect)
    rows = await scope.backend.reads.rows(statement.text, statement.values({"receiver": scope.me}))
    return int(rows[0][0])


@cache
def _unread_statement(dialect: Dialect) -> CompiledStatement:
    mine = [Notice.receiver_id == bindparam("receiver", type_=Integer()), Notice.read_at.is_(None), Notice.in_panel]
    return compile_statement(_counted(select(Notice.id).where(*mine)), dialect)


def _counted(wanted: Select[Any]) -> Select[Any]:
    return select(func.count()).select_from(wanted.limit(MOST_COUNTED + 1).subquery())


def mark_read(scope: Scope, ids: Sequence[int] | None = None) -> None:
    """Mark these notices of the caller as read, all of them for None.  Those of others are left alone.

    It is no change of a record, so the operation log has no entry.
    """
    with scope.write("user.preferences") as db:
        mine = [Notice.receiver_id == scope.me, Notice.read_at.is_(None), Notice.in_panel]
        if ids is not None:
            mine.append(Notice.id.in_(sorted({*ids})))
        marked = db.execute(update(Notice).where(*mine).values(read_at=scope.now()), execution_options=_QUIET)
        if marked.rowcount:  # type: ignore[attr-defined]  # of a cursor's result
            scope.tell(db, f"user:{scope.me}", None)


def _own(scope: Scope) -> Select[Any]:
    return select(Notice).where(Notice.receiver_id == scope.me, Notice.in_panel)
