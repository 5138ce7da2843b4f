"""What grantees are told of the ends of shares: three days and one day before, and at the end."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import Share
from models.database.prepared import Prepared

from ..notices.notify import notify
from ..runtime import principals
from ..runtime.scope import Scope
from .share_people import AHEAD, customer_of, next_notice, reached

_s: Any = Share.__table__.c
_ADVANCE = Prepared(
    update(Share)
    .where(_s.id == bindparam("that_id"), _s.notice_at == bindparam("that_at", type_=_s.notice_at.type))
    .values(notice_at=bindparam("next_at", type_=_s.notice_at.type))
)
"""Moves a share on to its next notice, unless it was changed, revoked or told of meanwhile."""


def tell_of_ends(scope: Scope, db: Session, size: int) -> int:
    """Tell those whom shares reach that these end soon, or have ended; returns the number of shares looked at."""
    now = scope.now()
    due = select(Share).where(_s.notice_at <= now, _s.revoked_at.is_(None)).order_by(_s.notice_at, _s.id).limit(size)
    rows = list(db.execute(due).scalars())
    people = principals.everybody(db.connection(), now) if rows else ()
    for row in rows:
        if _ADVANCE.run(db, that_id=row.id, that_at=row.notice_at, next_at=next_notice(row.ends_at, now)):
            _tell(scope, db, row, now, people)
    return len(rows)


def _tell(scope: Scope, db: Session, share: Share, now: datetime, people: Any) -> None:
    """A notice that is late tells what is true by now: one that the end has overtaken tells the end alone."""
    customer, ends = customer_of(db, share.customer_id), share.ends_at
    if customer is None or customer.deleted_at is not None or ends is None:
        return
    receivers = [id for id in reached(db, share, now, people) if id != customer.owner_id]
    if now >= ends:
        notify(scope, db, "share_ended", [*receivers, share.granted_by_id], customer, ends=ends)
        return
    days = min(ahead for ahead in AHEAD if ends - ahead <= now).days
    notify(scope, db, "share_ending", receivers, customer, ends=ends, days=days)
