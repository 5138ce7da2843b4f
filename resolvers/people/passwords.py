"""Passwords: verify one, change one's own, set one for another user.

Unknown logins, wrong passwords and inactive accounts get the same answer after the same time.  Hashing is slow on
purpose, so it runs on threads of its own and never on the writer.
"""

import asyncio
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.orm import Session
from zxcvbn_rs_py import zxcvbn

from models import ApiToken, Credential, SignInSession, User
from models.audit.entries import Changes
from models.audit.recording import log_now
from models.errors import NotFound, SignInRefused, TooLong, TooManyAttempts, TooShort, Validation

from ..access.grant_limits import guard_account
from ..runtime import principals
from ..runtime.inputs import refused
from ..runtime.scope import Scope
from ..runtime.writer import Unit
from .sign_in_throttle import Origin, check_throttle, lock_throttle, log_attempt, origin_of

T = TypeVar("T")

_LONGEST = 200
"""Maximum number of characters of a password."""
SHORTEST_PASSWORD = 10
FEWEST_GUESSES = 8.0
"""Decimal logarithm of the guesses that a password has to withstand, by a guesser who knows words, names, dates and keyboards."""
_JUDGED = 32
"""Number of characters that are judged, because replaced letters in a longer text take seconds."""
_QUIET = {"synchronize_session": False}

_hasher = PasswordHasher()
_fast_hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_dummy = _hasher.hash("nobody has this password")
_hashing = ThreadPoolExecutor(2, thread_name_prefix="hashing")
_waiting: Counter[str] = Counter()
"""Lane, address or known source -> number of passwords that wait for the hashing threads."""
MOST_WAITING = 40
"""Maximum number of passwords of strangers, and of others, that wait: at 25 ms each, a second."""
MOST_WAITING_ALIKE = 8
"""Maximum number of them from one address, browser or session."""
BUSY = timedelta(seconds=2)
"""Delay of an attempt that finds no place in the queue."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which no encoding can store."""


async def proven(
    scope: Scope,
    login: str,
    password: str,
    then: Callable[[Scope, Connection, int], T],
    *,
    noted: bool,
    browser: str | None = None,
) -> T | None:
    """The result of `then` for the user whose password this is; None for a wrong password.  Raises TooManyAttempts.

    `then` gets the scope, the connection and the user id, in the transaction that logs the attempt.  A wrong password
    is always logged, a right one only if `noted`.  `browser` is the secret of the browser's cookie.
    """
    entrances = scope.backend.entrances
    async with scope.backend.read_engine.connect() as connection:
        origin = await connection.run_sync(origin_of, scope, login, browser)
        await connection.run_sync(check_throttle, entrances, origin, scope.now())
        found = await connection.run_sync(_credential, login)
    with _place_in_queue(origin, scope.now()):
        right = await _on_hashing_thread(_verify, found[1] if found else _dummy, password)

    def judge(unit: Unit) -> T | None:
        connection, now = unit.connection, scope.now()
        lock_throttle(connection, origin)
        check_throttle(connection, entrances, origin, now)
        ok = right and found is not None and _credential(connection, login) == found
        if noted or not ok:
            log_attempt(connection, origin, now, ok=ok)
        return then(scope, connection, found[0]) if ok and found is not None else None

    answer: T | None = await scope.backend.writer.submit(judge)
    return answer


@contextmanager
def _place_in_queue(origin: Origin, now: datetime) -> Iterator[None]:
    """A place in the queue for the hashing threads.  Raises TooManyAttempts when there is none.

    Known browsers and sessions have places of their own, and no address takes all places of strangers.
    """
    lane = "known" if origin.source is not None else "strangers"
    taken = (lane, MOST_WAITING), (f"from {origin.source or origin.address}", MOST_WAITING_ALIKE)
    if any(_waiting[place] >= most for place, most in taken):
        raise TooManyAttempts(until=now + BUSY, now=now)
    _waiting.update(place for place, _ in taken)
    try:
        yield
    finally:
        _waiting.subtract(place for place, _ in taken)
        for place, _ in taken:
            if not _waiting[place]:
                del _waiting[place]


def _credential(connection: Connection, login: str) -> tuple[int, str] | None:
    statement = (
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.login == login, User.active, User.deleted_at.is_(None))
    )
    found = connection.execute(statement).first()
    return (found.id, found.password_hash) if found else None


def check_password(password: str, login: str, name: str = "") -> None:
    """Raise Validation for a password that is too short, too long, or easy to guess for who knows the person.

    Takes a third of a second at most, without the interpreter's lock.
    """
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST or _SURROGATE.search(password):
        said = (
            f"A password has {SHORTEST_PASSWORD} to {_LONGEST} characters.",
            f"密码长度须为 {SHORTEST_PASSWORD} 至 {_LONGEST} 个字符。",
        )
        kind = TooShort if len(password) < SHORTEST_PASSWORD else TooLong
        raise refused(kind, "password", *said, min=SHORTEST_PASSWORD, max=_LONGEST)
    plain = unicodedata.normalize("NFKC", password).casefold()
    known = ["millpond", login, name.lower(), *name.lower().split()]
    if login in plain or zxcvbn(plain[:_JUDGED], known).guesses_log10 < FEWEST_GUESSES:
        raise Validation(
            "This password is too easily guessed. Take several words that do not belong together.",
            "密码过于简单，请使用几个互不相关的词。",
            field="password",
        )


async def confirm_password(scope: Scope, password: str, field: str = "password") -> None:
    """Raise SignInRefused unless this is the caller's password, TooManyAttempts after several wrong ones."""
    if await proven(scope, scope.person.login, password, lambda *_: True, noted=False) is None:
        raise SignInRefused(field=field)


async def change_password(scope: Scope, old: str, new: str, keep_tokens: Collection[int] = ()) -> None:
    """Set a new password for the caller.  Their other sessions end, and their tokens except `keep_tokens`.

    Raises SignInRefused for a wrong old password, TooManyAttempts after several of them, Validation.
    """
    scope.refuse_view_as()
    scope = scope.allowing_one_time_password()
    login = scope.person.login
    await _on_hashing_thread(check_password, new, login, scope.person.name)
    if new == old:
        raise Validation("The new password is the old one.", "新密码不能与旧密码相同。", field="password")
    await confirm_password(scope, old, "old")
    hashed = await _on_hashing_thread(hash_password, new)
    await scope.run(set_password, login, hashed, one_time=False, keep_tokens=keep_tokens)


def set_password(scope: Scope, login: str, hashed: str, *, one_time: bool, keep_tokens: Collection[int] = ()) -> None:
    """Store a hashed password, and end the user's other sessions and their tokens.

    A token goes on only when its owner, who sets their own password, names it in `keep_tokens`.  Needs the right to edit
    the user, except for the caller's own password that is not for one use.  Raises NotFound, Forbidden, BeyondCeiling.
    """
    with scope.write("user.password") as db:
        user = db.execute(select(User).where(User.login == login, User.deleted_at.is_(None))).scalar_one_or_none()
        if user is None:
            raise NotFound(what=User.names)
        is_own = user.id == scope.person.id and not one_time
        if not is_own:
            scope.load(db, User, user.id, to="edit")
            guard_account(scope, db, user.id)
        _store(scope, db, user, hashed, one_time=one_time, keep_tokens=keep_tokens if is_own else ())


async def give_one_time_password(scope: Scope, user_id: int) -> str:
    """A new password for one use, which is returned this once and stored as a hash.

    The former password, every session and every token of the user end, and failed attempts so far no longer delay them.
    Raises NotFound, Forbidden, InBin, BeyondCeiling for a user with rights that the caller may not grant.
    """
    secret = one_time_password()
    await scope.run(set_one_time_password, user_id, hash_generated(secret))
    return secret


def set_one_time_password(scope: Scope, user_id: int, hashed: str) -> None:
    """Store a hashed password for one use, as `give_one_time_password` says."""
    with scope.write("user.password") as db:
        user = scope.load(db, User, user_id, to="edit")
        guard_account(scope, db, user.id)
        _store(scope, db, user, hashed, one_time=True)


def _store(
    scope: Scope, db: Session, user: User, hashed: str, *, one_time: bool, keep_tokens: Collection[int] = ()
) -> None:
    """Store a hashed password, and end what the former one has opened."""
    row = db.get(Credential, user.id) or Credential(user_id=user.id)
    row.password_hash, row.changed_at, row.one_time = hashed, scope.now(), one_time
    row.unlocked_at = scope.now() if one_time else row.unlocked_at
    db.add(row)
    _end_sessions(scope, db, user.id)
    ended = _end_tokens(scope, db, user.id, keep_tokens)
    changes: Changes = {"password": [None, "for one use" if one_time else "chosen"]}
    log_now(db, user, changes | ({"token": [ended if len(ended) > 1 else ended[0], None]} if ended else {}))


def set_first_password(scope: Scope, db: Session, user: User, hashed: str) -> None:
    """Store the password for one use of a user whom this transaction creates.  Judge the account: `guard_account`."""
    scope.load(db, User, user.id, to="edit")
    now = scope.now()
    db.add(Credential(user_id=user.id, password_hash=hashed, changed_at=now, one_time=True, unlocked_at=now))
    log_now(db, user, {"password": [None, "for one use"]})


def _end_sessions(scope: Scope, db: Session, user_id: int) -> None:
    """End every session of a user except the one that makes this request."""
    live = update(SignInSession).where(SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None))
    if scope.token is not None and user_id == scope.person.id:
        live = live.where(SignInSession.token_hash != principals.hash_of(scope.token))
    db.execute(live.values(revoked_at=scope.now()), execution_options=_QUIET)


def _end_tokens(scope: Scope, db: Session, user_id: int, keep: Collection[int]) -> list[str]:
    """End the tokens of a user except those to keep; returns the names of those that were in force."""
    now = scope.now()
    live = and_(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.id.not_in(keep))
    in_force = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
    names = list(db.execute(select(ApiToken.name).where(live, in_force).order_by(ApiToken.id)).scalars())
    db.execute(update(ApiToken).where(live).values(revoked_at=now), execution_options=_QUIET)
    return names


def hash_password(password: str) -> str:
    """The argon2id hash of a password; takes about 50 ms on purpose."""
    return _hasher.hash(password)


def hash_generated(password: str) -> str:
    """The argon2id hash of a generated password, in a millisecond: one of 2^79 is not guessed, however fast."""
    return _fast_hasher.hash(password)


def one_time_password() -> str:
    """A random password that is easy to read aloud; the user has to change it at the first sign-in."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def _verify(stored: str, password: str | None) -> bool:
    """Whether this is the password; a hash that is fast to verify takes the time of the others."""
    if _is_of_other_cost(stored):
        _matches(_dummy, password)
    return _matches(stored, password)


def _is_of_other_cost(stored: str) -> bool:
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return False


def _matches(stored: str, password: str | None) -> bool:
    try:
        return _hasher.verify(stored, (password or "").encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


async def chosen_password(password: str, login: str, name: str) -> str:
    """The hash of a password that an administrator has chosen for one use.  Raises Validation for a weak one."""
    await _on_hashing_thread(check_password, password, login, name)
    return await _on_hashing_thread(hash_password, password)


async def _on_hashing_thread(work: Callable[..., T], *arguments: Any) -> T:
    """The result of slow work, done on one of the two hashing threads of the process."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, work, *arguments)
