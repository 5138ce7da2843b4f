"""Principals: from a token or a login to a user with roles, departments and pools.

One plain statement per request.  No right is cached, so a role that was taken away is gone at once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, reduce
from operator import add
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import aliased

from models import (
    ApiToken,
    Credential,
    Department,
    Organisation,
    PolicyRevision,
    PoolMember,
    Role,
    SignInSession,
    User,
    UserRole,
)
from models.base import Utc
from models.database.compiled import CompiledStatement, compile_statement
from models.errors import NotFound
from models.pool import GranteeKind, Seat
from policies import Principal

from .field_book import EDITION
from .viewer import Requester


@dataclass(frozen=True)
class Entrances:
    """How long sessions last, and how many failed attempts to sign in are allowed."""

    idle: timedelta = timedelta(hours=12)
    """Time without use after which a session ends."""
    life: timedelta = timedelta(days=14)
    """Time after which a session ends even when it is used."""
    tries: int = 8
    """Failures from one address, browser or session at one login, after which attempts are delayed."""
    tries_per_address: int = 40
    """Failures from one address, whatever the login."""
    tries_per_account: int = 100
    """Failures of strangers at one login, whatever the address."""
    window: timedelta = timedelta(minutes=15)
    """The longest delay; failures count for four times as long."""


Key = type[SignInSession] | type[ApiToken]
FRESH = timedelta(minutes=5)
"""Precision of `seen_at`: a write at every request would make every read a write."""


@dataclass(frozen=True)
class Identity:
    """A principal, the token that they came with, and what the same statement saw in force.

    `revision` is that of the policy, `edition` that of the custom fields.
    """

    principal: Principal
    revision: int
    edition: str
    key: Key
    key_id: int
    stale: bool
    row: tuple[Any, ...]
    """What the database said of them: when it says the same again, they are the same."""
    sees_many: bool = False
    """A hint to the planner, see `selectivity.py`."""

    @cached_property
    def requester(self) -> Requester:
        return Requester(self.principal, self.sees_many)

    def is_confirmed_by(self, row: Sequence[Any]) -> bool:
        """Whether a row of `with_identity` says the same again of person, rights, policy and token.

        The last column, whether the use of the token has to be noted, is left out.
        """
        return tuple(row[: IDENTITY_COLUMNS - 1]) == self.row[: IDENTITY_COLUMNS - 1]


def hash_of(token: str) -> str:
    """How a token is stored.  It has 256 random bits: a fast hash is right."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def token_query(key: Key) -> Select[Any]:
    """SELECT of the owner of a token that is in force, with roles and pools.  Runs with `token_values`."""
    hash, now = bindparam("hash", type_=String()), bindparam("now", type_=Utc())
    alive = [key.token_hash == hash, key.revoked_at.is_(None), or_(key.expires_at.is_(None), key.expires_at > now)]
    if key is SignInSession:
        alive.append(key.seen_at > bindparam("idle_since", type_=Utc()))
        alive.append(
            key.looker_id.is_(None)
        )  # a session of view-as opens nothing by itself (`resolvers/people/view_as.py`)
    is_stale = or_(key.seen_at.is_(None), key.seen_at < bindparam("stale_since", type_=Utc()))
    rows = _people(now).join(key, key.user_id == User.id).add_columns(key.id, case((is_stale, 1), else_=0))
    return rows.where(*alive)


def token_statement(key: Key, dialect: Dialect) -> CompiledStatement:
    """`token_query` for the driver, compiled once per process."""
    made = key, dialect.driver
    if made not in _STATEMENTS:
        _STATEMENTS[made] = compile_statement(token_query(key), dialect)
    return _STATEMENTS[made]


_STATEMENTS: dict[tuple[Key, str], CompiledStatement] = {}


def with_identity(key: Key, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """`token_query` with further columns in the same statement: no row when the token is not in force.

    The first IDENTITY_COLUMNS columns are those of `token_query`.
    """
    who = token_query(key).subquery()
    return select(*who.c, *columns)


def token_values(token: str, now: datetime, entrances: Entrances) -> dict[str, Any]:
    return {"hash": hash_of(token), "now": now, "idle_since": now - entrances.idle, "stale_since": now - FRESH}


def kind_of_key(token: str) -> Key:
    return ApiToken if token.startswith("mp_") else SignInSession


def identity_of(row: Sequence[Any], now: datetime, key: Key) -> Identity:
    """The identity in a row of `token_query`."""
    *person, revision, edition, key_id, is_stale = row
    return Identity(person_of(person, now), revision or 0, edition or "", key, key_id, bool(is_stale), tuple(row))


def by_login(connection: Connection, login: str, now: datetime) -> Principal:
    return _found(connection, _BY_LOGIN, {"login": login, "now": now})


def by_id(connection: Connection, id: int, now: datetime) -> Principal:
    return _found(connection, BY_ID, {"id": id, "now": now})


def everybody(connection: Connection, now: datetime) -> list[Principal]:
    """Every active user with roles, departments and pools, in one statement."""
    return [person_of(row[:PERSON_COLUMNS], now) for row in connection.execute(_EVERYBODY, {"now": now})]


def _found(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Principal:
    row = connection.execute(statement, values).first()
    if row is None:
        raise NotFound(what=User.names)
    return person_of(row[:PERSON_COLUMNS], values["now"])


def seen(connection: Connection, identity: Identity, now: datetime) -> None:
    """Note the use of a token."""
    connection.execute(update(identity.key).where(identity.key.id == identity.key_id).values(seen_at=now))


def _people(now: BindParameter[datetime]) -> Select[Any]:
    """Active people, each in one row: roles, seats and departments as text.

    The newest policy revision and the edition of the custom fields stand at the end.
    """
    newest = select(func.max(PolicyRevision.number)).scalar_subquery()
    return (
        select(
            User.id,
            User.login,
            User.name,
            User.department_id,
            User.language,
            case((Credential.one_time, 1), else_=0),
            Department.path,
            _roles(now),
            _seats(now),
            _subtree(),
            select(Organisation.time_zone).limit(1).scalar_subquery(),
            newest,
            EDITION,
        )
        .outerjoin(Department, Department.id == User.department_id)
        .outerjoin(Credential, Credential.user_id == User.id)
        .where(User.active, User.deleted_at.is_(None))
    )


def person_of(row: Sequence[Any], now: datetime) -> Principal:
    id, login, name, department_id, language, one_time, path, roles, seats, below, zone = row
    held = [(int(number), code) for number, code in _pairs(roles)]
    taken = [(int(pool), seat) for pool, seat in _pairs(seats)]
    return Principal(
        id=id,
        login=login,
        name=name,
        now=now,
        roles=frozenset(code for _, code in held),
        role_ids=frozenset(number for number, _ in held),
        department_id=department_id,
        departments=frozenset(int(id) for id in (path or "").split("/") if id),
        subtree=frozenset(int(id) for id in (below or "").split(",") if id),
        pools=frozenset(pool for pool, _ in taken),
        member_pools=frozenset(pool for pool, seat in taken if seat != Seat.VIEWER),
        admin_pools=frozenset(pool for pool, seat in taken if seat == Seat.ADMIN),
        language=language,
        must_change_password=bool(one_time),
        zone=zone or "UTC",
    )


def _pairs(text: str | None) -> list[list[str]]:
    return [pair.split(":", 1) for pair in (text or "").split(",") if pair]


def _together(*parts: Any) -> Any:
    """The rows of a subquery as one text: `3:sales,5:lead`."""
    return func.aggregate_strings(reduce(add, (cast(part, Text) for part in parts)), ",")


def _held(now: BindParameter[datetime]) -> list[ColumnElement[bool]]:
    return [
        UserRole.user_id == User.id,
        UserRole.deleted_at.is_(None),
        Role.deleted_at.is_(None),
        or_(UserRole.starts_at.is_(None), UserRole.starts_at <= now),
        or_(UserRole.ends_at.is_(None), UserRole.ends_at > now),
    ]


def _roles(now: BindParameter[datetime]) -> Any:
    rows = select(_together(Role.id, literal(":"), Role.code)).join(UserRole, UserRole.role_id == Role.id)
    return rows.where(*_held(now)).correlate(User).scalar_subquery()


def _seats(now: BindParameter[datetime]) -> Any:
    given = aliased(Department)
    mine = select(Role.id).join(UserRole, UserRole.role_id == Role.id).where(*_held(now)).correlate(User)
    above = select(given.id).where(given.path != "", Department.path.startswith(given.path)).correlate(Department)
    kind, grantee = PoolMember.grantee_kind, PoolMember.grantee_id
    rows = select(_together(PoolMember.pool_id, literal(":"), PoolMember.seat)).where(
        PoolMember.deleted_at.is_(None),
        or_(
            and_(kind == GranteeKind.USER, grantee == User.id),
            and_(kind == GranteeKind.DEPARTMENT, grantee.in_(above)),
            and_(kind == GranteeKind.ROLE, grantee.in_(mine)),
        ),
    )
    return rows.correlate(User, Department).scalar_subquery()


def _subtree() -> Any:
    below = aliased(Department)
    inside = and_(Department.path != "", below.path.startswith(Department.path))
    return select(_together(below.id)).where(inside).correlate(Department).scalar_subquery()


_NOW: BindParameter[datetime] = bindparam("now", type_=Utc())
_EVERYBODY = _people(_NOW)
_BY_LOGIN = _people(_NOW).where(User.login == bindparam("login", type_=String()))
BY_ID = _people(_NOW).where(User.id == bindparam("id", type_=Integer()))

PERSON_COLUMNS = len(BY_ID.selected_columns) - 2
"""Number of columns that say who a person is; what is in force follows: the policy revision, the edition of custom fields."""
IDENTITY_COLUMNS = len(token_query(ApiToken).selected_columns)
"""Number of columns of `token_query`."""
