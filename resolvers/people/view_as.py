"""View as another user: for support, and for checking a changed policy.  Read-only and logged.

It is a short session of the viewed user, in which `Scope.write` refuses every use case that changes something.
"""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import SignInSession, User
from models.audit.recording import log_now
from models.errors import BeyondCeiling, Validation
from policies import Principal

from ..access.grant_limits import guard_account
from ..runtime import principals
from ..runtime.scope import Scope
from .sign_in import open_session

LASTS = timedelta(minutes=30)
_QUIET = {"synchronize_session": False}


def start_viewing_as(scope: Scope, user_id: int) -> str:
    """The token of a new session as this user, which ends after half an hour at the latest.

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
        return made.token


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
    return replace(person, viewed_by=scope.me, must_change_password=False, language=scope.language)


def stop_viewing_as(scope: Scope, token: str) -> None:
    """End a session of `start_viewing_as`; an unknown token is no error."""
    with scope.write("session.end") as db:
        mine = SignInSession.token_hash == principals.hash_of(token), SignInSession.looker_id == scope.me
        ended = update(SignInSession).where(*mine, SignInSession.revoked_at.is_(None))
        db.execute(ended.values(revoked_at=scope.now()), execution_options=_QUIET)


_OPEN = select(SignInSession.user_id, SignInSession.looker_id, SignInSession.expires_at).where(
    SignInSession.revoked_at.is_(None)
)
