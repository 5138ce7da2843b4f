"""Everything that is held of one person, as they may ask for it: of a contact, or of a user of ours."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    ApiToken,
    Attachment,
    Contact,
    ContactPoint,
    Entity,
    FollowUp,
    Opportunity,
    Plan,
    SignInAttempt,
    SignInSession,
    User,
    UserRole,
)
from models.audit.proof import plain
from models.audit.recording import log_now
from models.base import columns
from models.custom_field import PREFIX
from models.database.bypass import Because, bypass_policy

from ..runtime.scope import Scope

Data = dict[str, Any]
_OPTIONS: Any = bypass_policy(Because.FOLLOWS_CHECK)
_SECRET = frozenset({"hash", "token_hash", "browser_hash", "source", "salt"})
"""Columns that say nothing about the person and would help a thief."""
MOST = 10_000
"""Maximum number of rows of each kind."""


def disclose(scope: Scope, model: type[Entity], id: int) -> Data:
    """What is held of a person, table by table.  The export is logged, without its content.

    Asks for the right `disclose` on the record.  Raises NotFound, Forbidden, Locked, InBin.
    """
    with scope.write(f"{model.module}.disclose") as db:
        row = scope.load(db, model, id, to="disclose")
        found = _OF[model](db, row)
        log_now(db, row, {"rows": [None, sum(len(rows) for rows in found.values())]})
        return found


def _of_contact(db: Session, row: Any) -> Data:
    told: Any = Attachment
    files = select(told).where(told.entity == "contact", told.record_id == row.id)
    return {
        "contact": [_plain(row)],
        "phonesAndAddresses": _rows(db, select(ContactPoint).where(ContactPoint.contact_id == row.id)),
        "followUps": _rows(db, select(FollowUp).where(FollowUp.contact_id == row.id)),
        "plans": _rows(db, select(Plan).where(Plan.contact_id == row.id)),
        "opportunities": _rows(db, select(Opportunity).where(Opportunity.contact_id == row.id)),
        "files": _rows(db, files),
    }


def _of_user(db: Session, row: Any) -> Data:
    sessions: Any = SignInSession
    tries: Any = SignInAttempt
    return {
        "user": [_plain(row)],
        "roles": _rows(db, select(UserRole).where(UserRole.user_id == row.id)),
        "sessions": _rows(db, select(sessions).where(sessions.user_id == row.id)),
        "signIns": _rows(db, select(tries).where(tries.login == row.login)),
        "tokens": _rows(db, select(ApiToken).where(ApiToken.user_id == row.id)),
    }


_OF: dict[type[Entity], Callable[[Session, Any], Data]] = {Contact: _of_contact, User: _of_user}


def _rows(db: Session, asked: Any) -> list[Data]:
    return [_plain(row) for row in db.execute(asked.limit(MOST), execution_options=_OPTIONS).scalars()]


def _plain(row: Any) -> Data:
    """The values of a row that are not empty."""
    kept = {column.key: plain(getattr(row, column.key)) for column in columns(type(row)) if column.key not in _SECRET}
    customs = {f"{PREFIX}{key}": value for key, value in (getattr(row, "custom", None) or {}).items()}
    return {key: value for key, value in {**kept, **customs}.items() if value is not None}
