"""Coming in and going out: passwords, sessions, tokens, and the brake on guessing.

Unknown people, wrong passwords and inactive accounts get one answer in one time.  Hashing is slow on purpose: it
runs beside the writer, never on it.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from models import ApiToken, Credential, SignInAttempt, SignInSession, User
from models.audit import UNWALLED
from models.errors import NotFound, SignInRefused, TooManyAttempts, Validation
from policies import Principal

from . import identity
from .scope import Scope
from .values import line

LIFE = timedelta(days=14)
WINDOW = timedelta(minutes=15)
TRIES_PER_LOGIN, TRIES_PER_ADDRESS = 8, 40
"""How many failures within `WINDOW` close a login or an address until the window has passed."""
SHORTEST_PASSWORD = 10
MOST_TOKENS = 50

_hasher = PasswordHasher()
_dummy = _hasher.hash("nobody has this password")
_slots = asyncio.Semaphore(2)
_QUIET = {**UNWALLED, "synchronize_session": False}


@dataclass(frozen=True)
class Entrance:
    """A new session: the token is shown once and stored hashed."""

    token: str
    expires_at: datetime
    principal: Principal


async def sign_in(scope: Scope, login: str, password: str) -> Entrance:
    """Begin a session.  Raises SignInRefused, TooManyAttempts."""
    login, now = (login or "").strip().lower()[:40], scope.now()
    async with scope.house.read_engine.connect() as connection:
        until = await connection.run_sync(_closed_until, login, scope.address, now)
        if until is not None:
            raise TooManyAttempts(until=until)
        found = await connection.run_sync(_credential, login)
    user_id, stored = found or (None, _dummy)
    async with _slots:
        right = await asyncio.to_thread(_verify, stored, password or "")
    ok = right and user_id is not None
    who = user_id if ok else None
    entrance: Entrance | None = await scope.house.writer.submit(lambda u: _enter(scope, u.connection, login, who, now))
    if entrance is None:
        raise SignInRefused
    return entrance


def _enter(scope: Scope, connection: Connection, login: str, user_id: int | None, now: datetime) -> Entrance | None:
    """Log the try, and open a session for who may come in."""
    connection.execute(
        SignInAttempt.__table__.insert(),  # type: ignore[attr-defined]
        {"at": now, "login": login, "user_id": user_id, "address": scope.address, "ok": user_id is not None},
    )
    if user_id is None:
        return None
    return open_session(connection, user_id, now, scope.address, scope.agent)


def open_session(
    connection: Connection, user_id: int, now: datetime, address: str | None = None, agent: str | None = None
) -> Entrance:
    token, expires_at = f"ms_{secrets.token_urlsafe(32)}", now + LIFE
    connection.execute(
        SignInSession.__table__.insert(),  # type: ignore[attr-defined]
        {
            "user_id": user_id,
            "token_hash": identity.hash_of(token),
            "created_at": now,
            "seen_at": now,
            "expires_at": expires_at,
            "address": (address or "")[:60] or None,
            "agent": (agent or "")[:200] or None,
        },
    )
    return Entrance(token, expires_at, identity.by_id(connection, user_id, now))


def sign_out(scope: Scope, token: str) -> None:
    """End the session that this token belongs to; an unknown one is no error."""
    with scope.write("session.end") as db:
        ended = update(SignInSession).where(
            SignInSession.token_hash == identity.hash_of(token), SignInSession.revoked_at.is_(None)
        )
        db.execute(ended.values(revoked_at=scope.now()), execution_options=_QUIET)


# --- passwords -------------------------------------------------------------------------------------------


def check_password(password: str, login: str) -> None:
    """Raise Validation for a password that is too short or too easily guessed."""
    if len(password) < SHORTEST_PASSWORD or len(password) > 200:
        raise Validation(
            f"A password has {SHORTEST_PASSWORD} to 200 characters.",
            f"密码长度须为 {SHORTEST_PASSWORD} 至 200 个字符。",
            field="password",
        )
    if (login and login in password.lower()) or len(set(password)) < 5:
        raise Validation("This password is too easily guessed.", "密码过于简单。", field="password")


async def change_password(scope: Scope, old: str, new: str) -> None:
    """Choose a new password for oneself.  Every other session ends.  Raises SignInRefused, Validation."""
    p = scope.person
    check_password(new, p.login)
    async with scope.house.read_engine.connect() as connection:
        found = await connection.run_sync(_credential, p.login)
    async with _slots:
        right = await asyncio.to_thread(_verify, found[1] if found else _dummy, old or "")
        hashed = await asyncio.to_thread(_hasher.hash, new)
    if not right or found is None:
        raise SignInRefused(field="old")
    await scope.run(set_password, p.login, hashed, one_time=False)


def set_password(scope: Scope, login: str, hashed: str, *, one_time: bool) -> None:
    """Store a hashed password and end the person's sessions.  Only for himself, or by who may edit people."""
    with scope.write("user.edit") as db:
        user = db.execute(select(User).where(User.login == login, User.deleted_at.is_(None))).scalar_one_or_none()
        if user is None:
            raise NotFound(what="person")
        if user.id != scope.person.id:
            scope.load(db, User, user.id, to="edit")
        row = db.get(Credential, user.id) or Credential(user_id=user.id)
        row.password_hash, row.changed_at, row.one_time = hashed, scope.now(), one_time
        db.add(row)
        live = update(SignInSession).where(SignInSession.user_id == user.id, SignInSession.revoked_at.is_(None))
        db.execute(live.values(revoked_at=scope.now()), execution_options=_QUIET)


def hash_password(password: str) -> str:
    """About 50 ms, on purpose."""
    return _hasher.hash(password)


def one_time_password() -> str:
    """A password to be changed at the first sign-in, easy to read aloud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


# --- tokens ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewToken:
    """A token at the only moment when it can be read."""

    id: int
    token: str


def create_token(scope: Scope, name: str, expires_at: datetime | None = None) -> NewToken:
    """Make an API token that acts with one's own rights.  Raises Validation."""
    name = line(name, "name") or "token"
    now = scope.now()
    if expires_at is not None and expires_at <= now:
        raise Validation("The end of a token lies in the future.", "令牌有效期必须晚于现在。", field="expiresAt")
    with scope.write("session.token") as db:
        live = select(func.count(ApiToken.id)).where(ApiToken.user_id == scope.me, ApiToken.revoked_at.is_(None))
        if (db.execute(live).scalar() or 0) >= MOST_TOKENS:
            raise Validation(f"At most {MOST_TOKENS} tokens.", f"最多 {MOST_TOKENS} 个令牌。", field="name")
        secret = f"mp_{secrets.token_urlsafe(32)}"
        row = ApiToken(
            user_id=scope.me,
            name=name,
            hint=secret[:8],
            token_hash=identity.hash_of(secret),
            created_at=now,
            expires_at=expires_at,
        )
        db.add(row)
        db.flush()
        return NewToken(row.id, secret)


def revoke_token(scope: Scope, token_id: int) -> None:
    """End one of one's own tokens.  Raises NotFound."""
    _revoke(scope, ApiToken, token_id, "token")


def revoke_session(scope: Scope, session_id: int) -> None:
    """End one of one's own sessions.  Raises NotFound."""
    _revoke(scope, SignInSession, session_id, "session")


def keys_of(scope: Scope, db: Session, kind: type[ApiToken] | type[SignInSession]) -> list[ApiToken | SignInSession]:
    """One's own live tokens or sessions, newest first."""
    live = select(kind).where(kind.user_id == scope.me, kind.revoked_at.is_(None)).order_by(kind.id.desc())
    return list(db.execute(live).scalars())


def _revoke(scope: Scope, kind: type[ApiToken] | type[SignInSession], id: int, what: str) -> None:
    with scope.write("session.end") as db:
        mine = update(kind).where(kind.id == id, kind.user_id == scope.me, kind.revoked_at.is_(None))
        done = db.execute(mine.values(revoked_at=scope.now()), execution_options=_QUIET)
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound(what=what)


# --- steps -----------------------------------------------------------------------------------------------


def _credential(connection: Connection, login: str) -> tuple[int, str] | None:
    statement = (
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.login == login, User.active, User.deleted_at.is_(None))
    )
    found = connection.execute(statement).first()
    return (found.id, found.password_hash) if found else None


def _closed_until(connection: Connection, login: str, address: str | None, now: datetime) -> datetime | None:
    """Until when this login or address has to wait, None while it may try."""
    for column, value, most in (
        (SignInAttempt.login, login, TRIES_PER_LOGIN),
        (SignInAttempt.address, address, TRIES_PER_ADDRESS),
    ):
        failures = select(SignInAttempt.at).where(column == value, SignInAttempt.at > now - WINDOW, ~SignInAttempt.ok)
        oldest = connection.execute(failures.order_by(SignInAttempt.at.desc()).offset(most - 1).limit(1)).scalar()
        if value and oldest is not None:
            until: datetime = oldest + WINDOW
            return until
    return None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def login_of(text: str) -> str:
    """A login as it is stored.  Raises Validation."""
    login = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,39}", login):
        raise Validation(
            "A login has 2 to 40 letters, digits, dots or dashes.",
            "账号由 2 至 40 个字母、数字、点或横线组成。",
            field="login",
        )
    return login
