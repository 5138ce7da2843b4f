"""Standings: where each user stands, by departments, seats and shares, as the limits of granting compare it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, and_, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, Department, PoolMember, Role, Share, User
from models.database.bypass import Because, bypass_policy
from models.pool import GranteeKind, Seat
from models.share import ShareLevel
from policies.reach import DEPARTMENT, POOL, SHARE, Standing
from policies.review import Roles

from ..runtime.scope import Scope

Grantee = tuple[GranteeKind, int]
SEATS = {Seat.VIEWER: 2, Seat.MEMBER: 3, Seat.ADMIN: 4}
SHARES = {ShareLevel.VIEW: 1, ShareLevel.EDIT: 2}
"""How many words of policy lines are true where a user has such a seat or share."""


@dataclass(frozen=True)
class Chart:
    """The rows that decide where users stand: departments, the active users in them, seats, roles and shares."""

    paths: Mapping[int, str]
    homes: Mapping[int, int | None]
    seats: frozenset[tuple[Grantee, int, Seat]]
    shares: Mapping[Grantee, int]
    role_ids: Mapping[str, int]
    away: int | None = None
    """A user who stands nowhere, because they were not active."""

    def moved(self, user_id: int, department_id: int | None) -> "Chart":
        """The same with a user in another department."""
        return replace(self, homes={**self.homes, user_id: department_id})

    def standing(self, user_id: int | None, roles: Roles) -> Standing:
        """Where a user stands who holds these roles."""
        if user_id is None or user_id == self.away:
            return Standing(roles)
        home = self.homes.get(user_id)
        path = self.paths.get(home, "") if home is not None else ""
        above = {int(id) for id in path.split("/") if id}
        grantees = {
            (GranteeKind.USER, user_id),
            *((GranteeKind.DEPARTMENT, id) for id in above),
            *((GranteeKind.ROLE, self.role_ids[code]) for code in roles if code in self.role_ids),
        }
        places: dict[tuple[tuple[str, ...], object], int] = {}
        for grantee, pool_id, seat in self.seats:
            if grantee in grantees:
                places[POOL, pool_id] = max(places.get((POOL, pool_id), 0), SEATS[seat])
        below = (id for id, other in self.paths.items() if path and other.startswith(path))
        places |= {(DEPARTMENT, id): 2 if id == home else 1 for id in below}
        places |= {(SHARE, grantee): self.shares[grantee] for grantee in grantees & self.shares.keys()}
        return Standing(roles, frozenset(places.items()))


def chart(scope: Scope, db: Session, of: int | None = None) -> Chart:
    """Where all users stand now; with what is shared with the user `of` alone.  Five short queries, which flush first."""
    seats = select(PoolMember.grantee_kind, PoolMember.grantee_id, PoolMember.pool_id, PoolMember.seat)
    return Chart(
        paths=dict(_rows(db, select(Department.id, Department.path))),
        homes=dict(_rows(db, select(User.id, User.department_id).where(User.deleted_at.is_(None)))),
        seats=frozenset(
            ((kind, id), pool_id, seat)
            for kind, id, pool_id, seat in _rows(db, seats.where(PoolMember.deleted_at.is_(None)))
        ),
        shares=_shares(db, scope.person.now, of),
        role_ids=dict(_rows(db, select(Role.code, Role.id).where(Role.deleted_at.is_(None)))),
    )


def what_is_own(db: Session, user_id: int) -> set[str]:
    """The words `own` and `created`, as far as there is a record that the user owns or has created."""
    columns = {"own": "owner_id", "created": "created_by_id"}
    tables = {model.__table__ for model in ENTITIES if "owner_id" in model.__table__.c or model.visible_through}
    return {
        word
        for word, key in columns.items()
        if any(
            _rows(db, select(table.c.id).where(table.c[key] == user_id).limit(1)) for table in tables if key in table.c
        )
    }


# --- steps -----------------------------------------------------------------------------------------------


def _rows(db: Session, statement: Executable) -> list[Any]:
    return [tuple(row) for row in db.execute(statement, execution_options=bypass_policy(Because.JUDGES_RIGHTS))]


def _shares(db: Session, now: datetime, of: int | None) -> dict[Grantee, int]:
    """Grantee -> the highest level at which a customer is shared with them."""
    kind, id = Share.grantee_kind, Share.grantee_id
    asked = select(kind, id, Share.level).where(
        or_(kind.in_([GranteeKind.DEPARTMENT, GranteeKind.ROLE]), and_(kind == GranteeKind.USER, id == (of or 0))),
        Share.revoked_at.is_(None),
        or_(Share.ends_at.is_(None), Share.ends_at > now),
    )
    given: dict[Grantee, int] = {}
    for which, who, level in _rows(db, asked.distinct()):
        given[which, who] = max(given.get((which, who), 0), SHARES[level])
    return given
