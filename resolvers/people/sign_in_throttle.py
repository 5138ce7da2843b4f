"""Throttle of sign-in by growing delays, and the log of sign-in attempts.

Strangers are delayed per person and address, per address, and, when many addresses guess, per person.  A browser in which
the person has signed in before, and a live session, have budgets of their own, so nobody else's guesses keep them out.

Exact under concurrency: an attempt is checked again, under a lock, in the transaction that logs it.  So a caller who
guesses faster learns nothing from the guesses beyond the limit, not even that one was right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, text
from sqlalchemy.orm import Session

from models import Credential, SignInAttempt, SignInSession, User
from models.audit.recording import log_now
from models.errors import Forbidden, NotFound, TooManyAttempts, Validation

from ..runtime import principals
from ..runtime.principals import Entrances
from ..runtime.scope import Scope

LARGEST_PAGE = 200
FIRST_DELAY = timedelta(seconds=15)
"""Delay after the last failed attempt that a limit allows; it doubles with each further one."""

REMEMBERED = 4
"""Number of windows for which a failed attempt counts, so that the delay stays long while the guessing goes on."""


@dataclass(frozen=True)
class Origin:
    """Whose password is tried, and from where.  `source` is a browser known to that person, or a session, as a hash."""

    login: str
    address: str | None
    source: str | None = None


def normalized_login(login: str | None) -> str:
    """The typed login in a form that can be looked up and stored: printable, lower case, at most 40 characters."""
    return "".join(c for c in (login or "") if c.isprintable()).strip().lower()[:40]


def origin_of(connection: Connection, scope: Scope, login: str, browser: str | None = None) -> Origin:
    """The origin of an attempt of this scope; `browser` is the secret of the browser's cookie."""
    address = _network(scope.address)
    if scope.token is not None:
        return Origin(login, address, principals.hash_of(scope.token))
    hash = principals.hash_of(browser) if browser else None
    known = select(SignInSession.id).join(User, User.id == SignInSession.user_id)
    known = known.where(SignInSession.browser_hash == hash, User.login == login, User.deleted_at.is_(None)).limit(1)
    return Origin(login, address, hash if hash and connection.execute(known).first() is not None else None)


def _network(address: str | None) -> str | None:
    """The address, or the /64 network of an IPv6 address: whoever has one address there has all of them."""
    try:
        at = ip_address(address or "")
    except ValueError:
        return (address or "")[:60] or None
    if not isinstance(at, IPv6Address):
        return str(at)
    return str(at.ipv4_mapped or f"{IPv6Address(int(at) >> 64 << 64)}/64")


def check_throttle(connection: Connection, entrances: Entrances, origin: Origin, now: datetime) -> None:
    """Raise TooManyAttempts while an attempt of this origin has to wait."""
    failures = and_(SignInAttempt.at > now - REMEMBERED * entrances.window, ~SignInAttempt.ok)
    for mine, limit in _budgets(connection, entrances, origin, now):
        counted = select(func.count(), func.max(SignInAttempt.at)).where(failures, mine)
        count, newest = connection.execute(counted).one()
        if count >= limit:
            until = newest + min(entrances.window, FIRST_DELAY * 2 ** min(count - limit, 20))
            if until > now:
                raise TooManyAttempts(until=until, now=now)


def _budgets(
    connection: Connection, entrances: Entrances, origin: Origin, now: datetime
) -> Iterator[tuple[ColumnElement[bool], int]]:
    """(the attempts that share a budget, the failures that it allows) for everything that counts for an origin.

    After `unlock` the person's former failures do not count, and for a while neither do those of their address.
    """
    lifted = _lifted(connection, origin.login)
    of_person = SignInAttempt.login == origin.login
    if lifted is not None:
        of_person = and_(of_person, SignInAttempt.at >= lifted)
    if origin.source is not None:
        yield and_(of_person, SignInAttempt.source == origin.source), entrances.tries
        return
    strangers = SignInAttempt.source.is_(None)
    from_there = and_(SignInAttempt.address == origin.address, strangers)
    yield and_(of_person, from_there), entrances.tries
    yield and_(of_person, strangers), entrances.tries_per_account
    if origin.address is not None and (lifted is None or lifted <= now - entrances.window):
        yield from_there, entrances.tries_per_address


def _lifted(connection: Connection, login: str) -> datetime | None:
    """When the sign-in of a person was unlocked, by itself or with a password for one use."""
    wanted = select(Credential.unlocked_at).join(User, User.id == Credential.user_id)
    return connection.execute(wanted.where(User.login == login, User.deleted_at.is_(None))).scalar()


def unlock(scope: Scope, login: str) -> None:
    """Make the failed attempts so far not count for a person.  Raises NotFound, Forbidden, Validation (no password)."""
    with scope.write("user.edit") as db:
        found = db.execute(select(User.id).where(User.login == login, User.deleted_at.is_(None))).scalar()
        if found is None:
            raise NotFound(what=User.names)
        unlock_account(scope, found)


def unlock_account(scope: Scope, user_id: int) -> None:
    """The same for a user by their id.  Raises NotFound, Forbidden, InBin, Validation (no password)."""
    with scope.write("user.edit") as db:
        user = scope.load(db, User, user_id, to="edit")
        row = db.get(Credential, user.id)
        if row is None:
            raise Validation(
                f"{user.name} has no password yet. Set a one-time password first.",
                f"{user.name} 还没有密码，请先设置一次性密码。",
            )
        row.unlocked_at = scope.now()
        log_now(db, user, {})


def lock_throttle(connection: Connection, origin: Origin) -> None:
    """Lock the budgets of an origin until this transaction ends; on SQLite the one writer is lock enough."""
    if connection.dialect.name == "postgresql":
        for word in sorted({f"login {origin.login}", f"address {origin.address}"}):
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:word, 0))"), {"word": word})


def log_attempt(connection: Connection, origin: Origin, now: datetime, *, ok: bool) -> None:
    """Log an attempt, a failed one too, with the user whose login was used: they may read it in their own log."""
    person = select(User.id).where(User.login == origin.login, User.deleted_at.is_(None)).scalar_subquery()
    made = {"at": now, "login": origin.login, "address": origin.address, "source": origin.source, "ok": ok}
    connection.execute(insert(SignInAttempt).values(**made, user_id=person))


def sign_in_log(
    scope: Scope,
    db: Session,
    *,
    login: str | None = None,
    before: int | None = None,
    first: int = 50,
    ids: Sequence[int] | None = None,
) -> list[SignInAttempt]:
    """A page of at most LARGEST_PAGE sign-in attempts, newest first.  Raises Forbidden.

    The policy for the module `session` decides whose attempts the caller sees.  `before` is the id of the last attempt
    on the previous page; `ids`: only these.
    """
    if not scope.policy.ever(scope.person, "view", "session"):
        raise Forbidden(action="session.view")
    wanted = select(SignInAttempt).where(scope.policy.where(scope.person, "view", SignInAttempt))
    if login is not None:
        wanted = wanted.where(SignInAttempt.login == normalized_login(login))
    if before is not None:
        wanted = wanted.where(SignInAttempt.id < before)
    if ids is not None:
        wanted = wanted.where(SignInAttempt.id.in_(ids))
    page = wanted.order_by(SignInAttempt.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))
    return list(db.execute(page).scalars())
