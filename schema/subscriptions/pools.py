"""The subscription `poolChanged`."""

from collections.abc import AsyncGenerator

import strawberry

from models import Customer, Pool
from resolvers.live.pool_changes import check_pool, pool_changes
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, Siblings, subscription
from ..types.make import record_of


@strawberry.type(description="What became of one customer.")
class PoolCustomerChange:
    customer_id: strawberry.ID
    left: bool = strawberry.field(description="Whether it is not in the pool any more.")
    customer: Pointer | None = strawberry.field(
        graphql_type=record_of(Customer), description="Null when you do not see it any more."
    )


@strawberry.type(description="What has changed in a pool since you were told last.")
class PoolChange:
    pool_id: strawberry.ID
    changes: list[PoolCustomerChange]


@subscription("pool.view")
async def pool_changed(info: GraphQLInfo, pool_id: strawberry.ID) -> AsyncGenerator[PoolChange, None]:
    """Customers that come into a pool, change there and leave it, as far as you see them."""
    id, subscriber = number_of(Pool, pool_id), info.context.subscriber
    await info.context.scope.read(check_pool, id)
    async for changes in subscriber.batches(f"pool:{id}"):
        ids = sorted({change.record_id for change in changes if change.record_id is not None})

        async def read(ids: list[int] = ids) -> PoolChange:
            found = await info.context.scope.read(pool_changes, id, ids)
            siblings = Siblings(Customer, (*found.here, *found.left))
            told = [
                PoolCustomerChange(
                    customer_id=strawberry.ID(global_id(Customer, customer)),
                    left=customer in found.left,
                    customer=Pointer(Customer, customer, siblings),
                )
                for customer in siblings.ids
            ]
            return PoolChange(pool_id=strawberry.ID(global_id(Pool, id)), changes=told)

        change = await subscriber.shared(("pool", id, *ids), read)
        if change.changes or not ids:
            yield change
