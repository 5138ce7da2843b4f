"""Customers with an owner: transfer, lock and unlock them."""

from datetime import datetime
from typing import Any

import strawberry

from models import Customer, User
from resolvers.customers import approval, lock, transfer
from resolvers.runtime.batch import Mode
from resolvers.runtime.ids import number_of

from ..closed_lists import modules_of
from ..contract import Answered, GraphQLInfo, mutation
from ..types.enums import EntityNameType
from ..types.payloads import batch_payload_of
from .batches import RecordsInput, batch


@strawberry.input(description="Which customers only their owners may see and change, until when.")
class LockInput:
    ids: list[strawberry.ID]
    until: datetime | None = None
    """When the lock ends by itself; without it, it lasts until it is unlocked."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Which customers that wait for approval are rejected, and why.")
class RejectInput:
    ids: list[strawberry.ID]
    reason: str
    mode: Mode = Mode.BEST_EFFORT
    idempotency_key: str | None = None


@strawberry.input(description="Which customers go to whom.")
class TransferInput:
    ids: list[strawberry.ID]
    user_id: strawberry.ID
    """The user who gets the customers."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    insist: bool = strawberry.field(
        default=False, description="Also to a person who may not work with them or is absent; needs a reason."
    )
    lift_lock: bool = strawberry.field(default=False, description="Confirms that locks end.")
    related: list[EntityNameType] | None = strawberry.field(
        default=None,
        description="The kinds of the former owner's records at them that go along: CONTACT, OPPORTUNITY, PLAN. All without it.",
    )
    idempotency_key: str | None = None


@mutation("customer.transfer", returns=batch_payload_of(Customer), of=transfer.transfer)
async def transfer_customers(info: GraphQLInfo, input: TransferInput) -> Answered:
    owner = number_of(User, input.user_id)
    how: dict[str, Any] = {"insist": input.insist, "lift_lock": input.lift_lock, "related": modules_of(input.related)}
    return await batch(
        info, Customer, input, lambda scope, ids: transfer.transfer(scope, ids, owner, input.reason, input.mode, **how)
    )


@mutation("customer.lock", returns=batch_payload_of(Customer), of=lock.lock)
async def lock_customers(info: GraphQLInfo, input: LockInput) -> Answered:
    return await batch(
        info, Customer, input, lambda scope, ids: lock.lock(scope, ids, input.reason, input.until, input.mode)
    )


@mutation("customer.unlock", returns=batch_payload_of(Customer), of=lock.unlock)
async def unlock_customers(info: GraphQLInfo, input: RecordsInput) -> Answered:
    return await batch(info, Customer, input, lambda scope, ids: lock.unlock(scope, ids, input.reason, input.mode))


@mutation("customer.approve", returns=batch_payload_of(Customer))
async def approve_customers(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Approve new customers that wait for it; not those that the caller has entered or submitted."""
    return await batch(info, Customer, input, lambda scope, ids: approval.approve(scope, ids, input.mode))


@mutation("customer.approve", returns=batch_payload_of(Customer))
async def reject_customers(info: GraphQLInfo, input: RejectInput) -> Answered:
    """Reject new customers that wait for approval; they can be corrected and submitted again."""
    return await batch(info, Customer, input, lambda scope, ids: approval.reject(scope, ids, input.reason, input.mode))


@mutation("customer.edit", returns=batch_payload_of(Customer))
async def submit_customers(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Submit rejected customers for approval again."""
    return await batch(info, Customer, input, lambda scope, ids: approval.submit(scope, ids, input.mode))
