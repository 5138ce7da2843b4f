"""The person as the transaction of a use case sees them: rights may have changed while the use case waited."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, String, bindparam, or_, select

from models import User
from models.base import Utc
from models.database.bypass import Because
from models.database.prepared import Prepared
from models.errors import NotSignedIn
from policies import Principal

from .principals import BY_ID, PERSON_COLUMNS, Key, hash_of, kind_of_key, person_of

InForce = tuple[int, str]
"""The newest policy revision, and the edition of the custom fields."""


def as_of_now(
    connection: Connection, was: Principal | None, token: str | None
) -> tuple[Principal | None, InForce | None]:
    """The person as they are, and what is in force where the same statement saw it.

    A system principal and a user who views as another stay as they were: the one has no row, the other changes nothing.
    Raises NotSignedIn for a user who was deactivated, or whose token has ended.
    """
    if was is None or was.id is None or was.viewed_by is not None:
        return was, None
    if token is None:
        row = _person().first(connection, id=was.id, now=was.now)
    else:
        row = _owner(kind_of_key(token)).first(connection, id=was.id, now=was.now, hash=hash_of(token))
    if row is None:
        raise NotSignedIn
    revision, edition = row[PERSON_COLUMNS:]
    return _read(tuple(row[:PERSON_COLUMNS]), was.language).at(was.now), (revision or 0, edition or "")


@cache
def _person() -> Prepared:
    return Prepared(BY_ID, because=Because.JUDGES_RIGHTS)


@cache
def _owner(key: Key) -> Prepared:
    """The same while the token of the request is in force; its idle time was judged when the request came."""
    hash, now = bindparam("hash", type_=String()), bindparam("now", type_=Utc())
    mine = select(key.id).where(key.token_hash == hash, key.user_id == User.id, key.revoked_at.is_(None))
    in_force = mine.where(or_(key.expires_at.is_(None), key.expires_at > now)).correlate(User).exists()
    return Prepared(BY_ID.where(in_force), because=Because.JUDGES_RIGHTS)


@lru_cache(maxsize=2048)
def _read(row: tuple[Any, ...], language: str) -> Principal:
    """The person in a row, at no particular time, in the language of the request."""
    person = person_of(row, datetime.min.replace(tzinfo=UTC))
    object.__setattr__(person, "language", language)
    return person
