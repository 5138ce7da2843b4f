"""What has changed in a pool, for one who looks at it: which customers came or changed, and which have left.

The facts are read once for all who look.  Who may know what of them is then judged by the policy in microseconds, with
the rights that each reader has at that moment.  A user is told of a customer that left only if they could see it while it
was there: what they never saw would else betray its id by leaving.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.orm import Session

from models import Customer, Pool, Share
from models.customer import locked
from models.errors import NotFound
from policies.branches import held_by_all
from policies.words import Facts

from ..runtime.scope import Scope

_T: Any = Customer.__table__
_P: Any = Pool.__table__
_S: Any = Share.__table__


@dataclass(frozen=True)
class Situation:
    """A pool and some customers, as they are: the facts that the policy asks for."""

    pool_id: int
    pool: Facts | None
    """None for a pool that there is not."""
    customers: Mapping[int, Facts]

    def is_here(self, id: int) -> bool:
        facts = self.customers[id]
        return facts.pool_id == self.pool_id and not facts.deleted


@dataclass(frozen=True)
class PoolChanges:
    """Customers of a pool by id, each with whether the reader sees it now."""

    here: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    seen: frozenset[int] = frozenset()


def situation(connection: Connection, pool_id: int, ids: Sequence[int], now: datetime) -> Situation:
    """How a pool and these customers are now, for judging; none of it is shown."""
    pools = select(_P.c.created_by_id, _P.c.deleted_at).where(_P.c.id == pool_id)
    pool = connection.execute(pools).first()
    shares: dict[int, set[Any]] = {}
    given = select(_S.c.customer_id, _S.c.grantee_kind, _S.c.grantee_id, _S.c.level)
    in_force = [_S.c.revoked_at.is_(None), _S.c.starts_at <= now, or_(_S.c.ends_at.is_(None), _S.c.ends_at > now)]
    for id, *share in connection.execute(given.where(_S.c.customer_id.in_(ids), *in_force)):
        shares.setdefault(id, set()).add(tuple(share))
    keys = ("owner_id", "department_id", "created_by_id", "pool_id")
    found = connection.execute(select(_T, locked(_T.c, now).label("is_locked")).where(_T.c.id.in_(ids))).all()
    customers = {
        row.id: Facts(
            **{key: getattr(row, key) for key in keys},
            deleted=row.deleted_at is not None,
            locked=bool(row.is_locked),
            branches=branches,
        )
        for row, branches in zip(found, held_by_all(connection, Customer, found), strict=True)
    }
    known = {id: replace(facts, shares=frozenset(shares.get(id, ()))) for id, facts in customers.items()}
    facts = None if pool is None else Facts(pool_id=pool_id, created_by_id=pool[0], deleted=pool[1] is not None)
    return Situation(pool_id, facts, known)


def changes_for(scope: Scope, found: Situation) -> PoolChanges:
    """What became of these customers, as far as the caller may know.  Raises NotFound for a pool out of sight."""
    if found.pool is None or not _may_see(scope, Pool.module, found.pool):
        raise NotFound(what=Pool.names)
    seen_there = [
        id for id, facts in found.customers.items() if _may_see(scope, Customer.module, _as_pooled(found, facts))
    ]
    return PoolChanges(
        here=tuple(id for id in seen_there if found.is_here(id)),
        left=tuple(id for id in seen_there if not found.is_here(id)),
        seen=frozenset(id for id in seen_there if _may_see(scope, Customer.module, found.customers[id])),
    )


def _as_pooled(found: Situation, facts: Facts) -> Facts:
    """The facts of a customer as they were in the pool: without owner and lock."""
    return replace(facts, pool_id=found.pool_id, owner_id=None, department_id=None, locked=False, deleted=False)


def _may_see(scope: Scope, module: str, facts: Facts) -> bool:
    return scope.policy.may(scope.person, "view", module, facts)


# --- the beginning -----------------------------------------------------------------------------------------


def visible_pools(_scope: Scope, db: Session) -> list[int]:
    """The pools that the caller sees."""
    return list(db.execute(select(Pool.id).where(Pool.deleted_at.is_(None)).order_by(Pool.id)).scalars())


def not_pooled(_scope: Scope, db: Session, ids: Sequence[int]) -> list[int]:
    """Those of these customers that the caller does not find in a pool, whatever became of them."""
    is_there = [Customer.id.in_(sorted(ids)), Customer.pool_id.is_not(None), Customer.deleted_at.is_(None)]
    found = {*db.execute(select(Customer.id).where(*is_there)).scalars()}
    return [id for id in ids if id not in found]


def is_visible(_scope: Scope, db: Session, id: int) -> bool:
    """Whether the caller sees a customer."""
    return db.execute(select(Customer.id).where(Customer.id == id)).first() is not None
