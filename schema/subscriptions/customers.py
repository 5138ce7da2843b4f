"""The subscription `customerChanged`."""

from collections.abc import AsyncGenerator

import strawberry

from models import Customer
from models.errors import NotFound
from resolvers.live.hub import RECORD
from resolvers.live.pool_changes import is_visible
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, Siblings, subscription
from ..types.make import record_of


@strawberry.type(description="A customer after a change.")
class CustomerChange:
    customer_id: strawberry.ID
    """The global id of the customer."""
    customer: Pointer | None = strawberry.field(
        graphql_type=record_of(Customer), description="Null when you do not see it any more."
    )


@subscription("customer.view")
async def customer_changed(info: GraphQLInfo, id: strawberry.ID) -> AsyncGenerator[CustomerChange, None]:
    """A customer whenever what you select of it changes."""
    number, subscriber = number_of(Customer, id), info.context.subscriber
    if not await info.context.scope.read(is_visible, number):
        raise NotFound(what=Customer.names)

    async def read() -> CustomerChange:
        pointer = Pointer(Customer, number, Siblings(Customer, [number]))
        return CustomerChange(customer_id=strawberry.ID(global_id(Customer, number)), customer=pointer)

    subscriber.knows_first = True
    yield await read()
    async for _ in subscriber.batches(f"{RECORD}customer:{number}"):
        yield await subscriber.shared(("customer", number), read)
