"""Releasing customers into a pool."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Pool
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, RuleMissing
from models.ownership import Ended

from ..ownership.capacity import release_capacity
from ..ownership.dependents import reassign_dependents
from ..ownership.locate import Locks, load_owned
from ..ownership.periods import end
from ..runtime import principals
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit


def release(
    scope: Scope,
    ids: Sequence[int],
    pool_id: int | None = None,
    reason: str | None = None,
    mode: Mode = Mode.BEST_EFFORT,
    *,
    lift_lock: bool = False,
) -> Outcome:
    """Put customers into a pool: the one named, else the one of highest priority of which their owner is a member.

    Contacts and opportunities of the owner at these customers lose their own owner, so they follow the next one.
    `lift_lock` confirms that the lock of a locked customer ends.
    Problems: NOT_FOUND (customer or pool), FORBIDDEN, LOCKED, IN_BIN, ALREADY_IN_POOL, RULE_MISSING, LOCK_WOULD_END.
    """
    reason = line(reason, "reason")

    locks = Locks(scope, may_end=lift_lock)

    def work(db: Session, id: int) -> None:
        customer = load_owned(scope, db, id, "release")
        owner_id, now = customer.owner_id, scope.person.now
        assert owner_id is not None, "load_owned returns no pooled customer"
        locks.end(customer)
        pool = _named(db, pool_id) if pool_id is not None else _default_pool(scope, db, owner_id)
        reassign_dependents(db, customer, owner_id, None)
        customer.return_to_pool(pool, now)
        db.flush()
        end(db, customer.id, Ended.RELEASE, now, reason)
        release_capacity(db, owner_id)
        scope.tell(db, f"pool:{pool.id}", customer.id)

    return locks.told(each(scope, "customer.release", Customer, ids, mode, work, reason=reason))


def _named(db: Session, pool_id: int) -> Pool:
    """The pool with this id, which is open and visible.  Raises NotFound, RuleMissing."""
    chosen = select(Pool).where(Pool.id == pool_id, Pool.deleted_at.is_(None))
    pool = db.execute(chosen).scalar_one_or_none()
    if pool is None:
        raise NotFound(what=Pool.names, field="poolId")
    if not pool.enabled:
        raise RuleMissing(
            reason=f"The pool {pool.name} is closed. Choose another.",
            reason_zh=f"公海 {pool.name} 已停用，请选择其他公海。",
            field="poolId",
        )
    return pool


def _default_pool(scope: Scope, db: Session, owner_id: int) -> Pool:
    """The open pool of highest priority of which the owner is a member.  Raises RuleMissing."""
    pool_ids = _pools_of(scope, db, owner_id)
    best = select(Pool).where(Pool.id.in_(pool_ids), Pool.enabled, Pool.deleted_at.is_(None))
    best = best.order_by(Pool.priority.desc(), Pool.id).limit(1)
    pool = db.execute(best, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one_or_none()
    if pool is None:
        raise RuleMissing(
            reason="No open pool takes this customer: its owner has no seat in one. Choose a pool.",
            reason_zh="没有可移入的公海：负责人不是任何公海的成员。请选择公海。",
            field="poolId",
        )
    permit(db, pool, "view")
    return pool


def _pools_of(scope: Scope, db: Session, user_id: int) -> frozenset[int]:
    try:
        return principals.by_id(db.connection(), user_id, scope.person.now).pools
    except NotFound:  # an inactive user is a member of no pool
        return frozenset()
