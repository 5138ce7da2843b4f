"""Who is asking: a person with roles, department and seats, or a part of the system that acts under lines too."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam

from models.base import Utc

NUMBERS = ("id", "department_id")
SETS = ("role_ids", "departments", "subtree", "pools", "member_pools", "admin_pools")
"""What of a person gets into a statement: numbers, and sets of numbers."""

NOW: BindParameter[datetime] = bindparam("now", type_=Utc())
"""The time that a statement is given when it runs."""


@dataclass(frozen=True)
class Principal:
    """Everything that policy words ask about a person, fetched once per request.

    `roles` are role codes held now.  `departments` are the person's own and all above it, because a seat or share of any
    of those counts for the person.  `subtree` is their own department and all below.
    """

    id: int | None
    name: str
    now: datetime
    roles: frozenset[str] = frozenset()
    role_ids: frozenset[int] = frozenset()
    department_id: int | None = None
    departments: frozenset[int] = frozenset()
    subtree: frozenset[int] = frozenset()
    pools: frozenset[int] = frozenset()
    member_pools: frozenset[int] = frozenset()
    admin_pools: frozenset[int] = frozenset()
    login: str = ""
    language: str = field(default="en", compare=False)
    zone: str = field(default="UTC", compare=False)
    """The time zone in which the days of the organisation begin."""
    must_change_password: bool = field(default=False, compare=False)
    looker: "Principal | None" = None
    """The user who views as this person, changes nothing, and does not get past a lock in this way."""

    def __post_init__(self) -> None:
        """Drop the role codes of the system: a user who signs in is no part of it, whatever code a role has."""
        if self.id is not None:
            object.__setattr__(self, "roles", frozenset(role for role in self.roles if not is_system_role(role)))

    @property
    def viewed_by(self) -> int | None:
        """The id of the user who views as this person; None for the person as such."""
        return self.looker.id if self.looker is not None else None

    def at(self, now: datetime) -> "Principal":
        """The same person at another moment.  A microsecond, where `replace` takes ten."""
        other = object.__new__(Principal)
        other.__dict__.update(self.__dict__, now=now)
        if self.looker is not None:
            other.__dict__["looker"] = self.looker.at(now)
        return other


def whenever(p: Principal) -> Principal:
    """The same person at the time NOW, so that clauses written for one request serve the next one as well."""
    at: Any = NOW
    return p.at(at)


def is_system_role(role: str) -> bool:
    """Whether a role belongs to the system itself: `system`, `system:demo`."""
    return role == "system" or role.startswith("system:")


def system(name: str, now: datetime, *, alone: bool = False) -> Principal:
    """A part of the system, like `system:demo`.  Its rights come from lines for the role of that name or `system`.

    `alone`: from lines for the role of that name only.
    """
    return Principal(id=None, name=name, now=now, roles=frozenset({name} if alone else {"system", name}))
