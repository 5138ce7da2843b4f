"""Coming in and going out: passwords, sessions, tokens, and the brake on guessing.

Unknown people, wrong passwords and inactive accounts get one answer in one time.  Hashing is slow on purpose: it
runs beside the writer, never on it.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from models import ApiToken, Credential, SignInSession, User
from models.audit.entries import UNWALLED, Changes, record, write_entries
from models.errors import NotFound, SignInRefused, Validation
from policies import Principal

from ..access.grant_limits import guard_account
from ..runtime import principals
from ..runtime.inputs import line, moment
from ..runtime.scope import Scope
from ..runtime.writer import Unit
from .people import login_of as login_of
from .sign_in_throttle import check_brake, hold_brake, spoken, write_down

T = TypeVar("T")

SHORTEST_PASSWORD = 10
MOST_TOKENS = 50

_hasher = PasswordHasher()
_dummy = _hasher.hash("nobody has this password")
_hashing = ThreadPoolExecutor(2, thread_name_prefix="hashing")
_HALF = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding holds."""
_QUIET = {**UNWALLED, "synchronize_session": False}


@dataclass(frozen=True)
class Entrance:
    """A new session: the token is shown once and stored hashed."""

    token: str
    expires_at: datetime
    principal: Principal


async def sign_in(scope: Scope, login: str, password: str) -> Entrance:
    """Begin a session.  Raises SignInRefused, TooManyAttempts."""
    login = spoken(login)
    entrance = await _try(scope, login, password, _begin_session, noted=True)
    if entrance is None:
        raise SignInRefused
    return entrance


def _begin_session(scope: Scope, connection: Connection, user_id: int) -> Entrance:
    return open_session(connection, user_id, scope.now(), scope.house.entrances, scope.address, scope.agent)


async def _try(
    scope: Scope, login: str, password: str, then: Callable[[Scope, Connection, int], T], *, noted: bool
) -> T | None:
    """`then` for the person whose password this is, in the transaction that notes the try; None for a wrong one.

    A wrong one is always noted, a right one only if `noted`.
    """
    async with scope.house.read_engine.connect() as connection:
        await connection.run_sync(check_brake, scope.house.entrances, login, scope.address, scope.now())
        found = await connection.run_sync(_credential, login)
    right = await _beside(_verify, found[1] if found else _dummy, password)

    def judge(unit: Unit) -> T | None:
        connection, now = unit.connection, scope.now()
        hold_brake(connection, login, scope.address)
        check_brake(connection, scope.house.entrances, login, scope.address, now)
        ok = right and found is not None and _credential(connection, login) == found
        if noted or not ok:
            write_down(connection, login, scope.address, now, ok=ok)
        return then(scope, connection, found[0]) if ok and found is not None else None

    answer: T | None = await scope.house.writer.submit(judge)
    return answer


def open_session(
    connection: Connection,
    user_id: int,
    now: datetime,
    entrances: principals.Entrances,
    address: str | None = None,
    agent: str | None = None,
) -> Entrance:
    """A new session of this person, with a token of its own."""
    token, expires_at = f"ms_{secrets.token_urlsafe(32)}", now + entrances.life
    connection.execute(
        insert(SignInSession).values(
            user_id=user_id,
            token_hash=principals.hash_of(token),
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            address=(address or "")[:60] or None,
            agent=_printable(agent, 200),
        )
    )
    return Entrance(token, expires_at, principals.by_id(connection, user_id, now))


def sign_out(scope: Scope, token: str) -> None:
    """End one's own session that this token belongs to; an unknown one is no error."""
    scope = scope.at_the_door()
    with scope.write("session.end") as db:
        ended = update(SignInSession).where(
            SignInSession.token_hash == principals.hash_of(token),
            SignInSession.user_id == scope.me,
            SignInSession.revoked_at.is_(None),
        )
        db.execute(ended.values(revoked_at=scope.now()), execution_options=_QUIET)


# --- passwords -------------------------------------------------------------------------------------------


def check_password(password: str, login: str) -> None:
    """Raise Validation for a password that is too short or too easily guessed."""
    if not SHORTEST_PASSWORD <= len(password) <= 200 or _HALF.search(password):
        raise Validation(
            f"A password has {SHORTEST_PASSWORD} to 200 characters.",
            f"密码长度须为 {SHORTEST_PASSWORD} 至 200 个字符。",
            field="password",
        )
    if (login and login in password.lower()) or len(set(password)) < 5:
        raise Validation("This password is too easily guessed.", "密码过于简单。", field="password")


async def change_password(scope: Scope, old: str, new: str) -> None:
    """Choose a new password for oneself.  Every other session ends.

    Raises SignInRefused for a wrong old one, TooManyAttempts after several, Validation.
    """
    scope.refuse_looking()
    scope = scope.at_the_door()
    login = scope.person.login
    check_password(new, login)
    if new == old:
        raise Validation("The new password is the old one.", "新密码不能与旧密码相同。", field="password")
    if await _try(scope, login, old, lambda *_: True, noted=False) is None:
        raise SignInRefused(field="old")
    await scope.run(set_password, login, await _beside(hash_password, new), one_time=False)


def set_password(scope: Scope, login: str, hashed: str, *, one_time: bool) -> None:
    """Store a hashed password and end the person's other sessions.  Only for himself, or by who may edit people."""
    with scope.write("user.password") as db:
        user = db.execute(select(User).where(User.login == login, User.deleted_at.is_(None))).scalar_one_or_none()
        if user is None:
            raise NotFound(what="person")
        if user.id != scope.person.id or one_time:
            scope.load(db, User, user.id, to="edit")
            guard_account(scope, db, user.id)
        row = db.get(Credential, user.id) or Credential(user_id=user.id)
        row.password_hash, row.changed_at, row.one_time = hashed, scope.now(), one_time
        db.add(row)
        _end_sessions(scope, db, user.id)
        _log(db, user, {"password": [None, "for one use" if one_time else "chosen"]})


def _end_sessions(scope: Scope, db: Session, user_id: int) -> None:
    """End every session of a person but the one in which he is asking."""
    live = update(SignInSession).where(SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None))
    if scope.token is not None and user_id == scope.person.id:
        live = live.where(SignInSession.token_hash != principals.hash_of(scope.token))
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
    name, expires_at, now = line(name, "name") or "token", moment(expires_at, "expires_at"), scope.now()
    if expires_at is not None and expires_at <= now:
        raise Validation("The end of a token lies in the future.", "令牌有效期必须晚于现在。", field="expiresAt")
    with scope.write("session.token") as db:
        live = select(func.count(ApiToken.id)).where(ApiToken.user_id == scope.me, _is_alive(ApiToken, scope))
        if (db.execute(live).scalar() or 0) >= MOST_TOKENS:
            raise Validation(f"At most {MOST_TOKENS} tokens.", f"最多 {MOST_TOKENS} 个令牌。", field="name")
        secret = f"mp_{secrets.token_urlsafe(32)}"
        row = ApiToken(user_id=scope.me, name=name, hint=secret[:8], token_hash=principals.hash_of(secret))
        row.created_at, row.expires_at = now, expires_at
        db.add(row)
        db.flush()
        _log(db, _me(scope, db), {"token": [None, name]})
        return NewToken(row.id, secret)


def revoke_token(scope: Scope, token_id: int) -> None:
    """End one of one's own tokens.  Raises NotFound."""
    _revoke(scope, ApiToken, token_id, "token")


def revoke_session(scope: Scope, session_id: int) -> None:
    """End one of one's own sessions.  Raises NotFound."""
    _revoke(scope, SignInSession, session_id, "session")


def keys_of(scope: Scope, db: Session, kind: type[ApiToken] | type[SignInSession]) -> list[ApiToken | SignInSession]:
    """One's own live tokens or sessions, newest first."""
    mine = select(kind).where(kind.user_id == scope.me, _is_alive(kind, scope)).order_by(kind.id.desc())
    return [*db.execute(mine).scalars()]


def _is_alive(kind: type[ApiToken] | type[SignInSession], scope: Scope) -> ColumnElement[bool]:
    """Whether a key would still open the door."""
    now = scope.now()
    alive = and_(kind.revoked_at.is_(None), or_(kind.expires_at.is_(None), kind.expires_at > now))
    if kind is SignInSession:
        alive = and_(alive, kind.seen_at > now - scope.house.entrances.idle)
    return alive


def _revoke(scope: Scope, kind: type[ApiToken] | type[SignInSession], id: int, what: str) -> None:
    with scope.write("session.end") as db:
        mine = select(kind).where(kind.id == id, kind.user_id == scope.me, kind.revoked_at.is_(None)).with_for_update()
        key: Any = db.execute(mine).scalar_one_or_none()
        if key is None:
            raise NotFound(what=what)
        key.revoked_at = scope.now()
        _log(db, _me(scope, db), {what: [key.name if isinstance(key, ApiToken) else key.address, None]})


# --- steps -----------------------------------------------------------------------------------------------


def _credential(connection: Connection, login: str) -> tuple[int, str] | None:
    statement = (
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.login == login, User.active, User.deleted_at.is_(None))
    )
    found = connection.execute(statement).first()
    return (found.id, found.password_hash) if found else None


def _verify(stored: str, password: str | None) -> bool:
    try:
        return _hasher.verify(stored, (password or "").encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


async def _beside(work: Callable[..., T], *arguments: Any) -> T:
    """Do slow work beside the loop and the writer, two at a time in one process."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, work, *arguments)


def _me(scope: Scope, db: Session) -> User:
    return db.execute(select(User).where(User.id == scope.me)).scalar_one()


def _log(db: Session, user: User, changes: Changes) -> None:
    """Note in the person's history what happened to his keys; never a secret."""
    record(db, user, changes)
    write_entries(db)


def _printable(text: str | None, length: int) -> str | None:
    """Text that a program sent about itself, cut to what can be stored."""
    return "".join(c for c in (text or "") if c.isprintable())[:length] or None
