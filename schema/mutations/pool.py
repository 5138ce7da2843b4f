"""The customer pool: claim, assign, release and move customers."""

import strawberry

from models import Customer, Pool, User
from resolvers.pool import assign, claim, move, release
from resolvers.pool import auto_assign as auto_assigning
from resolvers.runtime.batch import Mode
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, mutation
from ..types.payloads import batch_payload_of
from .batches import HandInput, RecordsInput, batch


@strawberry.input(description="Which customers go into which pool; without a pool the owner's first by priority.")
class ReleaseInput:
    ids: list[strawberry.ID]
    pool_id: strawberry.ID | None = None
    """The pool into which the customers go; without it the one that takes each."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    lift_lock: bool = strawberry.field(default=False, description="Confirms that locks end.")
    idempotency_key: str | None = None


@strawberry.input(description="Which pooled customers go into which other pool.")
class MoveInput:
    ids: list[strawberry.ID]
    pool_id: strawberry.ID
    """The pool into which the customers go."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@mutation("customer.claim", returns=batch_payload_of(Customer), of=claim.claim)
async def claim_customers(info: GraphQLInfo, input: RecordsInput) -> Answered:
    return await batch(info, Customer, input, lambda scope, ids: claim.claim(scope, ids, input.mode))


@mutation("customer.assign", returns=batch_payload_of(Customer), of=assign.assign)
async def assign_customers(info: GraphQLInfo, input: HandInput) -> Answered:
    owner = number_of(User, input.user_id)
    return await batch(
        info, Customer, input, lambda scope, ids: assign.assign(scope, ids, owner, input.mode, input.reason)
    )


@mutation("customer.assign", returns=batch_payload_of(Customer))
async def auto_assign(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Give pooled customers to members of their pools, by the rule of each pool."""
    call = auto_assigning.auto_assign
    return await batch(info, Customer, input, lambda scope, ids: call(scope, ids, input.mode, input.reason))


@mutation("customer.release", returns=batch_payload_of(Customer), of=release.release)
async def release_customers(info: GraphQLInfo, input: ReleaseInput) -> Answered:
    pool = number_of(Pool, input.pool_id) if input.pool_id else None
    how = {"lift_lock": input.lift_lock}
    return await batch(
        info, Customer, input, lambda scope, ids: release.release(scope, ids, pool, input.reason, input.mode, **how)
    )


@mutation("customer.move", returns=batch_payload_of(Customer), of=move.move)
async def move_customers(info: GraphQLInfo, input: MoveInput) -> Answered:
    pool = number_of(Pool, input.pool_id)
    return await batch(info, Customer, input, lambda scope, ids: move.move(scope, ids, pool, input.reason, input.mode))
