"""API tokens and sessions of the caller: create a token, list them, revoke one."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from models import ApiToken, SignInSession, User
from models.audit.recording import log_now
from models.errors import NotFound, Validation

from ..runtime import principals
from ..runtime.gathering import Gathering
from ..runtime.inputs import line, moment
from ..runtime.scope import Scope
from . import passwords

MOST_TOKENS = 50


@dataclass(frozen=True)
class NewToken:
    """A token in clear text, which only its creation returns."""

    id: int
    token: str


async def create_own_token(scope: Scope, password: str, name: str, expires_at: datetime | None = None) -> NewToken:
    """`create_token` for a caller who proves to be the person themselves, and not somebody with their open session.

    Raises SignInRefused for a wrong password, TooManyAttempts after several of them, Validation.
    """
    scope.refuse_view_as()
    await passwords.confirm_password(scope, password)
    made: NewToken = await scope.run(create_token, name, expires_at)
    return made


def create_token(scope: Scope, name: str, expires_at: datetime | None = None) -> NewToken:
    """A new API token that acts with the caller's rights, and no longer than the token that asks for it.

    Raises Validation.
    """
    found, now = Gathering(), scope.now()
    with found.noting():
        name = line(name, "name") or "token"
    with found.noting():
        expires_at = moment(expires_at, "expires_at")
        if expires_at is not None and expires_at <= now:
            raise Validation("The end of a token lies in the future.", "令牌有效期必须晚于现在。", field="expiresAt")
    found.settle()
    with scope.write("session.token") as db:
        _check_end(scope, db, expires_at)
        live = select(func.count(ApiToken.id)).where(ApiToken.user_id == scope.me, is_alive(ApiToken, scope))
        if (db.execute(live).scalar() or 0) >= MOST_TOKENS:
            raise Validation(f"At most {MOST_TOKENS} tokens.", f"最多 {MOST_TOKENS} 个令牌。", field="name")
        secret = f"mp_{secrets.token_urlsafe(32)}"
        row = ApiToken(user_id=scope.me, name=name, hint=secret[:8], token_hash=principals.hash_of(secret))
        row.created_at, row.expires_at = now, expires_at
        db.add(row)
        db.flush()
        log_now(db, _me(scope, db), {"token": [None, name]})
        return NewToken(row.id, secret)


def _check_end(scope: Scope, db: Session, expires_at: datetime | None) -> None:
    """Raise Validation for a token that would outlive the one that asks for it."""
    asking = select(ApiToken.expires_at).where(ApiToken.token_hash == principals.hash_of(scope.token or ""))
    latest = db.execute(asking).scalar()
    if latest is not None and (expires_at is None or expires_at > latest):
        raise Validation(
            "A token makes none that lasts longer than itself.",
            "令牌创建的新令牌不能比其自身更晚到期。",
            field="expiresAt",
        )


def revoke_token(scope: Scope, token_id: int) -> None:
    """Revoke one of the caller's tokens.  Raises NotFound."""
    _revoke(scope, ApiToken, token_id)


def revoke_session(scope: Scope, session_id: int) -> None:
    """Revoke one of the caller's sessions.  Raises NotFound."""
    _revoke(scope, SignInSession, session_id)


def keys_of(scope: Scope, db: Session, kind: type[ApiToken] | type[SignInSession]) -> list[ApiToken | SignInSession]:
    """The caller's tokens or sessions that are in force, newest first."""
    mine = select(kind).where(kind.user_id == scope.me, is_alive(kind, scope)).order_by(kind.id.desc())
    return [*db.execute(mine).scalars()]


def is_alive(kind: type[ApiToken] | type[SignInSession], scope: Scope) -> ColumnElement[bool]:
    """Whether a token or session is in force: neither revoked, nor expired, nor idle for too long."""
    now = scope.now()
    alive = and_(kind.revoked_at.is_(None), or_(kind.expires_at.is_(None), kind.expires_at > now))
    if kind is SignInSession:
        alive = and_(alive, kind.looker_id.is_(None), kind.seen_at > now - scope.backend.entrances.idle)
    return alive


def _revoke(scope: Scope, kind: type[ApiToken] | type[SignInSession], id: int) -> None:
    with scope.write("session.end") as db:
        mine = select(kind).where(kind.id == id, kind.user_id == scope.me, kind.revoked_at.is_(None)).with_for_update()
        key: Any = db.execute(mine).scalar_one_or_none()
        if key is None:
            raise NotFound(what=kind.names)
        key.revoked_at = scope.now()
        log_now(db, _me(scope, db), {kind.names.noun: [key.name if isinstance(key, ApiToken) else key.address, None]})


def _me(scope: Scope, db: Session) -> User:
    return db.execute(select(User).where(User.id == scope.me)).scalar_one()
