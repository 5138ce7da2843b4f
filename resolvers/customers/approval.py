"""Approval of new customers: where the organisation asks for it, a second user decides before one is worked with."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Approval, Customer, Organisation
from models.database.bypass import Because, bypass_policy
from models.errors import NotPending, NotRejected, OwnApproval, Validation
from policies.review import may_use

from ..access.explain import facts_of
from ..access.grant_limits import holdings, sets_of
from ..notices.notify import notify
from ..runtime import principals
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit

MOST_APPROVERS = 20
"""Maximum number of users who are told of a new customer that waits for approval."""


def is_asked_for(scope: Scope, db: Session) -> bool:
    """Whether what the caller creates has to be approved; what the system itself creates has not."""
    asked = select(Organisation.approve_customers)
    return scope.person.id is not None and bool(
        db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar()
    )


def pending(scope: Scope) -> dict[str, Any]:
    """The columns of a customer that the caller submits."""
    submitted = {"approval_at": scope.person.now, "approval_by_id": scope.person.id}
    return {"approval": Approval.PENDING, "approval_reason": None, **submitted}


def approve(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Approve customers that wait for it: from now on they are worked with as all others.

    Problems: NOT_FOUND, FORBIDDEN, LOCKED, IN_BIN, NOT_PENDING, OWN_APPROVAL (entered or submitted by the caller).
    """

    def work(db: Session, id: int) -> None:
        customer = _decided(scope, db, id, Approval.APPROVED, None)
        notify(scope, db, "approved", [customer.created_by_id, customer.owner_id], customer)

    return each(scope, "customer.approve", Customer, ids, mode, work)


def reject(scope: Scope, ids: Sequence[int], reason: str | None, mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Reject customers that wait for approval; they can be corrected and submitted again.

    Problems: as `approve`.  Raises Validation without a reason.
    """
    said = line(reason, "reason")
    if said is None:
        raise Validation("Say why you reject it.", "请填写驳回原因。", field="reason")

    def work(db: Session, id: int) -> None:
        customer = _decided(scope, db, id, Approval.REJECTED, said)
        permit(db, customer, "reject")
        notify(scope, db, "rejected", [customer.created_by_id, customer.owner_id], customer, reason=said)

    return each(scope, "customer.reject", Customer, ids, mode, work, reason=said)


def submit(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Submit rejected customers again, which asks for the right to edit them.

    Problems: NOT_FOUND, FORBIDDEN, LOCKED, IN_BIN, NOT_REJECTED.
    """

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="edit")
        if customer.approval is not Approval.REJECTED:
            raise NotRejected(label=customer.label)
        permit(db, customer, "submit")
        wait_again(scope, db, customer)

    return each(scope, "customer.submit", Customer, ids, mode, work)


def wait_again(scope: Scope, db: Session, customer: Customer) -> None:
    """Let a customer wait as one that the caller submits, and tell who may approve it."""
    for key, value in pending(scope).items():
        setattr(customer, key, value)
    tell_approvers(scope, db, customer)


def tell_approvers(scope: Scope, db: Session, customer: Customer) -> None:
    """Tell users who may approve the customer that it waits, at most MOST_APPROVERS of them."""
    notify(scope, db, "to_approve", islice(_approvers(scope, db, customer), MOST_APPROVERS), customer)


# --- steps -----------------------------------------------------------------------------------------------


def _decided(scope: Scope, db: Session, id: int, state: Approval, reason: str | None) -> Customer:
    customer = scope.load(db, Customer, id, to="approve")
    if customer.approval is not Approval.PENDING:
        raise NotPending(label=customer.label)
    if scope.person.id in (customer.created_by_id, customer.approval_by_id):
        raise OwnApproval(label=customer.label)
    customer.approval, customer.approval_reason = state, reason
    customer.approval_at, customer.approval_by_id = scope.person.now, scope.person.id
    return customer


def _approvers(scope: Scope, db: Session, customer: Customer) -> Iterator[int]:
    """The active users who may approve it, but for the one who submits it."""
    now, db_now = scope.person.now, db.connection()
    for id, held in holdings(db, now).items():
        if id in (scope.person.id, customer.created_by_id):
            continue
        if any(may_use(scope.policy, roles, Customer.module, "approve") for roles in sets_of(held, now)):
            person = principals.by_id(db_now, id, now)
            facts = facts_of(db, Customer, customer.id, person)
            if facts is not None and scope.policy.may(person, "approve", Customer.module, facts):
                yield id
