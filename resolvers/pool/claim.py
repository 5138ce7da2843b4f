"""Claiming customers from a pool.  The rules of a claim are in `claim_rules.py`, its preview in `claim_preview.py`."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy.orm import Session

from models import Customer
from models.ownership import Began

from ..ownership.capacity import reserve_capacity
from ..ownership.locate import load_pooled
from ..ownership.periods import begin
from ..ownership.quota import take_quota
from ..people.people import active_user
from ..runtime.batch import Mode, Outcome, each
from ..runtime.scope import Scope
from .claim_preview import Preview as Preview
from .claim_preview import claim_preview as claim_preview
from .claim_rules import Check as Check
from .claim_rules import rule_checks, terms_for
from .conditions import condition_checks


def claim(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Make the caller the owner of pooled customers: each has one winner, and no user gets above quota or capacity.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, ALREADY_CLAIMED, NOT_IN_POOL, NOT_APPROVED, NOT_ELIGIBLE (the pool is closed), ARCHIVED,
    PROTECTED, COOLDOWN, CONDITION_NOT_MET, QUOTA_REACHED, CAPACITY_REACHED, in this order.
    """

    def work(db: Session, id: int) -> None:
        customer = load_pooled(scope, db, id, "claim")
        pool_id, pooled_at, now = customer.pool_id, customer.pooled_at, scope.person.now
        terms, left_at = terms_for(db, customer, scope.me)
        checks = rule_checks(terms, customer, left_at, scope.person)
        for check in chain(checks, condition_checks(scope, db, terms, customer)):
            if check.refusal is not None:
                raise check.refusal
        me = active_user(scope, db, scope.me)
        take_quota(db, terms.rule, me.id, now, terms.zone)
        reserve_capacity(db, me, at_most=terms.capacity)
        customer.assign_to(me, now)
        db.flush()
        begin(db, customer, Began.CLAIM, now, pool_id=pool_id, pooled_at=pooled_at)
        scope.tell(db, f"pool:{pool_id}", customer.id)

    return each(scope, "customer.claim", Customer, ids, mode, work)
