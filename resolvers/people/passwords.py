"""Passwords: verify one, change one's own, set one for another user.

Unknown logins, wrong passwords and inactive accounts get the same answer after the same time.  Hashing is slow on
purpose, so it runs on threads of its own and never on the writer.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from models import Credential, SignInSession, User
from models.audit.recording import log_now
from models.errors import NotFound, SignInRefused, Validation

from ..access.grant_limits import guard_account
from ..runtime import principals
from ..runtime.scope import Scope
from ..runtime.writer import Unit
from .sign_in_throttle import check_throttle, lock_throttle, log_attempt

T = TypeVar("T")

SHORTEST_PASSWORD = 10
_QUIET = {"synchronize_session": False}

_hasher = PasswordHasher()
_dummy = _hasher.hash("nobody has this password")
_hashing = ThreadPoolExecutor(2, thread_name_prefix="hashing")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which no encoding can store."""


async def proven(
    scope: Scope, login: str, password: str, then: Callable[[Scope, Connection, int], T], *, noted: bool
) -> T | None:
    """The result of `then` for the user whose password this is; None for a wrong password.  Raises TooManyAttempts.

    `then` gets the scope, the connection and the user id, in the transaction that logs the attempt.  A wrong password
    is always logged, a right one only if `noted`.
    """
    async with scope.backend.read_engine.connect() as connection:
        await connection.run_sync(check_throttle, scope.backend.entrances, login, scope.address, scope.now())
        found = await connection.run_sync(_credential, login)
    right = await _on_hashing_thread(_verify, found[1] if found else _dummy, password)

    def judge(unit: Unit) -> T | None:
        connection, now = unit.connection, scope.now()
        lock_throttle(connection, login, scope.address)
        check_throttle(connection, scope.backend.entrances, login, scope.address, now)
        ok = right and found is not None and _credential(connection, login) == found
        if noted or not ok:
            log_attempt(connection, login, scope.address, now, ok=ok)
        return then(scope, connection, found[0]) if ok and found is not None else None

    answer: T | None = await scope.backend.writer.submit(judge)
    return answer


def _credential(connection: Connection, login: str) -> tuple[int, str] | None:
    statement = (
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.login == login, User.active, User.deleted_at.is_(None))
    )
    found = connection.execute(statement).first()
    return (found.id, found.password_hash) if found else None


def check_password(password: str, login: str) -> None:
    """Raise Validation for a password that is too short, too long or too easy to guess."""
    if not SHORTEST_PASSWORD <= len(password) <= 200 or _SURROGATE.search(password):
        raise Validation(
            f"A password has {SHORTEST_PASSWORD} to 200 characters.",
            f"密码长度须为 {SHORTEST_PASSWORD} 至 200 个字符。",
            field="password",
        )
    if (login and login in password.lower()) or len(set(password)) < 5:
        raise Validation("This password is too easily guessed.", "密码过于简单。", field="password")


async def change_password(scope: Scope, old: str, new: str) -> None:
    """Set a new password for the caller.  Their other sessions end.

    Raises SignInRefused for a wrong old password, TooManyAttempts after several of them, Validation.
    """
    scope.refuse_view_as()
    scope = scope.allowing_one_time_password()
    login = scope.person.login
    check_password(new, login)
    if new == old:
        raise Validation("The new password is the old one.", "新密码不能与旧密码相同。", field="password")
    if await proven(scope, login, old, lambda *_: True, noted=False) is None:
        raise SignInRefused(field="old")
    await scope.run(set_password, login, await _on_hashing_thread(hash_password, new), one_time=False)


def set_password(scope: Scope, login: str, hashed: str, *, one_time: bool) -> None:
    """Store a hashed password and end the user's other sessions.  Raises NotFound, Forbidden, BeyondCeiling.

    Needs the right to edit the user, except for the caller's own password that is not for one use.
    """
    with scope.write("user.password") as db:
        user = db.execute(select(User).where(User.login == login, User.deleted_at.is_(None))).scalar_one_or_none()
        if user is None:
            raise NotFound(what=User.names)
        if user.id != scope.person.id or one_time:
            scope.load(db, User, user.id, to="edit")
            guard_account(scope, db, user.id)
        row = db.get(Credential, user.id) or Credential(user_id=user.id)
        row.password_hash, row.changed_at, row.one_time = hashed, scope.now(), one_time
        db.add(row)
        _end_sessions(scope, db, user.id)
        log_now(db, user, {"password": [None, "for one use" if one_time else "chosen"]})


def _end_sessions(scope: Scope, db: Session, user_id: int) -> None:
    """End every session of a user except the one that makes this request."""
    live = update(SignInSession).where(SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None))
    if scope.token is not None and user_id == scope.person.id:
        live = live.where(SignInSession.token_hash != principals.hash_of(scope.token))
    db.execute(live.values(revoked_at=scope.now()), execution_options=_QUIET)


def hash_password(password: str) -> str:
    """The argon2id hash of a password; takes about 50 ms on purpose."""
    return _hasher.hash(password)


def one_time_password() -> str:
    """A random password that is easy to read aloud; the user has to change it at the first sign-in."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def _verify(stored: str, password: str | None) -> bool:
    try:
        return _hasher.verify(stored, (password or "").encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


async def _on_hashing_thread(work: Callable[..., T], *arguments: Any) -> T:
    """The result of slow work, done on one of the two hashing threads of the process."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, work, *arguments)
