"""A field that is refused fails alone: its error has path and locations, and everything beside it is answered."""

from typing import Any

import pytest

from tests.support.graphql import Api
from tests.support.world import World

STALE = "5b2261225d"
"""A cursor of another list: `["a"]`."""


def refused(answer: dict[str, Any]) -> list[tuple[str, list[Any], list[dict[str, int]]]]:
    """(code, path, locations) of each error."""
    return [(x["extensions"]["code"], x["path"], x["locations"]) for x in answer["errors"]]


@pytest.fixture
def three(world: World) -> list[int]:
    return [world.customer(owner="li", name=f"Huaxing {n}") for n in range(3)]


def test_a_stale_cursor_fails_its_own_root_field_alone(api: Api, three: list[int]):
    answer = api.answer(
        "li", f'{{\n  a: customers(after: "{STALE}") {{ totalCount }}\n  b: customers {{ totalCount }}\n}}'
    )

    assert answer["data"] == {"a": None, "b": {"totalCount": 3}}
    assert refused(answer) == [("VALIDATION", ["a"], [{"line": 2, "column": 3}])]


LISTS = """query ($after: String) {
  customers(orderBy: [{field: NAME, direction: ASC}]) {
    totalCount
    nodes { name contacts(after: $after) { totalCount } plans { totalCount } }
  }
  pools { totalCount }
}"""


@pytest.mark.parametrize("times", [1, 3])
def test_a_stale_cursor_in_a_list_fails_at_each_row_alone(api: Api, three: list[int], times: int):
    pools = api.ask("li", "{ pools { totalCount } }")["pools"]
    for _ in range(times - 1):  # by a plan, too
        assert "errors" not in api.answer("li", LISTS, after=None)

    answer = api.answer("li", LISTS, after=STALE)

    rows = [{"name": f"Huaxing {n}", "contacts": None, "plans": {"totalCount": 0}} for n in range(3)]
    assert answer["data"] == {"customers": {"totalCount": 3, "nodes": rows}, "pools": pools}
    where = [{"line": 4, "column": 18}]
    assert refused(answer) == [("VALIDATION", ["customers", "nodes", n, "contacts"], where) for n in range(3)]


def test_a_refused_search_page_and_count_fail_alone_in_an_edge_and_below_a_mutation(api: Api, three: list[int]):
    text = f"""mutation {{
      updateCustomer(input: {{id: "cus_{three[0]}", version: 1, latestNeed: "Steel"}}) {{
        customer {{ latestNeed contacts(first: 999) {{ totalCount }} followUps {{ countUpTo(limit: 0) totalCount }} }}
        problems {{ code }}
      }}
    }}"""

    answer = api.answer("li", text)

    customer = {"latestNeed": "Steel", "contacts": None, "followUps": None}
    assert answer["data"]["updateCustomer"] == {"customer": customer, "problems": []}
    path = ["updateCustomer", "customer"]
    assert [(code, at) for code, at, _ in refused(answer)] == [
        ("VALIDATION", [*path, "contacts"]),
        ("VALIDATION", [*path, "followUps"]),
    ]


def test_a_customer_called_like_a_mark_is_only_a_name(api: Api, world: World):
    id = world.customer(owner="li", name="~fault~0123456789abcdef~0")
    text = f'{{ customer(id: "cus_{id}") {{ name contacts(after: "{STALE}") {{ totalCount }} }} }}'

    assert api.answer("li", text)["data"]["customer"] == {"name": "~fault~0123456789abcdef~0", "contacts": None}


@pytest.mark.parametrize("login", ["li", "ada"])
def test_what_is_refused_before_any_field_has_locations_where_there_are_any(api: Api, login: str):
    (unknown,) = api.answer(login, "{ customers { nodes { nonsense } } }")["errors"]
    assert unknown["locations"] == [{"line": 1, "column": 23}]

    (wrong,) = api.answer(login, "query ($n: Int) { customers(first: $n) { totalCount } }", n="x")["errors"]
    assert wrong["locations"] == [{"line": 1, "column": 8}]
