"""The brake on guessing passwords, and the log of every try to sign in.

Exact, whatever comes at the same time: a try is judged once more, under a lock, in the transaction that writes it
down.  Who guesses faster than that learns nothing from the guesses beyond the limit, not even that one was right.
"""

from datetime import datetime

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.orm import Session

from models import SignInAttempt, User
from models.audit.entries import BYPASS_POLICY
from models.errors import Forbidden, TooManyAttempts

from ..runtime.principals import Entrances
from ..runtime.scope import Scope

LARGEST_PAGE = 200


def normalized_login(login: str | None) -> str:
    """A login as somebody typed it, in a form that can be looked up and written down, whatever he typed."""
    return "".join(c for c in (login or "") if c.isprintable()).strip().lower()[:40]


def check_throttle(
    connection: Connection, entrances: Entrances, login: str, address: str | None, now: datetime
) -> None:
    """Raise TooManyAttempts while this login or this address has to wait."""
    for column, value, most in (
        (SignInAttempt.login, login, entrances.tries),
        (SignInAttempt.address, address, entrances.tries_per_address),
    ):
        failures = select(SignInAttempt.at).where(
            column == value, SignInAttempt.at > now - entrances.window, ~SignInAttempt.ok
        )
        newest = failures.order_by(SignInAttempt.at.desc(), SignInAttempt.id.desc())
        first_that_counts = connection.execute(newest.offset(most - 1).limit(1)).scalar()
        if value and first_that_counts is not None:
            raise TooManyAttempts(until=first_that_counts + entrances.window)


def hold_throttle(connection: Connection, login: str, address: str | None) -> None:
    """One try of a login, and of an address, at a time until this transaction ends.  SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        for word in sorted({f"login {login}", f"address {address}"}):
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:word, 0))"), {"word": word})


def write_down(connection: Connection, login: str, address: str | None, now: datetime, *, ok: bool) -> None:
    """Note a try.  A wrong one is noted with the person whose login was used: it is his door."""
    person = select(User.id).where(User.login == login, User.deleted_at.is_(None)).scalar_subquery()
    connection.execute(
        insert(SignInAttempt).values(at=now, login=login, user_id=person, address=(address or "")[:60] or None, ok=ok)
    )


def sign_in_log(
    scope: Scope, db: Session, *, login: str | None = None, before: int | None = None, first: int = 50
) -> list[SignInAttempt]:
    """Tries to sign in, the newest first: everybody's for who may view the module `session`, else one's own.

    `before` is the id of the last one on the page before.  Raises Forbidden.
    """
    if not scope.policy.ever(scope.person, "view", "session"):
        raise Forbidden(action="session.view")
    wanted = select(SignInAttempt).where(scope.policy.where(scope.person, "view", SignInAttempt))
    if login is not None:
        wanted = wanted.where(SignInAttempt.login == normalized_login(login))
    if before is not None:
        wanted = wanted.where(SignInAttempt.id < before)
    page = wanted.order_by(SignInAttempt.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))
    return list(db.execute(page, execution_options=BYPASS_POLICY).scalars())
