"""The customer that a use case hands on, or the refusal that says where it is instead.

`load_pooled` and `load_owned` are `scope.load` for customers that must lie in a pool, or have an owner.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod, Pool
from models.database.bypass import Because, bypass_policy
from models.errors import AlreadyClaimed, AlreadyInPool, InBin, LockWouldEnd, NotInPool, Refusal
from models.ownership import Began
from policies import Facts, Principal, Snapshot

from ..runtime.batch import Note, Outcome
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from ..runtime.write_guard import checked
from .periods import RECENT

_WORKED_WITH = frozenset({"claim", "assign", "transfer"})
"""What is done only with customers that nobody has to approve any more."""


def load_pooled(scope: Scope, db: Session, id: int, to: str) -> Customer:
    """A customer in a pool, locked for this transaction, to which the person may do `to` (claim, assign).

    Raises AlreadyClaimed, NotInPool, InBin, NotApproved, Forbidden; NotFound for a customer out of sight.
    """
    row, seen, may = scope.lookup(db, Customer, id, to=to)
    if row is not None and seen and may and row.deleted_at is None and row.in_pool:
        if to in _WORKED_WITH:
            row.must_be_approved()
        checked(db, row, to)
        return row
    if id and (refusal := why_not_pooled(scope, db, id, row if seen else None, to)):
        raise refusal
    return scope.load(db, Customer, id, to=to)  # which refuses, and logs the attempt


def load_owned(scope: Scope, db: Session, id: int, to: str) -> Customer:
    """A customer with an owner, locked for this transaction, to which the person may do `to` (transfer, release, lock).

    Raises AlreadyInPool, InBin, Locked, NotApproved, Forbidden; NotFound for a customer out of sight.
    """
    row, seen, may = scope.lookup(db, Customer, id, to=to)
    if row is not None and seen and row.deleted_at is None:
        if may and not row.in_pool:
            if to in _WORKED_WITH:
                row.must_be_approved()
            checked(db, row, to)
            return row
        if row.in_pool and scope.policy.ever(scope.person, to, row.module):
            raise AlreadyInPool(label=row.label)
    return scope.load(db, Customer, id, to=to)  # which refuses, and logs the attempt


class Locks:
    """The locks that end because customers leave their owners, if the caller has confirmed that they may."""

    def __init__(self, scope: Scope, *, may_end: bool) -> None:
        self.now, self.may_end = scope.person.now, may_end
        self._labels: dict[int, str] = {}

    def end(self, customer: Customer) -> None:
        """Note a lock that ends.  Raises LockWouldEnd without the confirmation."""
        if customer.is_locked(self.now):
            if not self.may_end:
                raise LockWouldEnd(label=customer.label, field="liftLock")
            self._labels[customer.id] = customer.label

    def told(self, outcome: Outcome) -> Outcome:
        """The outcome, with a note for each lock that has ended."""
        for label in (self._labels[id] for id in outcome.ids if id in self._labels):
            outcome.notes.append(Note(f"The lock of {label} has ended.", f"{label} 的锁定已解除。"))
        return outcome


def why_not_pooled(scope: Scope, db: Session, id: int, seen: Customer | None, to: str = "claim") -> Refusal | None:
    """The refusal for a customer that cannot be taken out of a pool; None when the person may not know why."""
    if seen is not None and seen.deleted_at is not None:
        return InBin(label=seen.label)
    if seen is not None and seen.in_pool:
        return None
    if _was_just_taken(scope, db, id):
        return AlreadyClaimed(record_id=global_id(Customer, id))
    if seen is not None and scope.policy.ever(scope.person, to, Customer.module):
        return NotInPool(label=seen.label)
    return None


def may_claim_from(policy: Snapshot, p: Principal, pool_id: int | None) -> bool:
    """Whether the policy lets a user claim customers of this pool."""
    return pool_id is not None and policy.might(p, "claim", Customer.module, Facts(pool_id=pool_id))


def _was_just_taken(scope: Scope, db: Session, customer_id: int) -> bool:
    """Whether another user took it within the hour from an open pool where the person may claim, and so saw it."""
    period, p = OwnershipPeriod, scope.person
    taken = (
        select(period.pool_id)
        .join(Pool, Pool.id == period.pool_id)
        .where(period.customer_id == customer_id, period.ended_at.is_(None), period.owner_id != p.id)
        .where(period.began.in_([Began.CLAIM, Began.ASSIGN]), period.started_at > p.now - RECENT)
        .where(Pool.enabled, Pool.deleted_at.is_(None))
    )
    pool_id = db.execute(taken, execution_options=bypass_policy(Because.NAMES_REFUSAL)).scalar()
    return may_claim_from(scope.policy, p, pool_id)
