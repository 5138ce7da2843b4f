"""Claiming from the pool."""

from world import World

from models import Customer
from resolvers import pools


def test_a_member_claims_a_pooled_customer_and_owns_it(world: World) -> None:
    customer = world.customer(pool="north")

    outcome = world.li.do(pools.claim, [customer])

    assert (outcome.ids, outcome.problems) == ([customer], [])
    assert world.row(Customer, customer)["owner_id"] == world.ids["li"]
