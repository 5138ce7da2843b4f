"""Transferring customers to another owner, with what the former owner has at them."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from models import Customer, User
from models.errors import Validation
from models.ownership import Began, Ended

from ..notices.notify import notify
from ..ownership.assignees import load_assignee, refuse_out_of_sight
from ..ownership.capacity import transfer_capacity
from ..ownership.dependents import GoesAlong, kinds_of_dependents, reassign_dependents
from ..ownership.locate import Locks, load_owned
from ..ownership.periods import begin, end
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope


def transfer(
    scope: Scope,
    ids: Sequence[int],
    user_id: int,
    reason: str | None = None,
    mode: Mode = Mode.BEST_EFFORT,
    *,
    insist: bool = False,
    lift_lock: bool = False,
    related: Collection[str] | None = None,
    goes_along: GoesAlong | None = None,
) -> Outcome:
    """Give customers to another owner, who may work with them; stage, history and follow-ups stay.

    Contacts, opportunities and open plans of the former owner at these customers get the new owner too; with `related`
    only those of these modules, with `goes_along` only those for which it holds.  `insist`: also to a user
    who may only see them, or is absent, which needs a right of its own and a reason.  `lift_lock` confirms that the
    lock of a locked customer ends.
    Problems: NOT_FOUND (customer or person), FORBIDDEN, LOCKED, IN_BIN, ALREADY_IN_POOL, NOT_APPROVED, VALIDATION,
    NOT_ELIGIBLE, CAPACITY_REACHED, LOCK_WOULD_END.  Raises Validation for insisting without a reason.
    """
    reason = line(reason, "reason")
    if insist and reason is None:
        raise Validation("Say why you insist.", "请填写指定该人员的原因。", field="reason")

    locks, chosen = Locks(scope, may_end=lift_lock), goes_along or _of_kinds(related)

    def work(db: Session, id: int) -> None:
        customer = load_owned(scope, db, id, "transfer")
        if insist:
            scope.allow("insist", Customer.module)
        locks.end(customer)
        assignee = load_assignee(scope, db, user_id, insist=insist)
        if customer.owner_id == assignee.id:
            raise Validation(
                f"{assignee.name} owns {customer.label} already.",
                f"{assignee.name} 已是 {customer.label} 的负责人。",
                field="userId",
            )
        _hand_over(scope, db, customer, assignee, reason, chosen)
        refuse_out_of_sight(scope, db, assignee, id)

    return locks.told(each(scope, "customer.transfer", Customer, ids, mode, work, reason=reason, assignee=user_id))


def _hand_over(
    scope: Scope, db: Session, customer: Customer, assignee: User, reason: str | None, goes_along: GoesAlong
) -> None:
    """Raises CapacityReached."""
    owner_id, now = customer.owner_id, scope.person.now
    assert owner_id is not None, "load_owned returns no pooled customer"
    transfer_capacity(db, owner_id, assignee)
    reassign_dependents(db, customer, owner_id, assignee.id, goes_along)
    customer.assign_to(assignee, now)
    db.flush()
    end(db, customer.id, Ended.TRANSFER, now, reason)
    begin(db, customer, Began.TRANSFER, now)
    notify(scope, db, "transferred_to_you", [assignee.id], customer, former=owner_id)
    notify(scope, db, "transferred_from_you", [owner_id], customer, to=assignee.id)


def _of_kinds(related: Collection[str] | None) -> GoesAlong:
    """Raises Validation for a kind that does not hang on customers."""
    known = {kind.module for kind in kinds_of_dependents()}
    if related is None:
        return lambda _row: True
    if strange := sorted({*related} - known):
        raise Validation(
            f"“{strange[0][:40]}” does not go along with a customer.",
            f"“{strange[0][:40]}”不随客户转移。",
            field="related",
        )
    return lambda row: row.module in related
