"""Assignees: the users who may be given a customer, and those whom a dialog offers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from models import Customer, User
from models.errors import NotEligible
from policies import Facts, Principal, Snapshot

from ..people.people import active_user
from ..reading.clauses import open_to, value
from ..runtime import principals
from ..runtime.scope import Scope
from .capacity import Capacity, capacities
from .locate import may_claim_from

MOST_CANDIDATES = 300
"""Maximum number of users that a dialog offers."""


def load_assignee(scope: Scope, db: Session, user_id: int, *, insist: bool = False) -> User:
    """An active and present user who may work with customers that they own.

    With `insist` a user who may only see them, or is absent.  Raises NotFound, Validation, NotEligible.
    """
    assignee, principal = _assignee_and_principal(scope, db, user_id)
    if insist:
        return assignee
    _refuse_absent(scope, assignee)
    if not may_work(scope.policy, principal):
        raise NotEligible(
            name=assignee.name,
            reason="no right to work with customers of their own",
            reason_zh="无权处理自己的客户",
            field="userId",
        )
    return assignee


def load_eligible_assignee(scope: Scope, db: Session, user_id: int, pool_id: int | None) -> tuple[User, Principal]:
    """An active and present user who may claim from the pool.  Raises NotFound, Validation, NotEligible."""
    assignee, principal = _assignee_and_principal(scope, db, user_id)
    _refuse_absent(scope, assignee)
    if pool_id not in principal.member_pools or not may_claim_from(scope.policy, principal, pool_id):
        raise NotEligible(name=assignee.name, reason="no seat in this pool", reason_zh="不是该公海成员", field="userId")
    return assignee, principal


def refuse_out_of_sight(scope: Scope, db: Session, assignee: User, customer_id: int) -> None:
    """Raise NotEligible for a new owner from whom a line about a branch hides this very customer, as it is flushed."""
    if scope.policy.branch_fields and not scope.backend.may_see(db, assignee.id, Customer, customer_id):
        raise NotEligible(
            name=assignee.name, reason="no right to see this customer", reason_zh="无权查看该客户", field="userId"
        )


def may_work(policy: Snapshot, person: Principal) -> bool:
    """Whether a user may see and change customers that they own."""
    own = Facts(owner_id=person.id, department_id=person.department_id)
    return all(policy.might(person, action, Customer.module, own) for action in ("view", "edit"))


# --- whom a dialog offers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """A user who may be given records, with the number of customers they hold and may hold; None is no limit.

    `is_fit`: False for a user whom only a caller who insists may choose.  `is_known`: whether the caller may see the
    numbers; a full user is marked all the same.
    """

    id: int
    name: str
    held: int
    limit: int | None
    is_absent: bool
    is_full: bool = False
    is_fit: bool = True
    is_known: bool = True


def pool_candidates(scope: Scope, db: Session, customer_ids: Sequence[int]) -> list[Candidate]:
    """The users who may claim from all the pools from which the caller may assign these customers."""
    pools = set(_among(scope, db, customer_ids, "assign", Customer.pool_id))
    if not pools:
        return []
    return offered(
        scope,
        db,
        lambda person: all(x in person.member_pools and may_claim_from(scope.policy, person, x) for x in pools),
    )


def owner_candidates(scope: Scope, db: Session, customer_ids: Sequence[int]) -> list[Candidate]:
    """The users to whom the caller may transfer these customers; for a caller who may insist, the others after them."""
    owners = set(_among(scope, db, customer_ids, "transfer", Customer.owner_id))
    if not owners:
        return []
    insists = scope.policy.ever(scope.person, "insist", Customer.module)
    found = offered(scope, db, lambda person: may_work(scope.policy, person), with_others=insists)
    return [x for x in found if owners != {x.id}]


def offered(
    scope: Scope, db: Session, is_fit: Callable[[Principal], bool], *, with_others: bool = False
) -> list[Candidate]:
    """The visible active users who are fit, those with room and the fewest customers first; absent and full ones last.

    Three statements for any number of users.
    """
    fit = {x.id: is_fit(x) for x in principals.everybody(db.connection(), scope.person.now)}
    wanted = [id for id, yes in fit.items() if id is not None and (yes or with_others)]
    loads = capacities(db, wanted)
    found = [*_candidates(scope, db, {id: fit[id] for id in wanted}, loads)]
    return sorted(found, key=lambda x: (not x.is_fit, x.is_absent, x.is_full, x.held, x.name))[:MOST_CANDIDATES]


# --- steps -----------------------------------------------------------------------------------------------


def _candidates(scope: Scope, db: Session, fit: dict[int, bool], loads: dict[int, Capacity]) -> Iterator[Candidate]:
    viewer, now = scope.viewer, scope.person.now
    sees = scope.policy.guard(scope.person, User, "capacity", User)
    shown = (value(viewer, User, User, key) for key in ("name", "absent_until"))
    people = select(User.id, *shown, true() if sees is None else sees).where(User.active, User.deleted_at.is_(None))
    for id, name, absent, known in db.execute(people):
        if id in fit:
            load = loads.get(id, Capacity(0, None))
            away = absent is not None and absent > now
            yield Candidate(id, name or "", load.held, load.limit, away, load.full, fit[id], bool(known))


def _among(scope: Scope, db: Session, ids: Sequence[int], action: str, column: Any) -> list[int]:
    """The values of a column in those of these customers to which the caller may do the action."""
    may = open_to(scope.viewer, action, Customer)
    found = select(column).where(Customer.id.in_(ids), column.is_not(None), Customer.deleted_at.is_(None), may)
    return list(db.execute(found.distinct()).scalars())


def _refuse_absent(scope: Scope, assignee: User) -> None:
    if assignee.absent_until is not None and assignee.absent_until > scope.person.now:
        raise NotEligible(name=assignee.name, reason="absent", reason_zh="不在岗", field="userId")


def _assignee_and_principal(scope: Scope, db: Session, user_id: int) -> tuple[User, Principal]:
    assignee = active_user(scope, db, user_id)
    principal = principals.by_id(db.connection(), assignee.id, scope.person.now)
    own = Facts(owner_id=assignee.id, department_id=assignee.department_id)
    if not scope.policy.might(principal, "view", Customer.module, own):
        raise NotEligible(
            name=assignee.name,
            reason="no right to see customers of his own",
            reason_zh="无权查看自己的客户",
            field="userId",
        )
    return assignee, principal
