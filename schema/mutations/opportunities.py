"""Opportunities on their way: `moveOpportunity`, `winOpportunity`, `loseOpportunity`."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from models import Opportunity
from resolvers.customers import opportunity_stages as stages
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import Answered, GraphQLInfo, act, mutation
from ..types.payloads import payload_of


@strawberry.input(description="Which opportunity goes to which stage of its pipeline.")
class MoveOpportunityInput:
    id: strawberry.ID
    stage: str = strawberry.field(description="A word of the dictionary `opportunity_stage`.")
    version: int | None = strawberry.field(default=None, description="The version that you saw.")
    idempotency_key: str | None = None


@strawberry.input(description="Which opportunity is won, for how much, and when.")
class WinOpportunityInput:
    id: strawberry.ID
    amount: Decimal | None = strawberry.field(default=None, description="Its own, unless it is given.")
    closed_on: date | None = strawberry.field(default=None, description="Today, unless it is given.")
    version: int | None = strawberry.field(default=None, description="The version that you saw.")
    idempotency_key: str | None = None


@strawberry.input(description="Which opportunity is lost, why, and when.")
class LoseOpportunityInput:
    id: strawberry.ID
    reason: str = strawberry.field(description="A word of the dictionary `lost_reason`.")
    remark: str | None = strawberry.field(default=None, description="Takes the place of its remark.")
    closed_on: date | None = strawberry.field(default=None, description="Today, unless it is given.")
    version: int | None = strawberry.field(default=None, description="The version that you saw.")
    idempotency_key: str | None = None


@mutation("opportunity.edit", returns=payload_of(Opportunity))
async def move_opportunity(info: GraphQLInfo, input: MoveOpportunityInput) -> Answered:
    """Move an opportunity to another stage.  Asks for the right opportunity.edit."""
    given = {"stage": input.stage, "version": input.version}
    return await _act(
        info, "step", input, given, lambda scope, that: stages.move(scope, that, input.stage, input.version)
    )


@mutation("opportunity.edit", returns=payload_of(Opportunity))
async def win_opportunity(info: GraphQLInfo, input: WinOpportunityInput) -> Answered:
    """Mark an opportunity as won.  Asks for the right opportunity.edit."""
    given: dict[str, Any] = {"amount": input.amount, "closed_on": input.closed_on, "version": input.version}
    return await _act(info, "win", input, given, lambda scope, that: stages.win(scope, that, **given))


@mutation("opportunity.edit", returns=payload_of(Opportunity))
async def lose_opportunity(info: GraphQLInfo, input: LoseOpportunityInput) -> Answered:
    """Mark an opportunity as lost.  Asks for the right opportunity.edit."""
    given: dict[str, Any] = {"reason": input.reason, "remark": input.remark}
    given |= {"closed_on": input.closed_on, "version": input.version}
    return await _act(info, "lose", input, given, lambda scope, that: stages.lose(scope, that, **given))


async def _act(
    info: GraphQLInfo,
    verb: str,
    input: Any,
    given: dict[str, Any],
    work: Callable[[Scope, int], Opportunity],
) -> Answered:
    id = number_of(Opportunity, input.id)
    return await act(
        info.context,
        Opportunity,
        f"opportunity.{verb}",
        input.idempotency_key,
        {"id": id, **given},
        lambda scope: single(work(scope, id)),
        subject=id,
    )
