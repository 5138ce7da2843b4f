"""Releasing customers into a pool."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Customer
from models.ownership import Ended

from ..notices.notify import notify
from ..ownership.capacity import release_capacity
from ..ownership.dependents import reassign_dependents
from ..ownership.locate import Locks, load_owned
from ..ownership.periods import end
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .destinations import chosen_pool, default_pool


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
        pool = chosen_pool(db, pool_id) if pool_id is not None else default_pool(scope, db, owner_id)
        reassign_dependents(db, customer, owner_id, None)
        customer.return_to_pool(pool, now)
        db.flush()
        end(db, customer.id, Ended.RELEASE, now, reason)
        release_capacity(db, owner_id)
        scope.tell(db, f"pool:{pool.id}", customer.id)
        notify(scope, db, "released", [owner_id], customer, pool=pool.id)

    return locks.told(each(scope, "customer.release", Customer, ids, mode, work, reason=reason))
