"""How much somebody sees is found by looking, remembered for a while, and changes no answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from policies import Principal, Snapshot
from resolvers.people import tokens
from resolvers.runtime import selectivity
from schema.engine import Engine
from tests.support.world import World


@pytest.fixture(autouse=True)
def _every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectivity, "SMALL", 5)


def looked_at(world: World, who: Principal) -> bool:
    return world.run(world.backend.selectivity.look(who, world.backend.policy))


def fill(world: World, owners: str) -> None:
    for n, owner in enumerate(owners):
        world.customer(f"Customer {n}", owner={"l": "li", "w": "wu"}[owner])


def test_whoever_sees_customers_in_every_part_sees_broadly(world: World) -> None:
    fill(world, "lwlwlwlwlw")

    assert looked_at(world, world.principal("ada"))
    assert looked_at(world, world.principal("li"))


def test_whoever_sees_them_in_one_part_alone_or_nowhere_does_not(world: World) -> None:
    fill(world, "llwwwwwwww")

    assert not looked_at(world, world.principal("li"))
    assert not looked_at(world, replace(world.principal("li"), roles=frozenset()))


def test_a_small_house_is_not_looked_at(world: World) -> None:
    fill(world, "lll")

    assert not looked_at(world, world.principal("ada"))


def everything_is_lis(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE customer SET owner_id = {world.ids['li']}")


def test_it_is_remembered_until_the_policy_is_another(world: World) -> None:
    fill(world, "wwwwwwwwww")
    assert not looked_at(world, world.principal("li"))
    everything_is_lis(world)

    assert not looked_at(world, world.principal("li"))

    world.backend.policy = Snapshot(world.backend.policy.text, revision=world.backend.policy.revision)
    assert looked_at(world, world.principal("li"))


def cache_of(world: World, monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Give the backend a cache with other limits."""
    for name, limit in limits.items():
        monkeypatch.setattr(selectivity, name, limit)
    backend = world.backend
    backend.selectivity = selectivity.SelectivityCache(backend.reads, backend.read_engine.dialect)


def test_it_is_looked_up_again_after_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_of(world, monkeypatch, KEPT_SECONDS=0)
    monkeypatch.setattr(selectivity, "KEPT_SECONDS", 0)
    fill(world, "wwwwwwwwww")
    assert not looked_at(world, world.principal("li"))
    everything_is_lis(world)

    assert looked_at(world, world.principal("li"))


def test_it_is_remembered_of_so_many_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_of(world, monkeypatch, MOST_KEPT=2)
    fill(world, "llllllllll")
    for login in ("ada", "li", "wu", "lead"):
        looked_at(world, world.principal(login))

    assert len(world.backend.selectivity._known) == 2


def test_whoever_comes_with_a_key_is_looked_at(world: World) -> None:
    fill(world, "lwlwlwlwlw")

    token = world.scope("ada").do(tokens.create_token, "a program").token
    found = world.run(world.backend.principal_of(token))

    assert found is not None
    assert found == world.principal("ada")
    assert world.backend.scope(found, "graphql").sees_many
    assert not world.backend.scope(world.principal("li"), "graphql").sees_many, "nobody has asked about Li yet"


PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $by: [CustomerOrder!]) {
    customers(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
        nodes { id name owner { name } } edges { cursor node { id } } countUpTo(limit: 7)
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.mark.parametrize("by", [None, [{"field": "NAME"}], [{"field": "STAGE", "direction": "DESC"}]])
def test_pages_are_the_same_for_whoever_sees_much_and_little(world: World, by: Any) -> None:
    fill(world, "lwlwllwwlllwl")
    engine = Engine(world.backend, plan_at=1)

    def pages(*, sees_many: bool, far: str, begin: tuple[str, str], end: str) -> list[Any]:
        scope = world.backend.scope(world.principal("li"), "graphql")
        scope.sees_many = sees_many
        found: list[Any] = []
        while not found or found[-1]["pageInfo"][far]:
            at = found[-1]["pageInfo"][end] if found else None
            answer = world.run(engine.answer(scope, PAGE, {begin[0]: 3, begin[1]: at, "by": by}, None))
            found.append(json.loads(answer.body)["data"]["customers"])
        return found

    forwards = {"far": "hasNextPage", "begin": ("first", "after"), "end": "endCursor"}
    backwards = {"far": "hasPreviousPage", "begin": ("last", "before"), "end": "startCursor"}
    for way in (forwards, backwards):
        much, little = (pages(sees_many=sees_many, **way) for sees_many in (True, False))
        assert much == little
        assert sum(len(page["nodes"]) for page in much) == 8
