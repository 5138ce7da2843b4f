"""Handing customers on, and closing them: transfer, lock, unlock."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Entity
from models.audit import UNWALLED
from models.errors import AlreadyInPool, Validation
from models.ownership import Began, Ended

from .batch import Mode, Outcome, each
from .counters import give_room, take_room
from .ownership import begin, end
from .people import active_user
from .records import children_of
from .scope import Scope
from .values import line
from .walls import grant


def transfer(
    scope: Scope, ids: Sequence[int], user_id: int, reason: str | None = None, mode: Mode = Mode.BEST_EFFORT
) -> Outcome:
    """Give customers to another owner.  Stage, history and follow-ups stay; what the former owner looked after follows.

    Problems: NOT_FOUND, FORBIDDEN, LOCKED, ALREADY_IN_POOL, CAPACITY_REACHED, VALIDATION.
    """
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="transfer")
        heir = active_user(scope, db, user_id)
        owner_id, now = customer.owner_id, scope.person.now
        if owner_id is None:
            raise AlreadyInPool(label=customer.label)
        if owner_id == heir.id:
            raise Validation(
                f"{heir.name} owns {customer.label} already.",
                f"{heir.name} 已是 {customer.label} 的负责人。",
                field="userId",
            )
        give_room(db, owner_id)
        take_room(db, heir)
        _hand_on_what_hangs(db, customer, owner_id, heir.id)
        customer.hand_to(heir, now)
        db.flush()
        end(db, customer.id, Ended.TRANSFER, now, reason)
        begin(db, customer, Began.TRANSFER, now)
        scope.tell(db, f"user:{heir.id}", customer.id)

    return each(scope, "customer.transfer", Customer, ids, mode, work, reason=reason)


def lock(
    scope: Scope,
    ids: Sequence[int],
    reason: str | None = None,
    until: datetime | None = None,
    mode: Mode = Mode.BEST_EFFORT,
) -> Outcome:
    """Close customers for everybody but their owner, until unlocked or until the given time."""
    reason = line(reason, "reason")
    if until is not None and until <= scope.now():
        raise Validation("The end of a lock lies in the future.", "锁定截止时间必须晚于现在。", field="until")

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="lock")
        customer.lock(scope.me, scope.person.now, reason, until)

    return each(scope, "customer.lock", Customer, ids, mode, work, reason=reason)


def unlock(scope: Scope, ids: Sequence[int], reason: str | None = None, mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Open customers again.  Somebody else's lock needs the right to unlock, is logged, and its owner is told."""
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="unlock")
        customer.unlock()
        if customer.owner_id != scope.person.id:
            scope.tell(db, f"user:{customer.owner_id}", customer.id)

    return each(scope, "customer.unlock", Customer, ids, mode, work, reason=reason)


def _hand_on_what_hangs(db: Session, customer: Customer, owner_id: int, heir_id: int) -> None:
    """Contacts and opportunities that the former owner looked after himself go with the customer."""
    for child, key in children_of(Customer):
        if child.__tablename__ == "follow_up":
            continue  # who did something stays who did it
        owned = select(child).where(getattr(child, key) == customer.id, _owner(child) == owner_id)
        for row in db.execute(owned, execution_options=UNWALLED).scalars():
            grant(db, row, "transfer")
            row.owner_id = heir_id


def _owner(model: type[Entity]):  # type: ignore[no-untyped-def]  # a column only some entities have
    return model.owner_id  # type: ignore[attr-defined]
