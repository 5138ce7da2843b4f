"""Budgets: what is expensive, or stays in the log for ever, is limited for each user and for nobody else."""

import json
from typing import Any

import pytest

from models import Customer
from models.errors import TooManyAttempts
from resolvers.reading.pages import ListRequest, page
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.budgets import Budgets, Costly
from schema.engine import Engine
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

SEARCH = "query ($s: String) { customers(search: $s) { nodes { id } } }"


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_holds_a_minutes_worth_and_fills_up_evenly() -> None:
    watch = Watch()
    budgets = Budgets({Costly.SEARCHES: 60}, watch)

    for _ in range(60):
        budgets.spend(1, Costly.SEARCHES)
    with pytest.raises(TooManyAttempts):
        budgets.spend(1, Costly.SEARCHES)
    budgets.spend(2, Costly.SEARCHES)
    watch.now += 10
    for _ in range(10):
        budgets.spend(1, Costly.SEARCHES)
    with pytest.raises(TooManyAttempts):
        budgets.spend(1, Costly.SEARCHES)


def test_what_was_used_beyond_the_budget_is_owed() -> None:
    watch = Watch()
    budgets = Budgets({Costly.COMPILING: 6}, watch)

    budgets.take(1, Costly.COMPILING, 12)
    watch.now += 55
    with pytest.raises(TooManyAttempts):
        budgets.check(1, Costly.COMPILING)
    watch.now += 10
    budgets.check(1, Costly.COMPILING)


def test_without_a_limit_and_for_the_system_nothing_is_counted() -> None:
    for _ in range(100):
        Budgets().spend(1, Costly.SEARCHES)
        Budgets({Costly.SEARCHES: 1}).spend(None, Costly.SEARCHES)


@pytest.fixture
def limited(world: World, monkeypatch: pytest.MonkeyPatch) -> Backend:
    limits = {Costly.SEARCHES: 3, Costly.DENIALS: 3, Costly.COMPILING: 0.5}
    monkeypatch.setattr(world.backend, "budgets", Budgets(limits, Watch()))
    return world.backend


def codes(world: World, engine: Engine, login: str, query: str, **variables: Any) -> list[str]:
    body = json.loads(world.run(engine.answer(world.scope(login, "graphql"), query, variables, None)).body)
    return [error["extensions"]["code"] for error in body.get("errors", ())]


@at_length_on_postgresql
def test_searches_are_counted_for_graphql_and_panel_together(world: World, limited: Backend) -> None:
    engine = Engine(limited)
    asked = ListRequest(Customer, ("name",), search="acme")
    seen = [codes(world, engine, "li", SEARCH, s=word) for word in ("one", "two", "three", "four", "five", "six")]

    assert seen == [[]] * 4 + [["TOO_MANY_ATTEMPTS"]] * 2  # the first one only tells that the text searches
    with pytest.raises(TooManyAttempts):
        world.run(world.li.read(page, asked))
    assert codes(world, engine, "mei", SEARCH, s="one") == []


@at_length_on_postgresql
def test_new_texts_cost_and_known_ones_do_not(world: World, limited: Backend) -> None:
    engine, known = Engine(limited, plan_at=1), "{ customers { totalCount } }"
    assert codes(world, engine, "li", known) == []
    refused = None
    for n in range(200):
        fields = " ".join(f"x{n}_{m}: name" for m in range(40))
        refused = codes(world, engine, "li", f"{{ customers {{ nodes {{ {fields} }} }} }}")
        if refused:
            break

    assert refused == ["TOO_MANY_ATTEMPTS"]
    assert codes(world, engine, "li", known) == []
    assert codes(world, engine, "mei", "{ customers { nodes { id } } }") == []


@at_length_on_postgresql
def test_a_user_who_tries_what_they_may_not_has_to_wait_and_leaves_no_more_lines(
    world: World, limited: Backend
) -> None:
    hers, mark = world.customer(owner="mei"), world.mark()

    async def delete() -> None:
        await world.scope("li").run(create_update.delete, Customer, [hers])

    for _ in range(3):
        world.run(delete())
    with pytest.raises(TooManyAttempts):
        world.run(delete())

    assert [x["outcome"] for x in world.log(since=mark)] == ["DENIED"] * 3


def test_the_attempts_of_one_request_are_one_line_with_their_number(world: World) -> None:
    hers = [world.customer(owner="mei") for _ in range(4)]
    mark = world.mark()

    world.li.do(create_update.delete, Customer, hers)
    world.li.do(create_update.delete, Customer, hers[:1])

    several, one = world.log(since=mark)
    assert (several["outcome"], several["record_id"], several["changes"]) == (
        "DENIED",
        hers[0],
        {"attempts": [None, 4]},
    )
    assert (one["outcome"], one["record_id"], one["changes"]) == ("DENIED", hers[0], {})
