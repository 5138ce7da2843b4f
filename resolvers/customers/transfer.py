"""Transferring customers to another owner."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Customer
from models.errors import Validation
from models.ownership import Began, Ended

from ..ownership.assignees import heir_of
from ..ownership.capacity import hand_room
from ..ownership.dependents import hand_on_what_hangs
from ..ownership.locate import owned
from ..ownership.periods import begin, end
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope


def transfer(
    scope: Scope, ids: Sequence[int], user_id: int, reason: str | None = None, mode: Mode = Mode.BEST_EFFORT
) -> Outcome:
    """Give customers to another owner.  Stage, history and follow-ups stay; what the former owner looked after follows.

    Problems: NOT_FOUND (customer or person), FORBIDDEN, LOCKED, IN_BIN, ALREADY_IN_POOL, VALIDATION, NOT_ELIGIBLE,
    CAPACITY_REACHED.
    """
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = owned(scope, db, id, "transfer")
        owner_id, now = customer.owner_id, scope.person.now
        assert owner_id is not None, "it does not lie in a pool"
        heir = heir_of(scope, db, user_id)
        if owner_id == heir.id:
            raise Validation(
                f"{heir.name} owns {customer.label} already.",
                f"{heir.name} 已是 {customer.label} 的负责人。",
                field="userId",
            )
        hand_room(db, owner_id, heir)
        hand_on_what_hangs(db, customer, owner_id, heir.id)
        customer.hand_to(heir, now)
        db.flush()
        end(db, customer.id, Ended.TRANSFER, now, reason)
        begin(db, customer, Began.TRANSFER, now)
        scope.tell(db, f"user:{heir.id}", customer.id)

    return each(scope, "customer.transfer", Customer, ids, mode, work, reason=reason, heir=user_id)
