"""Assignees: the users who may be given a customer."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, User
from models.errors import NotEligible
from policies import Facts, Principal

from ..people.people import active_user
from ..runtime import principals
from ..runtime.scope import Scope
from .capacity import capacity
from .locate import may_claim_from


def load_assignee(scope: Scope, db: Session, user_id: int) -> User:
    """An active user who may see customers that they own.  Raises NotFound, Validation, NotEligible."""
    assignee, _ = _assignee_and_principal(scope, db, user_id)
    return assignee


def load_eligible_assignee(scope: Scope, db: Session, user_id: int, pool_id: int | None) -> User:
    """An active and present user who may claim from the pool.  Raises NotFound, Validation, NotEligible."""
    assignee, principal = _assignee_and_principal(scope, db, user_id)
    if assignee.absent_until is not None and assignee.absent_until > scope.person.now:
        raise NotEligible(name=assignee.name, reason="absent", reason_zh="不在岗", field="userId")
    if pool_id not in principal.member_pools or not may_claim_from(scope.policy, principal, pool_id):
        raise NotEligible(
            name=assignee.name, reason="no seat in this pool", reason_zh="不是该客户池成员", field="userId"
        )
    return assignee


MOST_CANDIDATES = 100
"""Maximum number of users that are considered as assignees."""


@dataclass(frozen=True)
class Candidate:
    """A user who may be assigned customers, with the number of those they hold and may hold; None is no limit."""

    id: int
    name: str
    held: int
    limit: int | None
    is_absent: bool


def candidates(scope: Scope, db: Session, customer_ids: Sequence[int]) -> list[Candidate]:
    """The users who may claim from all the pools in which these customers lie, those with the fewest customers first.

    Customers out of sight are left out.
    """
    lying = select(Customer.pool_id).where(Customer.id.in_(customer_ids), Customer.pool_id.is_not(None)).distinct()
    pools = set(db.execute(lying).scalars())
    if not pools:
        return []
    people = select(User).where(User.active, User.deleted_at.is_(None)).order_by(User.id).limit(MOST_CANDIDATES)
    found = []
    for user in db.execute(people).scalars():
        principal = principals.by_id(db.connection(), user.id, scope.person.now)
        if all(x in principal.member_pools and may_claim_from(scope.policy, principal, x) for x in pools):
            room = capacity(db, user.id)
            absent = user.absent_until is not None and user.absent_until > scope.person.now
            found.append(Candidate(user.id, user.name, room.held, room.limit, absent))
    return sorted(found, key=lambda x: (x.is_absent, x.held, x.name))


def _assignee_and_principal(scope: Scope, db: Session, user_id: int) -> tuple[User, Principal]:
    assignee = active_user(scope, db, user_id)
    principal = principals.by_id(db.connection(), assignee.id, scope.person.now)
    own = Facts(owner_id=assignee.id, department_id=assignee.department_id)
    if not scope.policy.may(principal, "view", Customer.module, own):
        raise NotEligible(
            name=assignee.name,
            reason="no right to see customers of his own",
            reason_zh="无权查看自己的客户",
            field="userId",
        )
    return assignee, principal
