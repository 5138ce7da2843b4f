"""Who somebody is: from a token or a login to a principal with roles, department and seats.

Plain statements on a connection, a handful per request; nothing is cached, so a role taken away is gone at once.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select, update

from models import (
    ApiToken,
    Credential,
    Department,
    PolicyRevision,
    PoolMember,
    Role,
    SignInSession,
    User,
    UserRole,
)
from models.errors import NotFound
from models.pool import GranteeKind, Seat
from policies import Principal


@dataclass(frozen=True)
class Entrances:
    """How long sessions last, and how often one may guess."""

    idle: timedelta = timedelta(hours=12)
    """A session ends when nobody has used it for so long,"""
    life: timedelta = timedelta(days=14)
    """and after so long, however busy it is."""
    tries: int = 8
    tries_per_address: int = 40
    window: timedelta = timedelta(minutes=15)
    """So many failures within the window close a login, or an address, until the window has passed."""


FRESH = timedelta(minutes=5)
"""How exact `seen_at` is; writing it at every request would make every read a write."""


@dataclass(frozen=True)
class Identity:
    """A principal, by which key he came, and the policy revision that the same look saw."""

    principal: Principal
    revision: int
    key: type[SignInSession] | type[ApiToken]
    key_id: int
    stale: bool


def hash_of(token: str) -> str:
    """How a token is stored.  It has 256 random bits: a fast hash is right."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def by_token(connection: Connection, token: str, now: datetime, entrances: Entrances) -> Identity | None:
    """Who holds this key; None when it is unknown, has ended, was revoked, or its person is gone."""
    key: type[SignInSession] | type[ApiToken] = ApiToken if token.startswith("mp_") else SignInSession
    rows = _people().join(key, key.user_id == User.id).add_columns(key.id.label("key_id"), key.seen_at)
    alive = and_(key.token_hash == hash_of(token), key.revoked_at.is_(None))
    alive = and_(alive, or_(key.expires_at.is_(None), key.expires_at > now))
    if key is SignInSession:
        alive = and_(alive, key.seen_at > now - entrances.idle)
    found = connection.execute(rows.where(alive)).first()
    if found is None:
        return None
    stale = found.seen_at is None or found.seen_at < now - FRESH
    return Identity(_principal(connection, found, now), found.revision or 0, key, found.key_id, stale)


def by_login(connection: Connection, login: str, now: datetime) -> Principal:
    found = connection.execute(_people().where(User.login == login)).first()
    if found is None:
        raise NotFound(what="person")
    return _principal(connection, found, now)


def by_id(connection: Connection, id: int, now: datetime) -> Principal:
    found = connection.execute(_people().where(User.id == id)).first()
    if found is None:
        raise NotFound(what="person")
    return _principal(connection, found, now)


def seen(connection: Connection, identity: Identity, now: datetime) -> None:
    """Note that the key was used."""
    connection.execute(update(identity.key).where(identity.key.id == identity.key_id).values(seen_at=now))


def _people() -> Select[Any]:
    newest = select(func.max(PolicyRevision.number)).scalar_subquery()
    return (
        select(
            User.id,
            User.login,
            User.name,
            User.department_id,
            User.language,
            Department.path,
            Credential.one_time,
            newest.label("revision"),
        )
        .outerjoin(Department, Department.id == User.department_id)
        .outerjoin(Credential, Credential.user_id == User.id)
        .where(User.active, User.deleted_at.is_(None))
    )


def _principal(connection: Connection, person: Row[Any], now: datetime) -> Principal:
    roles = connection.execute(_roles(person.id, now)).all()
    role_ids = frozenset(row.id for row in roles)
    above = frozenset(int(id) for id in (person.path or "").split("/") if id)
    seats = connection.execute(_seats(person.id, above, role_ids)).all()
    below = connection.execute(select(Department.id).where(Department.path.startswith(person.path or "-"))).scalars()
    return Principal(
        id=person.id,
        login=person.login,
        name=person.name,
        now=now,
        roles=frozenset(row.code for row in roles),
        role_ids=role_ids,
        department_id=person.department_id,
        departments=above,
        subtree=frozenset(below),
        pools=frozenset(row.pool_id for row in seats),
        member_pools=frozenset(row.pool_id for row in seats if row.seat != Seat.VIEWER),
        admin_pools=frozenset(row.pool_id for row in seats if row.seat == Seat.ADMIN),
        language=person.language,
        must_change_password=bool(person.one_time),
    )


def _roles(user_id: int, now: datetime) -> Select[int, str]:
    return (
        select(Role.id, Role.code)
        .join(UserRole, UserRole.role_id == Role.id)
        .where(UserRole.user_id == user_id, UserRole.deleted_at.is_(None), Role.deleted_at.is_(None))
        .where(or_(UserRole.starts_at.is_(None), UserRole.starts_at <= now))
        .where(or_(UserRole.ends_at.is_(None), UserRole.ends_at > now))
    )


def _seats(user_id: int, departments: frozenset[int], roles: frozenset[int]) -> Select[int, Seat]:
    return select(PoolMember.pool_id, PoolMember.seat).where(
        PoolMember.deleted_at.is_(None),
        or_(
            and_(PoolMember.grantee_kind == GranteeKind.USER, PoolMember.grantee_id == user_id),
            and_(PoolMember.grantee_kind == GranteeKind.DEPARTMENT, PoolMember.grantee_id.in_(departments)),
            and_(PoolMember.grantee_kind == GranteeKind.ROLE, PoolMember.grantee_id.in_(roles)),
        ),
    )
