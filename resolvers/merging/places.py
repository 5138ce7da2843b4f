"""Places: who owns the customer that stays, or in which pool it lies, with the ownership periods and limits of all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from models import Customer, Entity, OwnershipPeriod, Plan, Pool, User
from models.ownership import Began, Ended
from models.plan import PlanState

from ..customers.customer import check_open, is_active
from ..ownership.capacity import release_capacity, reserve_capacity
from ..ownership.dependents import dependents_of
from ..ownership.periods import begin, end
from ..ownership.quota import take_quota
from ..people.people import active_user
from ..pool.claim_rules import rule_checks, terms_for
from ..pool.conditions import condition_checks
from ..runtime.scope import Scope
from ..runtime.write_guard import action_of, permit
from .moves import Moves
from .statements import run

KEYS = ("owner_id", "department_id", "pool_id", "pooled_at", "claimed_at")
"""The columns that say where a customer is, and since when."""
_PERIOD: Any = OwnershipPeriod.__table__


def settle(scope: Scope, db: Session, moves: Moves, rows: Sequence[Customer], from_id: int) -> None:
    """Give the first of these customers the place of the one with this id, and end those of the others.

    Contacts and opportunities of the other owners get the owner that stays.  A pooled customer that becomes part of
    one of the caller's counts as a claim, under the rules of its pool.
    Raises NotEligible, Archived, Protected, Cooldown, ConditionNotMet, QuotaReached.
    """
    source = next(row for row in rows if row.id == from_id)
    owner_id = source.owner_id
    for row in rows:
        if row.in_pool and owner_id is not None and owner_id == scope.person.id:
            _count_as_claim(scope, db, row)
        _leave(scope, db, moves, row, source)
    if source is not rows[0]:
        _permit_place(db, source)
        moves.change(rows[0], {key: getattr(source, key) for key in KEYS})


def _leave(scope: Scope, db: Session, moves: Moves, row: Customer, source: Customer) -> None:
    """End the time of a customer with its owner or pool, unless that is what stays."""
    if row.in_pool:
        scope.tell(db, f"pool:{row.pool_id}", row.id)
    if row is source or row.owner_id is None:
        return
    is_open = and_(_PERIOD.c.customer_id == row.id, _PERIOD.c.ended_at.is_(None))
    signature = db.info["signature"]
    ending = {"ended": Ended.MERGE, "ended_at": scope.person.now, "reason": signature.reason}
    moves.change_rows(OwnershipPeriod, is_open, ending)
    release_capacity(db, row.owner_id)
    if row.owner_id != source.owner_id:
        _permit_place(db, source)
        for dependent in dependents_of(db, row.id, row.owner_id):
            moves.change(dependent, _given_to(scope, dependent, source.owner_id))
        scope.tell(db, f"user:{row.owner_id}", row.id)


def _given_to(scope: Scope, dependent: Entity, owner_id: int | None) -> dict[str, Any]:
    """What changes in a dependent that goes to the owner that stays; a plan ends where a pool does."""
    if owner_id is None and isinstance(dependent, Plan):
        return {"state": PlanState.RELEASED, "ended_at": scope.person.now, "remind_at": None}
    return {"owner_id": owner_id}


def _permit_place(db: Session, customer: Customer) -> None:
    """Let records point to the owner or the pool of a customer, whether or not the caller sees them."""
    for model, id in ((User, customer.owner_id), (Pool, customer.pool_id)):
        if id is not None:
            permit(db, _named(db, model, id), action_of(db))


def _named(db: Session, model: type[Entity], id: int) -> Entity:
    found: Entity = run(db, select(model).where(model.id == id)).scalar_one()
    return found


def _count_as_claim(scope: Scope, db: Session, pooled: Customer) -> None:
    """Check and count the claim of a pooled customer, whose ownership period begins and ends with the merge."""
    now, pool_id = scope.person.now, pooled.pool_id
    terms, left_at = terms_for(db, pooled, scope.me)
    for check in chain(rule_checks(terms, pooled, left_at, scope.person), condition_checks(scope, db, terms, pooled)):
        if check.refusal is not None:
            raise check.refusal
    take_quota(db, terms.rule, scope.me, now, terms.zone)
    period = {"customer_id": pooled.id, "owner_id": scope.me, "pool_id": pool_id, "began": Began.CLAIM}
    ending = {"started_at": now, "ended": Ended.MERGE, "ended_at": now, "reason": db.info["signature"].reason}
    run(db, insert(_PERIOD).values(**period, **ending))


# --- undone ----------------------------------------------------------------------------------------------


def return_to_owner(scope: Scope, db: Session, customer: Customer) -> None:
    """Give a customer that is whole again back to its owner, or to the caller when that user has left meanwhile.

    Raises InBin and Validation for a pool that is gone or closed.
    """
    if customer.owner_id is None:
        check_open(db, customer.pool_id)
        scope.tell(db, f"pool:{customer.pool_id}", customer.id)
        return
    owner = active_user(scope, db, customer.owner_id if is_active(db, customer.owner_id) else scope.me)
    permit(db, owner, action_of(db))
    customer.owner_id, customer.department_id = owner.id, owner.department_id


def recount(db: Session, before: Iterable[int | None], after: Iterable[int | None]) -> None:
    """Bring the capacity counters of owners up to date, the lower id first.  Raises CapacityReached."""
    more, less = Counter(x for x in after if x is not None), Counter(x for x in before if x is not None)
    for owner_id in sorted(more.keys() | less.keys()):
        for _ in range(less[owner_id] - more[owner_id]):
            release_capacity(db, owner_id)
        for _ in range(more[owner_id] - less[owner_id]):
            owner = _named(db, User, owner_id)
            assert isinstance(owner, User)
            reserve_capacity(db, owner)


def settle_period(scope: Scope, db: Session, customer: Customer) -> None:
    """See that the open period of a customer is its owner's: another one ends now, a missing one begins."""
    asked = select(_PERIOD.c.owner_id).where(_PERIOD.c.customer_id == customer.id, _PERIOD.c.ended_at.is_(None))
    owner_id = run(db, asked).scalar()
    if owner_id == customer.owner_id:
        return
    if owner_id is not None:
        end(db, customer.id, Ended.MERGE, scope.person.now)
    if customer.owner_id is not None:
        begin(db, customer, Began.RESTORE, scope.person.now)
