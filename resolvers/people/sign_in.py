"""Sign-in and sign-out: a session begins with a password and ends with its token."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, update

from models import SignInSession
from models.errors import SignInRefused
from policies import Principal

from ..runtime import principals
from ..runtime.scope import Scope
from .passwords import proven
from .people import login_of as login_of
from .sign_in_throttle import normalized_login

_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class NewSession:
    """A new session.  The token is shown once and stored as a hash."""

    token: str
    expires_at: datetime
    principal: Principal


async def sign_in(scope: Scope, login: str, password: str, browser: str | None = None) -> NewSession:
    """A new session of the user with this login and password.  Raises SignInRefused, TooManyAttempts.

    `browser` is a secret that a browser keeps: after a success, the guesses of others do not delay this browser.
    """

    def begin(scope: Scope, connection: Connection, user_id: int) -> NewSession:
        now, entrances = scope.now(), scope.backend.entrances
        return open_session(connection, user_id, now, entrances, scope.address, scope.agent, browser)

    login = normalized_login(login)
    entrance = await proven(scope, login, password, begin, noted=True, browser=browser)
    if entrance is None:
        raise SignInRefused
    return entrance


def open_session(
    connection: Connection,
    user_id: int,
    now: datetime,
    entrances: principals.Entrances,
    address: str | None = None,
    agent: str | None = None,
    browser: str | None = None,
) -> NewSession:
    """A new session of the user, with a token of its own."""
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
            browser_hash=principals.hash_of(browser) if browser else None,
        )
    )
    return NewSession(token, expires_at, principals.by_id(connection, user_id, now))


def sign_out(scope: Scope, token: str) -> None:
    """End the caller's session that this token belongs to; an unknown token is no error."""
    scope = scope.allowing_one_time_password()
    with scope.write("session.end") as db:
        ended = update(SignInSession).where(
            SignInSession.token_hash == principals.hash_of(token),
            SignInSession.user_id == scope.me,
            SignInSession.revoked_at.is_(None),
        )
        db.execute(ended.values(revoked_at=scope.now()), execution_options=_QUIET)


# --- steps -----------------------------------------------------------------------------------------------


def _printable(text: str | None, length: int) -> str | None:
    """The printable characters of a text, cut to `length`; None for an empty one."""
    return "".join(c for c in (text or "") if c.isprintable())[:length] or None
