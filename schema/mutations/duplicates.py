"""Telling customers apart that look like one."""

import strawberry

from models import Customer
from resolvers.duplicates.told_apart import tell_apart
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, act, mutation
from ..types.payloads import batch_payload_of


@strawberry.input(description="Customers of which no two are the same, and why.")
class TellCustomersApartInput:
    ids: list[strawberry.ID]
    reason: str | None = None
    idempotency_key: str | None = None


@mutation("customer.merge", returns=batch_payload_of(Customer))
async def tell_customers_apart(info: GraphQLInfo, input: TellCustomersApartInput) -> Answered:
    """Note that these customers are different ones, so `duplicateGroups` reports them no more."""
    ids = [number_of(Customer, id) for id in input.ids]
    given = {"ids": ids, "reason": input.reason}
    return await act(
        info.context,
        Customer,
        info.field_name,
        input.idempotency_key,
        given,
        lambda scope: tell_apart(scope, ids, input.reason),
    )
