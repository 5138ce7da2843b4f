"""Ends of shares that follow from ownership: a pool shows its customers by its own rules, and an owner needs no share."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, null, update
from sqlalchemy.orm import Session

from models import Share
from models.database.bypass import Because
from models.database.prepared import Prepared
from models.pool import GranteeKind

_s: Any = Share.__table__.c
_LIVE = (_s.customer_id == bindparam("customer"), _s.revoked_at.is_(None))
_ALL = Prepared(update(Share).where(*_LIVE).values(notice_at=null()), ["revoked_at"], because=Because.FOLLOWS_CHECK)
_OF_USER = Prepared(
    update(Share)
    .where(*_LIVE, _s.grantee_kind == GranteeKind.USER, _s.grantee_id == bindparam("user"))
    .values(notice_at=null()),
    ["revoked_at"],
    because=Because.FOLLOWS_CHECK,
)


def end_shares(db: Session, customer_id: int, at: datetime) -> None:
    """End every share of a customer."""
    _ALL.run(db, customer=customer_id, revoked_at=at)


def end_shares_with(db: Session, customer_id: int, user_id: int | None, at: datetime) -> None:
    """End what is shared with this user alone, who owns the customer now."""
    if user_id is not None:
        _OF_USER.run(db, customer=customer_id, user=user_id, revoked_at=at)
