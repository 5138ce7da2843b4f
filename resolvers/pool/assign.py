"""Assigning pooled customers to a user."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Customer
from models.ownership import Began

from ..notices.notify import notify
from ..ownership.assignees import load_eligible_assignee
from ..ownership.capacity import reserve_capacity
from ..ownership.locate import load_pooled
from ..ownership.periods import begin
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .claim_rules import pool_closed, terms_of


def assign(
    scope: Scope, ids: Sequence[int], user_id: int, mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Give pooled customers to a user who may claim from their pool.  Uses the user's capacity, not their quota.

    Problems: NOT_FOUND (customer or person), FORBIDDEN, IN_BIN, ALREADY_CLAIMED, NOT_IN_POOL, NOT_ELIGIBLE, VALIDATION,
    CAPACITY_REACHED.
    """

    def work(db: Session, id: int) -> None:
        customer = load_pooled(scope, db, id, "assign")
        pool_id, now = customer.pool_id, scope.person.now
        assert pool_id is not None, "load_pooled returns pooled customers only"
        assignee = load_eligible_assignee(scope, db, user_id, pool_id)
        if not terms_of(db, pool_id).is_open:
            raise pool_closed(assignee.name)
        reserve_capacity(db, assignee)
        customer.assign_to(assignee, now)
        db.flush()
        begin(db, customer, Began.ASSIGN, now, pool_id=pool_id)
        scope.tell(db, f"pool:{pool_id}", customer.id)
        notify(scope, db, "assigned", [assignee.id], customer)

    return each(scope, "customer.assign", Customer, ids, mode, work, reason=line(reason, "reason"), assignee=user_id)
