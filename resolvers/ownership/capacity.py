"""Capacity: how many customers a user may hold.

The counter and its limit are one guarded statement in the transaction that changes the owner, so the limit is exact on
both databases with any number of processes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, literal, or_, select, update
from sqlalchemy.orm import Session

from models import Customer, Department, Organisation, OwnerLoad, User
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, upsert
from models.errors import CapacityReached
from policies import Facts

from ..runtime.read_guard import rights


@dataclass(frozen=True)
class Capacity:
    """The number of customers that a user holds, and its limit; None is no limit."""

    held: int
    limit: int | None

    @property
    def full(self) -> bool:
        return self.limit is not None and self.held >= self.limit

    def within(self, limit: int | None) -> "Capacity":
        """The same under one more limit, of which the smaller one applies."""
        limits = [x for x in (self.limit, limit) if x is not None]
        return Capacity(self.held, min(limits) if limits else None)


def limit_of(db: Session, user_id: int) -> int | None:
    """The limit of a user: their own, else that of the nearest department, else the organisation's."""
    return _limits().rows(db, user_id=user_id)[0][0]  # type: ignore[no-any-return]


@cache
def _limit() -> ColumnElement[int | None]:
    """The same of a `:user_id`, within a statement."""
    return _limit_of(bindparam("user_id", type_=Integer()))


def _limit_of(own: Any) -> ColumnElement[int | None]:
    """The limit of the user with this id: a parameter, or a column of the statement around it."""
    people, departments, above = User.__table__, Department.__table__, Department.__table__.alias()
    person, department, nearer = people.c, departments.c, above.c
    mine = select(department.path).where(department.id == person.department_id, person.id == own)
    nearest = (
        select(nearer.capacity)
        .where(nearer.capacity.is_not(None), nearer.deleted_at.is_(None))
        .where(mine.correlate_except(departments, people).scalar_subquery().startswith(nearer.path))
        .order_by(func.length(nearer.path).desc())
        .limit(1)
        .correlate_except(above)
    )
    backend = select(Organisation.__table__.c.capacity).limit(1)
    steps = (select(person.capacity).where(person.id == own).correlate_except(people), nearest, backend)
    return func.coalesce(*(step.scalar_subquery() for step in steps), literal(None))


@cache
def _limits() -> Prepared:
    return Prepared(select(_limit()), because=Because.APPLIES_TO_ALL)


def capacity(db: Session, user_id: int) -> Capacity:
    held = db.execute(select(OwnerLoad.held).where(OwnerLoad.user_id == user_id)).scalar() or 0
    return Capacity(held, limit_of(db, user_id))


def capacities(db: Session, ids: Sequence[int]) -> dict[int, Capacity]:
    """The same of several users.  One statement."""
    found = db.execute(_loads(), {"ids": [*ids]}, execution_options=bypass_policy(Because.APPLIES_TO_ALL))
    return {id: Capacity(held, limit) for id, held, limit in found}


@cache
def _loads() -> Select[Any]:
    user = User.__table__.alias()
    load: Any = OwnerLoad.__table__
    loads = select(user.c.id, func.coalesce(load.c.held, 0), _limit_of(user.c.id))
    loads = loads.select_from(user.outerjoin(load, load.c.user_id == user.c.id))
    return loads.where(user.c.id.in_(bindparam("ids", expanding=True)))


def reserve_capacity(db: Session, user: User, *, at_most: int | None = None) -> None:
    """Count one more customer for `user`.  Raises CapacityReached.  `at_most` is a pool's own, smaller limit."""
    if not _reserve(db, user.id, 1, at_most):
        raise capacity_reached(db, user, at_most)


def reserve_capacities(db: Session, user_id: int, count: int) -> int:
    """Count up to `count` more customers for a user; returns for how many there was room."""
    while count and not _reserve(db, user_id, count):
        room = capacity(db, user_id)
        count = min(count - 1, max(0, (room.limit or 0) - room.held))
    return count


def _reserve(db: Session, user_id: int, count: int, at_most: int | None = None) -> bool:
    given = {"user_id": user_id, "count": count, "at_most": _NO_LIMIT if at_most is None else at_most}
    return _more(upsert(db.get_bind().dialect)).first(db, **given) is not None


def capacity_reached(db: Session, user: User, at_most: int | None = None) -> CapacityReached:
    """The refusal, with the numbers where the caller may see them: their own, or by the right on the field."""
    person, policy = rights(db)
    facts = Facts(owner_id=user.id, department_id=user.department_id)
    is_self = person is not None and person.id == user.id
    if not (is_self or policy.may(person, "view", User.module, facts, "capacity")):
        return CapacityReached(name=user.name)
    room = capacity(db, user.id).within(at_most)
    return CapacityReached(name=user.name, held=room.held, limit=room.limit)


_NO_LIMIT = 2**31 - 1


@cache
def _more(insert: Any) -> Prepared:
    """Count `count` more customers within both limits, the user's own and `at_most`.  Returns no row beyond one."""
    load: Any = OwnerLoad.__table__
    own = func.coalesce(_limit(), _NO_LIMIT)
    count, at_most = (bindparam(name, type_=Integer()) for name in ("count", "at_most"))
    first = select(bindparam("user_id", type_=Integer()), count).where(own >= count, at_most >= count)
    return Prepared(
        insert(load)
        .from_select(["user_id", "held"], first)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_={"held": load.c.held + count},
            where=and_(load.c.held + count <= own, load.c.held + count <= at_most),
        )
        .returning(load.c.held),
        because=Because.APPLIES_TO_ALL,
    )


def release_capacity(db: Session, user_id: int) -> None:
    """Count one customer less."""
    _ONE_LESS.run(db, user=user_id)


_LOAD: Any = OwnerLoad.__table__
_ONE_LESS = Prepared(
    update(_LOAD).where(_LOAD.c.user_id == bindparam("user"), _LOAD.c.held > 0).values(held=_LOAD.c.held - 1)
)
_LESS = Prepared(
    update(_LOAD)
    .where(_LOAD.c.user_id == bindparam("user"), _LOAD.c.held >= bindparam("count"))
    .values(held=_LOAD.c.held - bindparam("count"))
)


def release_capacities(db: Session, counts: Mapping[int, int]) -> None:
    """Count several customers less: user -> how many.  The counters are locked by the order of the user ids."""
    _LESS.run_each(db.connection(), [{"user": user, "count": n} for user, n in sorted(counts.items())])


def transfer_capacity(db: Session, owner_id: int, assignee: User) -> None:
    """Count a customer for the assignee instead of its owner, the lower id first.  Raises CapacityReached."""
    if owner_id < assignee.id:
        release_capacity(db, owner_id)
    reserve_capacity(db, assignee)
    if owner_id > assignee.id:
        release_capacity(db, owner_id)


def lock_capacities(db: Session, ids: Sequence[int], assignee: int | None) -> None:
    """Lock the counters of the owners of these customers and of the assignee, in the order of their ids."""
    if db.get_bind().dialect.name != "postgresql":
        return
    owners = select(Customer.owner_id).where(Customer.id.in_(ids), Customer.owner_id.is_not(None))
    counters = (
        select(OwnerLoad.user_id)
        .where(or_(OwnerLoad.user_id.in_(owners), OwnerLoad.user_id == (assignee or 0)))
        .order_by(OwnerLoad.user_id)
        .with_for_update()
    )
    db.execute(counters, execution_options=bypass_policy(Because.LOCKS_ROWS))
