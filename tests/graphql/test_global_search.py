"""`globalSearch`: groups of hits, and the records behind them with whatever fields are selected."""

from typing import Any

from models import Contact, Opportunity
from tests.support.graphql import Api
from tests.support.secrecy import SECRET
from tests.support.world import World

HITS = "entity count isCapped hits { recordId title subtitle isExact }"


def search(api: Api, login: str, text: str, selection: str = HITS, first: int = 5) -> list[dict[str, Any]]:
    query = f"query ($text: String!, $first: Int!) {{ globalSearch(text: $text, first: $first) {{ {selection} }} }}"
    groups: list[dict[str, Any]] = api.ask(login, query, text=text, first=first)["globalSearch"]
    return groups


def test_groups_say_their_kind_their_number_and_the_best_hits(api: Api, world: World) -> None:
    customer = world.customer("Lena Works", owner="li")

    groups = search(api, "li", "lena works")

    assert groups == [
        {
            "entity": "CUSTOMER",
            "count": 1,
            "isCapped": False,
            "hits": [
                {"recordId": f"cus_{customer}", "title": "Lena Works", "subtitle": "C2026001 · Li Na", "isExact": True}
            ],
        }
    ]


def test_the_record_of_a_hit_is_read_with_the_fields_of_its_kind_once_for_a_group(api: Api, world: World) -> None:
    for n in range(3):
        customer = world.customer(f"Granite {n}", owner="li")
        world.make(Opportunity, customer_id=customer, name=f"Granite deal {n}")
    node = "hits { node { id __typename ... on Customer { name owner { name } } ... on Opportunity { customer { name } } } }"
    twice = f"{node.replace('hits', 'a: hits', 1)} b: hits {{ node {{ id }} }}"
    read: list[int] = []
    rows = api.engine.backend.reads.rows

    async def counted(text: str, values: Any) -> Any:
        read.append(1)
        return await rows(text, values)

    api.engine.backend.reads.rows = counted  # type: ignore[method-assign]  # a test counts the statements
    customers, opportunities = search(api, "li", "granite 1", node), search(api, "li", "granite", twice)

    assert customers[0]["hits"][0]["node"]["owner"] == {"name": "Li Na"}
    assert customers[1]["hits"][0]["node"]["customer"] == {"name": "Granite 1"}
    assert {hit["node"]["__typename"] for hit in opportunities[1]["a"]} == {"Opportunity"}
    assert [hit["node"]["id"] for hit in opportunities[1]["a"]] == [hit["node"]["id"] for hit in opportunities[1]["b"]]
    assert len(read) == (1 + 2) + (1 + 4)  # the hits, and each kind for each selection


def test_a_page_too_large_and_a_text_too_long_are_refused_with_a_sentence(api: Api, world: World) -> None:
    query = "query ($text: String!, $first: Int!) { globalSearch(text: $text, first: $first) { entity } }"

    for values in ({"text": "a", "first": 0}, {"text": "a", "first": 21}, {"text": "a" * 101, "first": 1}):
        assert api.code("li", query, **values) == "VALIDATION"
    assert search(api, "li", "  ") == []


def test_nobody_finds_by_a_phone_that_they_do_not_see(api: Api, world: World, town: dict[str, int]) -> None:
    for login in ("li", "rolf"):
        assert search(api, login, SECRET, first=20) == []
    assert {group["entity"] for group in search(api, "mei", SECRET, first=20)} >= {"CUSTOMER", "CONTACT"}


def test_a_contact_is_found_by_its_customer(api: Api, world: World) -> None:
    customer = world.customer("Lena Works", owner="li")
    world.make(Contact, customer_id=customer, name="Ann", title="Buyer")

    found = {group["entity"]: group["hits"][0]["subtitle"] for group in search(api, "li", "lena works")}

    assert found["CONTACT"] == "Buyer · Lena Works"
