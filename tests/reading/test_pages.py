"""Lists are read forwards and backwards, a page at a time, and say what lies on either side."""

import json
from itertools import product
from typing import Any

import pytest

from models import Contact
from schema.engine import Engine
from tests.support.world import World

PAGE = "nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
FORWARD = f"query ($n: Int, $at: String, $o: [CustomerOrder!]) {{ customers(first: $n, after: $at, orderBy: $o) {{ {PAGE} }} }}"
BACKWARD = f"query ($n: Int, $at: String, $o: [CustomerOrder!]) {{ customers(last: $n, before: $at, orderBy: $o) {{ {PAGE} }} }}"
BELOW = 'query ($n: Int, $at: String) { customer(number: "C2026001") { contacts(last: $n, before: $at) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor } } } }'


def ask(world: World, engine: Engine, query: str, **variables: Any) -> Any:
    answer = world.run(engine.answer(world.scope("ada", "graphql"), query, variables, None))
    return json.loads(answer.body)


def furnish(world: World) -> None:
    for n in range(7):
        values = {"industry": "steel" if n % 3 == 0 else None, "level": None, "phone": str(1000 + n) if n % 2 else None}
        world.customer(f"Same {n % 2}", "li" if n % 2 else "mei", **values)
    world.customer("Waits", pool="north")


def walk(world: World, engine: Engine, query: str, size: int, order: Any) -> list[list[str]]:
    """The pages, each as its ids, until there are no more on that side."""
    pages: list[list[str]] = []
    ahead, end = ("hasNextPage", "endCursor") if query is FORWARD else ("hasPreviousPage", "startCursor")
    at = None
    while True:
        page = ask(world, engine, query, n=size, at=at, o=order)["data"]["customers"]
        info, ids = page["pageInfo"], [node["id"] for node in page["nodes"]]
        assert ids == [edge["node"]["id"] for edge in page["edges"]]
        assert [info["startCursor"], info["endCursor"]] == [page["edges"][n]["cursor"] for n in (0, -1)]
        assert info["hasPreviousPage" if query is FORWARD else "hasNextPage"] is bool(pages)
        pages.append(ids)
        if not info[ahead]:
            return pages
        at = info[end]


NEVER = 10**9
FIRST = ((NEVER, "INDUSTRY"), (NEVER, "POOLED_AT"), (NEVER, "PHONE"))
"""The cases of the short form: NULL, the same value again, and a column that the policy guards."""
ALL = tuple(product((1, NEVER), ("NAME", "INDUSTRY", "PHONE", "CREATED_AT", "POOLED_AT", "ID")))


@pytest.mark.sampled(sqlite=8, postgresql=4)
@pytest.mark.parametrize(("plan_at", "field"), sorted(ALL, key=lambda case: case not in FIRST))
def test_backwards_the_pages_are_those_of_the_list_from_its_end(world: World, plan_at: int, field: str) -> None:
    furnish(world)
    engine = Engine(world.backend, plan_at=plan_at)
    for direction in ("ASC", "DESC"):
        order = [{"field": field, "direction": direction}]
        whole = [id for page in walk(world, engine, FORWARD, 200, order) for id in page]
        assert len(set(whole)) == 8
        for size in (1, 3, 20):
            assert [id for page in walk(world, engine, FORWARD, size, order) for id in page] == whole
            backward = walk(world, engine, BACKWARD, size, order)
            assert [id for page in reversed(backward) for id in page] == whole, (direction, size)
            assert all(len(page) == size for page in backward[:-1])


def test_between_two_cursors_lies_what_lies_between_them(world: World) -> None:
    furnish(world)
    engine = Engine(world.backend)
    edges = ask(world, engine, FORWARD, n=8)["data"]["customers"]["edges"]
    between = "query ($a: String, $b: String, $n: Int) { customers(first: $n, after: $a, before: $b) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }"

    found = ask(world, engine, between, a=edges[1]["cursor"], b=edges[5]["cursor"], n=9)["data"]["customers"]

    assert found["nodes"] == [edge["node"] for edge in edges[2:5]]
    assert ask(world, engine, between, b=edges[5]["cursor"])["data"]["customers"]["nodes"] == [
        edge["node"] for edge in edges[:5]
    ]


def test_below_a_record_the_last_ones_too(world: World) -> None:
    id = world.customer("Acme", "li")
    for n in range(5):
        world.make(Contact, customer_id=id, name=f"C{n}")
        world.clock.pass_by(minutes=1)
    engine, number = Engine(world.backend), None
    number = ask(world, engine, "{ customers { nodes { number } } }")["data"]["customers"]["nodes"][0]["number"]
    query = BELOW.replace("C2026001", number)

    last = ask(world, engine, query, n=2)["data"]["customer"]["contacts"]
    more = ask(world, engine, query, n=9, at=last["pageInfo"]["startCursor"])["data"]["customer"]["contacts"]

    assert [x["name"] for x in last["nodes"]] == ["C1", "C0"]  # the newest come first
    assert last["pageInfo"]["hasPreviousPage"] is True
    assert [x["name"] for x in more["nodes"]] == ["C4", "C3", "C2"]
    assert (more["pageInfo"]["hasPreviousPage"], more["pageInfo"]["hasNextPage"]) == (False, True)


def test_first_and_last_at_once_or_too_many_are_refused(world: World) -> None:
    engine = Engine(world.backend)
    for arguments, field in (("first: 1, last: 1", "last"), ("last: 201", "last"), ("last: -1", "last")):
        answer = ask(world, engine, f"{{ customers({arguments}) {{ totalCount }} }}")
        error = answer["errors"][0]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION", field)
        assert error["path"] == ["customers"]
