"""Throttle of sign-in per login and per address, and the log of sign-in attempts.

Exact under concurrency: an attempt is checked again, under a lock, in the transaction that logs it.  So a caller who
guesses faster learns nothing from the guesses beyond the limit, not even that one was right.
"""

from datetime import datetime

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.orm import Session

from models import SignInAttempt, User
from models.errors import Forbidden, TooManyAttempts

from ..runtime.principals import Entrances
from ..runtime.scope import Scope

LARGEST_PAGE = 200


def normalized_login(login: str | None) -> str:
    """The typed login in a form that can be looked up and stored: printable, lower case, at most 40 characters."""
    return "".join(c for c in (login or "") if c.isprintable()).strip().lower()[:40]


def check_throttle(
    connection: Connection, entrances: Entrances, login: str, address: str | None, now: datetime
) -> None:
    """Raise TooManyAttempts while this login or this address has to wait."""
    for column, value, limit in (
        (SignInAttempt.login, login, entrances.tries),
        (SignInAttempt.address, address, entrances.tries_per_address),
    ):
        failures = select(SignInAttempt.at).where(
            column == value, SignInAttempt.at > now - entrances.window, ~SignInAttempt.ok
        )
        newest = failures.order_by(SignInAttempt.at.desc(), SignInAttempt.id.desc())
        oldest_counted = connection.execute(newest.offset(limit - 1).limit(1)).scalar()
        if value and oldest_counted is not None:
            raise TooManyAttempts(until=oldest_counted + entrances.window)


def lock_throttle(connection: Connection, login: str, address: str | None) -> None:
    """Lock the login and the address until this transaction ends; on SQLite the one writer is lock enough."""
    if connection.dialect.name == "postgresql":
        for word in sorted({f"login {login}", f"address {address}"}):
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:word, 0))"), {"word": word})


def log_attempt(connection: Connection, login: str, address: str | None, now: datetime, *, ok: bool) -> None:
    """Log an attempt, a failed one too, with the user whose login was used: they may read it in their own log."""
    person = select(User.id).where(User.login == login, User.deleted_at.is_(None)).scalar_subquery()
    connection.execute(
        insert(SignInAttempt).values(at=now, login=login, user_id=person, address=(address or "")[:60] or None, ok=ok)
    )


def sign_in_log(
    scope: Scope, db: Session, *, login: str | None = None, before: int | None = None, first: int = 50
) -> list[SignInAttempt]:
    """A page of at most LARGEST_PAGE sign-in attempts, newest first.  Raises Forbidden.

    The policy for the module `session` decides whose attempts the caller sees.  `before` is the id of the last attempt
    on the previous page.
    """
    if not scope.policy.ever(scope.person, "view", "session"):
        raise Forbidden(action="session.view")
    wanted = select(SignInAttempt).where(scope.policy.where(scope.person, "view", SignInAttempt))
    if login is not None:
        wanted = wanted.where(SignInAttempt.login == normalized_login(login))
    if before is not None:
        wanted = wanted.where(SignInAttempt.id < before)
    page = wanted.order_by(SignInAttempt.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))
    return list(db.execute(page).scalars())
