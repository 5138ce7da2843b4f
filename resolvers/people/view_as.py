"""View as another user: for support, and for checking a changed policy.  Read-only and logged.

It is a short session of the viewed user, in which `Scope.write` refuses every use case that changes something.  What a
lock closes to the user who views stays closed, and the viewed user is told.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from models import SignInSession, User
from models.audit.recording import log_now
from models.errors import BeyondCeiling, Validation
from policies import Principal

from ..access.grant_limits import guard_account
from ..notices.notify import notify
from ..reading.clauses import value
from ..runtime import principals
from ..runtime.scope import Scope
from .sign_in import NewSession, open_session

LASTS = timedelta(minutes=30)
KNOWN = timedelta(days=90)
"""Time for which users are told who viewed as them."""
MOST_VIEWS = 20
"""Maximum number of such sessions that are shown."""
_QUIET = {"synchronize_session": False}


def start_viewing_as(scope: Scope, user_id: int) -> str:
    """The token of a new session as this user: `open_view` without its end."""
    return open_view(scope, user_id).token


def open_view(scope: Scope, user_id: int) -> NewSession:
    """A new session as this user, which ends after half an hour at the latest.  Its token opens nothing by itself.

    Raises NotFound, Forbidden, Validation (the caller themselves, an inactive user), BeyondCeiling for a user with
    rights that the caller may not grant, because the caller would see what those rights show.
    """
    with scope.write("user.view_as") as db:
        row = scope.load(db, User, user_id, to="view_as")
        if row.id == scope.me or not row.active:
            raise Validation("Choose somebody else, who is active.", "请选择其他在职人员。")
        guard_account(scope, db, row.id, to_look=True)
        entrances = replace(scope.backend.entrances, life=LASTS)
        made = open_session(db.connection(), row.id, scope.person.now, entrances, scope.address, scope.agent)
        mine = SignInSession.token_hash == principals.hash_of(made.token)
        db.execute(update(SignInSession).where(mine).values(looker_id=scope.me), execution_options=_QUIET)
        log_now(db, row, {"seen_by": [None, scope.person.name]})
        notify(scope, db, "seen_as", [row.id])
        return made


def viewed_principal(scope: Scope, db: Session, token: str) -> Principal | None:
    """The user whom the caller views as, by a token of `start_viewing_as`; None when the session has ended.

    Every request asks for it, so a session ends as soon as the caller may no longer start one.
    """
    found = db.execute(_OPEN.where(SignInSession.token_hash == principals.hash_of(token))).first()
    if found is None or found.looker_id != scope.me or found.expires_at <= scope.now():
        return None
    may = scope.policy.where(scope.person, "view_as", User)
    seen = select(User.id).where(User.id == found.user_id, User.active, User.deleted_at.is_(None), may)
    if db.execute(seen.execution_options(policy=True)).first() is None:
        return None
    try:
        guard_account(scope, db, found.user_id, to_look=True)
    except BeyondCeiling:
        return None
    person = principals.by_id(db.connection(), found.user_id, scope.now())
    return replace(person, looker=scope.person, must_change_password=False, language=scope.language)


def stop_viewing_as(scope: Scope, token: str) -> None:
    """End a session of `start_viewing_as`; an unknown token is no error."""
    with scope.write("session.end") as db:
        mine = SignInSession.token_hash == principals.hash_of(token), SignInSession.looker_id == scope.me
        ended = update(SignInSession).where(*mine, SignInSession.revoked_at.is_(None))
        db.execute(ended.values(revoked_at=scope.now()), execution_options=_QUIET)


class View(NamedTuple):
    """One session in which another user viewed as the caller."""

    by: str | None
    began: datetime
    ended: datetime


def views_of_me(scope: Scope, db: Session, since: timedelta = KNOWN) -> list[View]:
    """The sessions in which other users viewed as the caller, newest first; a session that lasts ends in the future."""
    session, looker = SignInSession, aliased(User)
    ended = func.coalesce(session.revoked_at, session.expires_at)
    found = (
        select(value(scope.viewer, User, looker, "name"), session.created_at, ended)
        .outerjoin(looker, looker.id == session.looker_id)
        .where(session.user_id == scope.me, session.looker_id.is_not(None), session.created_at > scope.now() - since)
        .order_by(session.id.desc())
        .limit(MOST_VIEWS)
    )
    return [View(name, began, end) for name, began, end in db.execute(found)]


_OPEN = select(SignInSession.user_id, SignInSession.looker_id, SignInSession.expires_at).where(
    SignInSession.revoked_at.is_(None)
)
