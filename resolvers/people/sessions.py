"""Sessions of a user: where they are signed in, and signing them out.  One's own, or another user's for who may edit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import SignInSession, User
from models.audit.recording import log_now
from models.errors import Forbidden, NotFound

from ..access.grant_limits import guard_account
from ..runtime import principals
from ..runtime.scope import Scope
from .tokens import is_alive

LARGEST_PAGE = 200


@dataclass(frozen=True)
class OpenSession:
    """A session in force.  `is_this`: the request that asks came by it."""

    id: int
    user_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None
    is_this: bool


def sessions_of(
    scope: Scope, db: Session, user_id: int | None = None, *, before: int | None = None, first: int = 50
) -> list[OpenSession]:
    """A page of at most LARGEST_PAGE sessions in force of a user, of the caller without `user_id`, the newest first.

    `before` is the id of the last session on the previous page.  Raises NotFound, and Forbidden for another user whom the
    caller may not edit.
    """
    whose = user_id if user_id is not None else scope.me
    if whose != scope.me:
        _check_may_see(scope, db, whose)
    wanted = select(SignInSession).where(SignInSession.user_id == whose, is_alive(SignInSession, scope))
    if before is not None:
        wanted = wanted.where(SignInSession.id < before)
    page = wanted.order_by(SignInSession.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))
    mine = principals.hash_of(scope.token) if scope.token is not None else ""
    return [
        OpenSession(x.id, whose, x.created_at, x.seen_at, x.expires_at, x.address, x.agent, x.token_hash == mine)
        for x in db.execute(page).scalars()
    ]


def _check_may_see(scope: Scope, db: Session, user_id: int) -> None:
    there = select(User.id).where(User.id == user_id, User.deleted_at.is_(None))
    if db.execute(there).first() is None:
        raise NotFound(what=User.names)
    if db.execute(there.where(scope.policy.where(scope.person, "edit", User))).first() is None:
        raise Forbidden(action="user.edit")


def end_sessions(scope: Scope, user_id: int, ids: Sequence[int] | None = None) -> int:
    """End these sessions of a user, or all but the one of this request; returns how many were in force.

    Another user's need the right to edit them.  Raises NotFound, also for a session that has ended or is somebody else's,
    Forbidden, InBin, BeyondCeiling for a user with rights that the caller may not grant.
    """
    with scope.write("session.end") as db:
        if user_id == scope.me:
            user = db.execute(select(User).where(User.id == scope.me)).scalar_one()
        else:
            user = scope.load(db, User, user_id, to="edit")
            guard_account(scope, db, user.id)
        found = _in_force(scope, db, user_id, ids)
        for session in found:
            session.revoked_at = scope.now()
        if found:
            addresses = [session.address for session in found]
            log_now(db, user, {SignInSession.names.noun: [addresses if len(found) > 1 else addresses[0], None]})
        return len(found)


def _in_force(scope: Scope, db: Session, user_id: int, ids: Sequence[int] | None) -> list[SignInSession]:
    wanted = select(SignInSession).where(SignInSession.user_id == user_id, is_alive(SignInSession, scope))
    if ids is not None:
        wanted = wanted.where(SignInSession.id.in_({*ids}))
    elif scope.token is not None:
        wanted = wanted.where(SignInSession.token_hash != principals.hash_of(scope.token))
    found = [*db.execute(wanted.order_by(SignInSession.id).with_for_update()).scalars()]
    if ids is not None and len(found) < len({*ids}):
        raise NotFound(what=SignInSession.names)
    return found
