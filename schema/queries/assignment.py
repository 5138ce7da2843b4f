"""The queries `assignmentPreview` and `assignmentDecisions`: who gets a customer automatically, and why."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy.orm import Session

from models import Customer, Pool, User
from models.pool_assignment import Reason, Strategy
from resolvers.pool import decisions
from resolvers.pool.auto_assign import assignment_preview as preview
from resolvers.pool.decisions import DecisionShown
from resolvers.pool.decisions import Shown as CandidateShown
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of

AssignmentReason: Any = enum_of(Reason)
AssignmentStrategy: Any = enum_of(Strategy)


@strawberry.type(description="A member of the pool, and why they get the customer or do not.")
class AssignmentCandidate:
    user: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """The member; null where they are out of your sight."""
    reason: AssignmentReason
    """Why they get it, or do not."""
    held: int | None = strawberry.field(description="Customers that they hold, as far as you may see it.")
    limit: int | None
    """Number of customers that they may hold; null is no limit."""
    weight: int
    """The weight of their share in the pool."""


@strawberry.type(description="Who gets a customer automatically; nobody where no member can take it.")
class AssignmentDecision:
    customer: Pointer = strawberry.field(graphql_type=record_of(Customer))
    """The customer who is assigned; null where they are out of your sight."""
    pool: Pointer | None = strawberry.field(graphql_type=record_of(Pool))
    """The pool out of which it is assigned."""
    strategy: AssignmentStrategy
    """The strategy of the pool at that time."""
    chosen: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """The user who gets it; null where no member can take it."""
    actor: Pointer | None = strawberry.field(graphql_type=record_of(User), description="Null for the clock.")
    at: datetime | None = strawberry.field(description="Null in a preview.")
    candidates: list[AssignmentCandidate] = strawberry.field(
        description="Every member of the pool, for those who may assign from it."
    )


@query("customer.assign")
async def assignment_preview(
    info: GraphQLInfo, pool_id: strawberry.ID, ids: list[strawberry.ID]
) -> list[AssignmentDecision]:
    """Who would get these customers of a pool, one after the other.  It gives no turn and assigns nothing."""
    numbers = [number_of(Customer, text) for text in ids]
    return [_decision(x) for x in await info.context.scope.read(_previewed, number_of(Pool, pool_id), numbers)]


@query("customer.view")
async def assignment_decisions(info: GraphQLInfo, customer_id: strawberry.ID) -> list[AssignmentDecision]:
    """The automatic assignments of a customer, the latest first."""
    found = await info.context.scope.read(decisions.decisions_of, number_of(Customer, customer_id))
    return [_decision(x) for x in found]


def _previewed(scope: Scope, db: Session, pool_id: int, ids: list[int]) -> list[DecisionShown]:
    return decisions.shown(scope, db, [(x, None, None) for x in preview(scope, db, pool_id, ids)])


def _decision(x: DecisionShown) -> AssignmentDecision:
    return AssignmentDecision(
        customer=Pointer(Customer, x.customer_id),
        pool=Pointer(Pool, x.pool_id),
        strategy=x.strategy,
        chosen=_user(x.chosen),
        actor=_user(x.actor_id),
        at=x.at,
        candidates=[_candidate(each) for each in x.candidates],
    )


def _candidate(x: CandidateShown) -> AssignmentCandidate:
    return AssignmentCandidate(user=_user(x.user_id), reason=x.reason, held=x.held, limit=x.limit, weight=x.weight)


def _user(id: int | None) -> Pointer | None:
    return Pointer(User, id) if id is not None else None
