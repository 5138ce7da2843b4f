"""Moving pooled customers into another pool."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Customer

from ..ownership.locate import load_pooled
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .destinations import chosen_pool


def move(
    scope: Scope, ids: Sequence[int], pool_id: int, reason: str | None = None, mode: Mode = Mode.BEST_EFFORT
) -> Outcome:
    """Put pooled customers into another pool, which is open and which the caller may view; theirs may be closed.

    The time in the pool begins anew, and with it the protection of new arrivals: time limit and protection are rules
    of one pool, so a customer does not arrive with days used up elsewhere.  Why the last owner gave it up stays, and
    with it their cooldown, because a move ends no ownership.  Why it was moved stands in the operation log.  A move
    uses neither quota nor capacity of a user; claims count by the rule of the pool in which the customer then lies.

    Problems: NOT_FOUND (customer or pool), FORBIDDEN, IN_BIN, ALREADY_CLAIMED, NOT_IN_POOL, RULE_MISSING (the other
    pool is closed), IN_THAT_POOL.
    """
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = load_pooled(scope, db, id, "move")
        former = customer.pool_id
        customer.move_to_pool(chosen_pool(db, pool_id), scope.person.now)
        scope.tell(db, f"pool:{former}", customer.id)
        scope.tell(db, f"pool:{pool_id}", customer.id)

    return each(scope, "customer.move", Customer, ids, mode, work, reason=reason)
