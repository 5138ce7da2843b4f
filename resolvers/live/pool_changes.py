"""What has changed in a pool, for one who looks at it: which customers came or changed, and which have left.

A user is told of a customer that left only if they could see it while it was there.  What they never saw would else
betray its id by leaving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import cast, literal, null, select
from sqlalchemy.orm import Session

from models import Customer, Pool
from models.errors import NotFound

from ..runtime.scope import Scope

_T: Any = Customer.__table__
_LEFT_BEHIND = (
    "owner_id",
    "department_id",
    "claimed_at",
    "locked_by_id",
    "locked_at",
    "lock_expires_at",
    "lock_reason",
)
"""Columns that are empty while a customer is in a pool."""


@dataclass(frozen=True)
class PoolChanges:
    """Customers of a pool by id."""

    here: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


def check_pool(scope: Scope, db: Session, pool_id: int) -> None:
    """Raise NotFound for a pool that the caller does not see."""
    if pool_id not in visible_pools(scope, db, [pool_id]):
        raise NotFound(what=Pool.names)


def visible_pools(_scope: Scope, db: Session, ids: Sequence[int] | None = None) -> list[int]:
    """The pools that the caller sees, among these or all."""
    wanted = select(Pool.id).where(Pool.deleted_at.is_(None))
    if ids is not None:
        wanted = wanted.where(Pool.id.in_(ids))
    return list(db.execute(wanted.order_by(Pool.id)).scalars())


def pool_changes(scope: Scope, db: Session, pool_id: int, ids: Sequence[int]) -> PoolChanges:
    """What became of these customers, as far as the caller may know.  Raises NotFound for a pool out of sight."""
    check_pool(scope, db, pool_id)
    is_here = [_T.c.id.in_(sorted(ids)), _T.c.pool_id == pool_id, _T.c.deleted_at.is_(None)]
    there = select(_T.c.id, scope.viewer.rows(Customer, _T.c).label("seen")).where(*is_here)
    found: dict[int, bool] = dict(db.execute(there.execution_options(policy=True)).all())
    gone = [id for id in ids if id not in found]
    was = _as_in_pool(pool_id, gone)
    seen_there = select(was.c.id).where(scope.viewer.rows(Customer, was.c)).execution_options(policy=True)
    left = {*db.execute(seen_there).scalars()} if gone else set()
    return PoolChanges(tuple(id for id, seen in found.items() if seen), tuple(id for id in gone if id in left))


def not_pooled(_scope: Scope, db: Session, ids: Sequence[int]) -> list[int]:
    """Those of these customers that the caller does not find in a pool, whatever became of them."""
    there = select(Customer.id).where(
        Customer.id.in_(sorted(ids)), Customer.pool_id.is_not(None), Customer.deleted_at.is_(None)
    )
    found = {*db.execute(there).scalars()}
    return [id for id in ids if id not in found]


def _as_in_pool(pool_id: int, ids: Sequence[int]) -> Any:
    """These customers as a row source, each as if it were in the pool still."""
    overridden: dict[str, Any] = {key: null() for key in (*_LEFT_BEHIND, "deleted_at", "merged_into_id")}
    overridden["pool_id"] = literal(pool_id)
    columns = [cast(overridden[c.key], c.type).label(c.key) if c.key in overridden else c for c in _T.c]
    return select(*columns).where(_T.c.id.in_(sorted(ids))).execution_options(policy=True).subquery()


def is_visible(_scope: Scope, db: Session, id: int) -> bool:
    """Whether the caller sees a customer."""
    return db.execute(select(Customer.id).where(Customer.id == id)).first() is not None
