"""Assigning pooled customers to a user."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Customer, User
from models.claim_condition import Covers
from models.ownership import Began

from ..notices.notify import notify
from ..ownership.assignees import load_eligible_assignee, refuse_out_of_sight
from ..ownership.capacity import reserve_capacity
from ..ownership.locate import load_pooled
from ..ownership.periods import begin
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .claim_rules import pool_closed, terms_of
from .conditions import judged, obstacle


def assign(
    scope: Scope, ids: Sequence[int], user_id: int, mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Give pooled customers to a user who may claim from their pool.  Uses the user's capacity, not their quota.

    Problems: NOT_FOUND (customer or person), FORBIDDEN, IN_BIN, ALREADY_CLAIMED, NOT_IN_POOL, NOT_APPROVED, NOT_ELIGIBLE, VALIDATION,
    CONDITION_NOT_MET, CAPACITY_REACHED.
    """

    def work(db: Session, id: int) -> None:
        customer = load_pooled(scope, db, id, "assign")
        pool_id = customer.pool_id
        assert pool_id is not None, "load_pooled returns pooled customers only"
        assignee, principal = load_eligible_assignee(scope, db, user_id, pool_id)
        terms = terms_of(db, pool_id)
        if not terms.is_open:
            raise pool_closed(assignee.name)
        if terms.pool_id is not None:
            found = judged(scope, db, pool_id, [id]).get(id, [])
            if (refusal := obstacle(found, principal, Covers.ASSIGN)) is not None:
                raise refusal
        give(scope, db, customer, assignee)
        refuse_out_of_sight(scope, db, assignee, id)

    return each(scope, "customer.assign", Customer, ids, mode, work, reason=line(reason, "reason"), assignee=user_id)


def give(scope: Scope, db: Session, customer: Customer, assignee: User) -> None:
    """Make a user, who may have it, the owner of a pooled customer.  Raises CapacityReached."""
    pool_id, pooled_at, now = customer.pool_id, customer.pooled_at, scope.person.now
    reserve_capacity(db, assignee)
    customer.assign_to(assignee, now)
    db.flush()
    begin(db, customer, Began.ASSIGN, now, pool_id=pool_id, pooled_at=pooled_at)
    scope.tell(db, f"pool:{pool_id}", customer.id)
    notify(scope, db, "assigned", [assignee.id], customer)
