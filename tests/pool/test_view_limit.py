"""The daily limit of pages of pooled customers: counted once a day for each customer, logged, and refused above it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models import PoolView
from models.errors import ViewLimitReached
from models.pool import Seat
from resolvers.pool.view_limit import closed, open_page
from tests.support.claim_checks import organise, unchanged
from tests.support.graphql import Api
from tests.support.returning_caller import Caller
from tests.support.world import World


def opened(world: World, login: str, id: int) -> bool:
    """Whether the user may open the page of the customer, as a door does it."""
    try:
        if world.run(world.scope(login).read(closed, id)):
            world.scope(login).do(open_page, id)
    except ViewLimitReached:
        return False
    return True


def test_pages_of_pooled_customers_are_counted_once_a_day_and_refused_above_the_limit(world: World) -> None:
    organise(world, time_zone="Asia/Shanghai")
    world.rule("north", daily_view_limit=2)
    ids = [world.customer(f"C{n}", pool="north") for n in range(3)]
    mark = world.mark()

    assert [opened(world, "li", id) for id in (ids[0], ids[0], ids[1], ids[0])] == [True] * 4
    with unchanged(world), pytest.raises(ViewLimitReached) as refused:
        world.li.do(open_page, ids[2])

    assert refused.value.say() == (
        "You have opened 2 of 2 customers of this pool today. You may open others from 25 Nov 2026 00:00."
    )
    assert [(x["action"], x["record_id"]) for x in world.log(since=mark)] == [
        ("customer.open", ids[0]),
        ("customer.open", ids[1]),
    ]
    assert opened(world, "wu", ids[2])
    world.clock.pass_by(hours=8)  # midnight in Shanghai
    assert opened(world, "li", ids[2])
    assert len(world.rows(PoolView)) == 4


def test_administrators_owners_and_pools_without_a_limit_are_exempt(world: World) -> None:
    world.rule("north", daily_view_limit=0)
    pooled, owned = world.customer("A", pool="north"), world.customer("B", owner="li")
    other = world.customer("C", pool="south")
    world.seat("north", "mei", Seat.ADMIN)

    assert not opened(world, "li", pooled)
    assert [opened(world, *each) for each in (("mei", pooled), ("li", owned), ("mei", other))] == [True] * 3
    assert world.rows(PoolView) == []


def test_two_pages_at_once_do_not_get_past_the_limit(world: World) -> None:
    world.rule("north", daily_view_limit=1)
    ids = [world.customer(f"C{n}", pool="north") for n in range(4)]
    with ThreadPoolExecutor(4) as pages:
        found = list(pages.map(lambda one: _is_let_in(world, one), ids))
    assert sorted(found) == [False, False, False, True]


def _is_let_in(world: World, id: int) -> bool:
    try:
        world.li.do(open_page, id)
    except ViewLimitReached:
        return False
    return True


PAGE = "query Q($id: ID!) { customer(id: $id) { name pool { name } } }"


def test_graphql_counts_a_customer_that_is_named_and_shows_lists_as_before(api: Api, world: World) -> None:
    world.rule("north", daily_view_limit=1)
    first, second = (world.customer(name, pool="north") for name in ("A", "B"))
    for _ in range(4):  # executed, compiled, planned, prepared
        assert api.ask("li", PAGE, id=f"cus_{first}")["customer"]["name"] == "A"
    assert [row["customer_id"] for row in world.rows(PoolView)] == [first]
    for _ in range(3):
        said: Any = api.answer("li", PAGE, id=f"cus_{second}")
        assert said["errors"][0]["message"].startswith("You have opened 1 of 1 customers of this pool today.")
    assert api.answer("li", f'{{ node(id: "cus_{second}") {{ id }} }}')["errors"][0]["message"].startswith(
        "You have opened 1 of 1"
    )
    listed = api.ask("li", "{ customers { nodes { name } } }")["customers"]["nodes"]
    assert sorted(x["name"] for x in listed) == ["A", "B"]
    assert api.ask("lead", PAGE, id=f"cus_{second}")["customer"]["name"] == "B"
    assert api.ask("mei", PAGE, id=f"cus_{second}")["customer"] is None
    assert api.ask("li", PAGE, id="cus_999999")["customer"] is None


def test_a_pool_without_a_limit_costs_graphql_no_second_look(api: Api, world: World) -> None:
    id = world.customer("A", pool="north")
    for _ in range(4):
        assert api.ask("li", PAGE, id=f"cus_{id}")["customer"]["name"] == "A"
    assert world.rows(PoolView) == []


def test_the_prepared_path_counts_too(world: World) -> None:
    world.rule("north", daily_view_limit=1)
    first, second = (f"cus_{world.customer(name, pool='north')}" for name in ("A", "B"))
    caller = Caller(world, "li")
    for _ in range(3):  # counted, compiled, planned
        assert b'"A"' in (caller.long(PAGE, {"id": first}) or b"")
    assert b'"A"' in (caller.short(PAGE, {"id": first}) or b"")

    assert caller.short(PAGE, {"id": second}) is None  # left to the ordinary path, which refuses
    assert b"You have opened 1 of 1" in (caller.long(PAGE, {"id": second}) or b"")
