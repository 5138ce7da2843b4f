"""The subscription `poolChanged`."""

from collections.abc import AsyncGenerator
from functools import partial

import strawberry

from models import Customer, Pool
from resolvers.live.pool_changes import PoolChanges, changes_for
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, Siblings, subscription
from ..types.make import record_of


@strawberry.type(description="What became of one customer.")
class PoolCustomerChange:
    customer_id: strawberry.ID
    """The global id of the customer."""
    left: bool = strawberry.field(description="Whether it is not in the pool any more.")
    customer: Pointer | None = strawberry.field(
        graphql_type=record_of(Customer), description="Null when you do not see it any more."
    )


@strawberry.type(description="What has changed in a pool since you were told last.")
class PoolChange:
    pool_id: strawberry.ID
    """The global id of the pool."""
    changes: list[PoolCustomerChange]
    """The customers about whom something changed since the last event."""


@subscription("pool.view")
async def pool_changed(info: GraphQLInfo, pool_id: strawberry.ID) -> AsyncGenerator[PoolChange, None]:
    """Customers that come into a pool, change there and leave it, as far as you see them."""
    id, subscriber = number_of(Pool, pool_id), info.context.subscriber
    changes_for(info.context.scope, await subscriber.hub.pool_situation(id, ()))
    async for changes in subscriber.batches(f"pool:{id}"):
        ids = sorted({change.record_id for change in changes if change.record_id is not None})
        found = changes_for(info.context.scope, await subscriber.hub.pool_situation(id, ids))
        change = await subscriber.shared(("pool", found), partial(_change, id, found))
        if change.changes:
            yield change


async def _change(pool_id: int, found: PoolChanges) -> PoolChange:
    siblings = Siblings(Customer, sorted(found.seen))
    told = [
        PoolCustomerChange(
            customer_id=strawberry.ID(global_id(Customer, id)),
            left=id in found.left,
            customer=Pointer(Customer, id, siblings) if id in found.seen else None,
        )
        for id in (*found.here, *found.left)
    ]
    return PoolChange(pool_id=strawberry.ID(global_id(Pool, pool_id)), changes=told)
