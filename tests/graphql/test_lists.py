"""Lists over GraphQL: pages, filters and search."""

from typing import Any

import pytest

from models import Contact
from policies import Snapshot
from tests.support.graphql import Api
from tests.support.world import World


def names(connection: dict[str, Any]) -> list[str]:
    return [node["name"] for node in connection["nodes"]]


# --- pages -----------------------------------------------------------------------------------------------


def test_a_list_is_paged_by_cursors_without_gap_or_repeat(api: Api, five: list[int]) -> None:
    seen, after = [], None
    query = "query ($after: String) { customers(first: 2, after: $after) { nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor } } }"
    for _ in range(3):
        page = api.ask("li", query, after=after)["customers"]
        seen += names(page)
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]

    assert seen == ["50%_off", "delta 电子", "Ceres", "Bolt", "Acme"]
    assert page["pageInfo"]["hasNextPage"] is False


def test_the_end_of_a_list_is_an_empty_page_with_the_right_total(api: Api, five: list[int]) -> None:
    last = api.ask("li", "{ customers { pageInfo { endCursor } } }")["customers"]["pageInfo"]["endCursor"]

    page = api.ask(
        "li",
        "query ($after: String) { customers(after: $after) { totalCount nodes { name } edges { cursor } pageInfo { hasNextPage startCursor endCursor } } }",
        after=last,
    )["customers"]

    nothing = {"hasNextPage": False, "startCursor": None, "endCursor": None}
    assert page == {"totalCount": 5, "nodes": [], "edges": [], "pageInfo": nothing}


@pytest.mark.parametrize("order", ["STAGE", "NAME", "CREATED_AT", "ID", "PHONE"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_every_order_pages_through_everything_once(api: Api, five: list[int], order: str, direction: str) -> None:
    query = f"query ($after: String) {{ customers(first: 1, after: $after, orderBy: [{{field: {order}, direction: {direction}}}]) {{ edges {{ cursor node {{ id }} }} }} }}"
    seen, after = [], None
    while edges := api.ask("li", query, after=after)["customers"]["edges"]:
        after = edges[0]["cursor"]
        seen.append(edges[0]["node"]["id"])
        assert len(seen) <= 5

    whole = f"{{ customers(orderBy: [{{field: {order}, direction: {direction}}}]) {{ nodes {{ id }} }} }}"
    assert seen == [node["id"] for node in api.ask("li", whole)["customers"]["nodes"]]
    assert sorted(seen) == sorted(f"cus_{id}" for id in five)


def test_empty_values_come_last_in_both_directions(api: Api, five: list[int]) -> None:
    for direction in ("ASC", "DESC"):
        query = f"{{ customers(orderBy: [{{field: STAGE, direction: {direction}}}]) {{ nodes {{ stage }} }} }}"
        stages = [node["stage"] for node in api.ask("li", query)["customers"]["nodes"]]
        assert stages[-1] is None
        assert stages[:-1] == sorted(stages[:-1], reverse=direction == "DESC")


def test_a_count_stops_at_its_limit(api: Api, five: list[int]) -> None:
    answer = api.ask(
        "li", "{ customers(first: 0) { totalCount few: countUpTo(limit: 3) many: countUpTo nodes { id } } }"
    )

    assert answer["customers"] == {"totalCount": 5, "few": 3, "many": 5, "nodes": []}


@pytest.mark.parametrize("first", [-1, 201, 5000])
def test_a_page_of_an_odd_size_is_refused_with_a_sentence(api: Api, first: int) -> None:
    assert api.code("li", f"{{ customers(first: {first}) {{ totalCount }} }}") == "VALIDATION"


@pytest.mark.parametrize("cursor", ["", "zz", "00", "5b5d", "[]", "5b2278225d" * 900])
def test_a_cursor_that_no_page_gave_is_refused(api: Api, cursor: str) -> None:
    if cursor:
        assert (
            api.code("li", "query ($a: String) { customers(after: $a) { totalCount nodes { id } } }", a=cursor)
            == "VALIDATION"
        )


def test_a_cursor_of_another_order_is_refused(api: Api, five: list[int]) -> None:
    cursor = api.ask("li", "{ customers(first: 1) { pageInfo { endCursor } } }")["customers"]["pageInfo"]["endCursor"]

    code = api.code("li", f'{{ customers(after: "{cursor}", orderBy: [{{field: NAME}}]) {{ nodes {{ id }} }} }}')

    assert code == "VALIDATION"


# --- filters ---------------------------------------------------------------------------------------------


FILTERS = {
    '{name: {contains: "ACM"}}': ["Acme"],
    '{name: {startsWith: "b"}}': ["Bolt"],
    '{name: {endsWith: "电子"}}': ["delta 电子"],
    '{name: {contains: "%_"}}': ["50%_off"],
    '{name: {eq: "acme"}}': [],
    '{name: {in: ["Acme", "Bolt"]}}': ["Acme", "Bolt"],
    '{stage: {eq: "won"}}': ["50%_off", "Bolt"],
    '{stage: {ne: "won"}}': ["Acme", "Ceres", "delta 电子"],
    "{stage: {isNull: true}}": ["delta 电子"],
    '{not: {stage: {eq: "won"}}}': ["Acme", "Ceres", "delta 电子"],
    '{or: [{name: {eq: "Acme"}}, {stage: {eq: "won"}}]}': ["50%_off", "Acme", "Bolt"],
    '{and: [{stage: {eq: "won"}}, {not: {name: {contains: "off"}}}]}': ["Bolt"],
    "{or: []}": [],
    "{and: []}": ["50%_off", "Acme", "Bolt", "Ceres", "delta 电子"],
    '{createdAt: {gte: "2026-11-24T08:02:00Z", lt: "2026-11-24T08:04:00Z"}}': ["Bolt", "Ceres"],
    '{createdAt: {gt: "2026-11-24T16:03:00+08:00"}}': ["50%_off", "delta 电子"],
    '{ownerId: {eq: "usr_999"}}': [],
    '{ownerId: {eq: "cus_1"}}': [],
    "{ownerId: {isNull: true}}": [],
    "{locked: {eq: true}}": [],
    "{version: {lte: 1}, stage: {isNull: false}}": ["50%_off", "Acme", "Bolt", "Ceres"],
    "{name: {}}": ["50%_off", "Acme", "Bolt", "Ceres", "delta 电子"],
}


@pytest.mark.parametrize("tree", FILTERS)
def test_a_filter_finds_what_it_says_on_both_databases(api: Api, five: list[int], tree: str) -> None:
    found = api.ask("li", f"{{ customers(filter: {tree}) {{ totalCount nodes {{ name }} }} }}")["customers"]

    assert sorted(names(found)) == FILTERS[tree]
    assert found["totalCount"] == len(FILTERS[tree])


def test_a_filter_may_come_as_a_variable_with_nulls_in_it(api: Api, five: list[int]) -> None:
    query = "query ($f: CustomerFilter) { customers(filter: $f) { nodes { name } } }"

    assert names(api.ask("li", query, f={"name": {"eq": "Acme"}, "stage": None, "and": None})["customers"]) == ["Acme"]
    assert len(names(api.ask("li", query, f=None)["customers"])) == 5


# --- search ----------------------------------------------------------------------------------------------


def test_one_box_finds_by_number_name_and_contact(api: Api, world: World, five: list[int]) -> None:
    world.customer("Quiet", contact_name="王小明", contact_phone="13800138000")

    def search(text: str) -> list[str]:
        return sorted(
            names(api.ask("li", "query ($t: String) { customers(search: $t) { nodes { name } } }", t=text)["customers"])
        )

    assert search("C2026001") == ["Acme"]
    assert search("c202600") == ["50%_off", "Acme", "Bolt", "Ceres", "Quiet", "delta 电子"]
    assert search("电") == ["delta 电子"]
    assert search("小明") == ["Quiet"]
    assert search("%") == ["50%_off"]
    assert search("  bolt ") == ["Bolt"]
    assert search("nobody") == []
    assert search("1380 0138 000") == search("8000") == search("quiet 小明") == ["Quiet"]


def test_an_endless_search_is_refused(api: Api) -> None:
    assert api.code("li", "query ($t: String) { customers(search: $t) { totalCount } }", t="x" * 101) == "VALIDATION"


# --- the owner of a contact ------------------------------------------------------------------------------


def test_a_contact_has_the_owner_of_its_customer_unless_it_has_one(api: Api, world: World) -> None:
    mine, pooled = (
        world.customer("Mine", "li", contact_name="Ann", contact_phone="10086"),
        world.customer("P", pool="north"),
    )
    for customer, name, owner in (
        (mine, "Bob", "lead"),
        (pooled, "Cy", None),
        (world.customer("Wu's", "wu"), "Dan", None),
    ):
        given = {"owner_id": world.ids[owner]} if owner else {}
        world.make(Contact, customer_id=customer, name=name, **given)
    wanted = {"Ann": "Li Na", "Bob": "Lena Lead", "Cy": None, "Dan": "Wu Wei"}

    rows = api.ask("ada", "{ contacts { nodes { name ownerId owner { id name } } } }")["contacts"]["nodes"]

    assert {row["name"]: row["owner"] and row["owner"]["name"] for row in rows} == wanted
    assert all(row["ownerId"] == (row["owner"] and row["owner"]["id"]) for row in rows)
    query = "query ($f: ContactFilter) { contacts(filter: $f) { totalCount nodes { name } } }"
    for owner, theirs in (("li", ["Ann"]), ("lead", ["Bob"]), ("wu", ["Dan"]), ("mei", [])):
        page = api.ask("ada", query, f={"ownerId": {"eq": f"usr_{world.ids[owner]}"}})["contacts"]
        assert (names(page), page["totalCount"]) == (theirs, len(theirs)), owner
    below = api.ask("ada", '{ customers(search: "Mine") { nodes { contacts { nodes { name owner { name } } } } } }')
    (people,) = (customer["contacts"]["nodes"] for customer in below["customers"]["nodes"])
    assert {x["name"]: x["owner"]["name"] for x in people} == {"Ann": "Li Na", "Bob": "Lena Lead"}


def test_a_contact_does_not_tell_the_owner_of_its_customer_where_that_is_hidden(api: Api, world: World) -> None:
    world.customer("Mine", "li", contact_name="Ann", contact_phone="10086")
    query = "{ contacts { nodes { name owner { name } } } }"
    assert api.ask("lead", query)["contacts"]["nodes"] == [{"name": "Ann", "owner": {"name": "Li Na"}}]
    world.backend.policy = Snapshot(
        f"{world.backend.policy.text}\np, sales_lead, customer.owner, view, all, any, deny\n",
        revision=world.backend.policy.revision,
    )

    assert api.ask("lead", query)["contacts"]["nodes"] == [{"name": "Ann", "owner": None}]
    mine = {"f": {"ownerId": {"eq": f"usr_{world.ids['li']}"}}}
    page = api.ask("lead", "query ($f: ContactFilter) { contacts(filter: $f) { totalCount nodes { name } } }", **mine)
    assert page["contacts"] == {"totalCount": 0, "nodes": []}
