"""Custom fields in GraphQL: read as a union, written, filtered, ordered and paged, under one schema."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from models import Customer, CustomField
from models.custom_field import CustomKind
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from resolvers.views.settings import Reading, ViewSettings, read
from tests.support.custom_fields import both, define, define_all, options, with_lines
from tests.support.graphql import Api
from tests.support.returning_caller import Caller
from tests.support.world import World

ALL = """
    __typename
    ... on CustomFieldValue { key label kind }
    ... on CustomText { text } ... on CustomNumber { number } ... on CustomAmount { amount } ... on CustomDate { date }
    ... on CustomMoment { at } ... on CustomYesNo { yes } ... on CustomWord { word wordLabel }
    ... on CustomWords { words } ... on CustomRecord { recordId recordName }
"""
SHOWN: dict[CustomKind, dict[str, Any]] = {
    CustomKind.TEXT: {"text": "Blue whale"},
    CustomKind.LONG_TEXT: {"text": "One\nTwo"},
    CustomKind.NUMBER: {"number": "4.25"},
    CustomKind.MONEY: {"amount": "19.90"},
    CustomKind.DATE: {"date": "2026-03-01"},
    CustomKind.MOMENT: {"at": "2026-03-01T09:30:00.000Z"},
    CustomKind.YES_NO: {"yes": True},
    CustomKind.SINGLE_CHOICE: {"word": "good", "wordLabel": "Good"},
    CustomKind.MULTIPLE_CHOICE: {"words": ["good", "bad"]},
    CustomKind.PHONE: {"text": "+86 138 0013 8000"},
    CustomKind.EMAIL: {"text": "a@example.com"},
    CustomKind.LINK: {"text": "https://example.com/a"},
}
"""What the first value of each kind is answered as."""
MEMBER: dict[CustomKind, str] = {
    CustomKind.NUMBER: "number",
    CustomKind.MONEY: "amount",
    CustomKind.DATE: "date",
    CustomKind.MOMENT: "at",
    CustomKind.YES_NO: "yes",
    CustomKind.SINGLE_CHOICE: "word",
    CustomKind.MULTIPLE_CHOICE: "words",
    CustomKind.PERSON: "recordId",
    CustomKind.REFERENCE: "recordId",
}
"""The member of an input that holds a value of the kind; `text` for all others."""


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    return Api(world)


def given(world: World, kinds: dict[str, CustomKind]) -> list[dict[str, Any]]:
    shown = SHOWN | {
        CustomKind.PERSON: {"recordId": f"usr_{both(world, CustomKind.PERSON)[0]}"},
        CustomKind.REFERENCE: {"recordId": f"cus_{both(world, CustomKind.REFERENCE)[0]}"},
    }
    return [{"key": key, (m := MEMBER.get(kind, "text")): shown[kind][m]} for key, kind in kinds.items()]


def test_values_of_every_kind_are_written_and_read(api: Api) -> None:
    world = api.world
    kinds = define_all(world)
    inputs = given(world, kinds)

    made = api.change(
        "li",
        "createCustomer",
        {"name": "Acme", "ownerId": f"usr_{world.ids['li']}", "custom": inputs},
        f"customer {{ id custom {{ {ALL} }} }} problems {{ message }}",
    )

    assert made["problems"] == []
    shown = {x["key"]: x for x in made["customer"]["custom"]}
    assert list(shown) == list(kinds)
    for key, kind in kinds.items():
        if kind in SHOWN:
            assert shown[key].items() >= SHOWN[kind].items(), key
        assert shown[key]["kind"] == kind.value
    assert shown["person"]["recordName"] == "Li Na"
    assert shown["reference"]["recordName"] == "Partner 0"
    one = "query ($id: ID!, $keys: [String!]) { customer(id: $id) { custom(keys: $keys) { __typename ... on CustomFieldValue { key label } } } }"
    for _ in range(3):  # the third is answered by a plan
        read = api.ask("li", one, id=made["customer"]["id"], keys=["money", "nothing", "text"])
        assert read["customer"]["custom"] == [
            {"__typename": "CustomAmount", "key": "money", "label": "Money"},
            {"__typename": "CustomText", "key": "text", "label": "Text"},
        ]


def test_an_input_with_two_values_or_of_another_kind_is_refused(api: Api) -> None:
    define(api.world, "size", CustomKind.NUMBER)
    id = global_id(Customer, api.world.customer(owner="li"))

    def told(*inputs: dict[str, Any]) -> str:
        payload = api.change(
            "li", "updateCustomer", {"id": id, "version": 1, "custom": list(inputs)}, "problems { message field }"
        )
        (problem,) = payload["problems"]
        assert problem["field"].startswith("custom.")
        message: str = problem["message"]
        return message

    assert told({"key": "size", "number": "1", "text": "x"}) == "Size takes exactly one value."
    assert told({"key": "size", "number": "1"}, {"key": "size", "number": "2"}) == "Size takes exactly one value."
    assert told({"key": "size", "text": "x"}) == "Size must be a number."
    assert told({"key": "none", "text": "x"}) == "Customers have no custom field “none”."


LISTED = """query ($filter: CustomerFilter, $order: [CustomerOrder!], $first: Int, $after: String) {
    customers(filter: $filter, orderBy: $order, first: $first, after: $after) {
        nodes { name } pageInfo { endCursor hasNextPage } totalCount } }"""


def names(
    api: Api, *conditions: dict[str, Any], order: str | None = None, down: bool = False, **more: Any
) -> list[str]:
    steps = [{"custom": order, "direction": "DESC" if down else "ASC"}] if order else None
    found = [
        api.ask("ada", LISTED, filter={"custom": list(conditions), **more}, order=steps)["customers"] for _ in range(3)
    ]
    assert found[0] == found[1] == found[2]  # the last by a plan
    return [x["name"] for x in found[0]["nodes"]]


def test_every_operator_of_every_kind_finds_what_it_says(api: Api) -> None:
    world = api.world
    kinds = define_all(world)
    for n, name in enumerate(("One", "Two")):
        values = {f"custom.{key}": both(world, kind)[n] for key, kind in kinds.items()}
        world.customer(name, "li", **values)
    world.customer("None", "li")
    only = {"name": {"in": ["One", "Two", "None"]}}
    usual = {"order": None}

    def found(key: str, **asked: Any) -> set[str]:
        return set(names(api, {"key": key, **asked}, **only, **usual))

    words = {kind: SHOWN[kind] for kind in SHOWN}
    for key, kind in kinds.items():
        assert found(key, isNull=True) == {"None"}, key
        assert found(key, isNull=False) == {"One", "Two"}, key
        if kind in (CustomKind.MULTIPLE_CHOICE, CustomKind.PERSON, CustomKind.REFERENCE, CustomKind.YES_NO):
            continue
        value = next(iter(words[kind].values()))
        assert found(key, eq=value) == {"One"}, key
        assert found(key, ne=value) == {"Two", "None"}, key
        assert found(key, **{"in": [value]}) == {"One"}, key
    for key in ("number", "money", "date", "moment"):
        value = next(iter(words[kinds[key]].values()))
        assert found(key, gt=value) == found(key, gte="20" if key in ("number", "money") else "2026-12-01") == {"Two"}
        assert found(key, lte=value) == {"One"}, key
    assert (
        found("text", contains="WHALE") == found("text", startsWith="blue") == found("text", endsWith="ale") == {"One"}
    )
    assert found("yes_no", eq="true") == {"One"}
    assert found("yes_no", eq="false") == {"Two"}
    assert found("multiple_choice", eq="good") == {"One"}
    assert found("multiple_choice", ne="good") == {"Two", "None"}
    assert found("multiple_choice", **{"in": ["bad", "fair"]}) == {"One", "Two"}
    assert found("person", eq="me") == set()
    assert found("person", eq=f"usr_{world.ids['li']}") == {"One"}
    assert found("date", during="last 365 days") == {"One"}
    first = next(id for id in both(world, CustomKind.REFERENCE))
    assert found("reference", **{"in": [f"cus_{first}"]}) == {"One"}
    with_great = {"custom.single_choice": "great", "custom.multiple_choice": ["great"]}
    world.customer("Great", "li", **with_great)
    only["name"]["in"].append("Great")
    assert found("single_choice", under=["good"]) == found("multiple_choice", under=["good"]) == {"One", "Great"}


def test_what_cannot_be_asked_is_refused_with_a_sentence(api: Api) -> None:
    options(api.world)
    define(api.world, "size", CustomKind.NUMBER)
    define(api.world, "tags", CustomKind.MULTIPLE_CHOICE)

    def told(filter: dict[str, Any] | None = None, order: dict[str, Any] | None = None) -> str:
        answer = api.answer("li", LISTED, filter=filter, order=order)
        message: str = answer["errors"][0]["message"]
        return message

    assert told({"custom": [{"key": "none", "eq": "x"}]}) == "Customers have no custom field “none”."
    assert told({"custom": [{"key": "size", "eq": "big"}]}) == "Size cannot be compared with “big”."
    assert told({"custom": [{"key": "size", "contains": "1"}]}).startswith("Size is not compared by “contains”")
    assert told(order={"custom": "tags"}) == "A list cannot be ordered by “Tags”."
    assert told(order={"custom": "none"}) == "Customers have no custom field “none”."
    assert told(order={"direction": "DESC"}) == "A step of an order names a field or a custom field."


@pytest.mark.parametrize("down", [False, True])
def test_orders_page_both_ways_with_empty_values_last(api: Api, down: bool) -> None:
    world = api.world
    options(world)
    values: dict[str, tuple[CustomKind, list[Any]]] = {
        "number": (CustomKind.NUMBER, [Decimal(-3), Decimal("4.25"), Decimal(10), Decimal("0.5")]),
        "money": (CustomKind.MONEY, [Decimal("-3.10"), Decimal("4.20"), Decimal(10), Decimal("0.50")]),
        "text": (CustomKind.TEXT, ["a", "b", "Z", "\u4e2d"]),
        "choice": (CustomKind.SINGLE_CHOICE, ["bad", "good", "fair", "bad"]),
        "flag": (CustomKind.YES_NO, [True, False, True, False]),
    }
    for key, (kind, _) in values.items():
        define(world, key, kind)
    for n in range(4):
        world.customer(f"C{n}", "li", **{f"custom.{key}": held[n] for key, (_, held) in values.items()})
    world.customer("Empty", "li")
    wanted = {
        "number": ["C0", "C3", "C1", "C2"],
        "money": ["C0", "C3", "C1", "C2"],
        "text": ["C2", "C0", "C1", "C3"],
        "choice": ["C1", "C2", "C0", "C3"],
        "flag": ["C1", "C3", "C0", "C2"],
    }
    for key, order in wanted.items():
        steps = [{"custom": key, "direction": "DESC" if down else "ASC"}]
        found, after = [], None
        while True:
            page = api.ask("ada", LISTED, order=steps, first=2, after=after)["customers"]
            found += [x["name"] for x in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == [*(reversed(order) if down else order), "Empty"], key


def test_a_changed_definition_is_in_force_in_every_process_with_the_next_request(world: World) -> None:
    field = define(world, "size")
    customer = world.customer(owner="li", **{"custom.size": "Big"})
    other = World(world.backend.url)
    try:
        here, there = Caller(world, "li"), Caller(other, "li")
        asked = f'{{ customer(id: "cus_{customer}") {{ custom {{ ... on CustomFieldValue {{ label }} }} }} }}'
        for caller in (here, there):
            assert b'"Size"' in (caller.long(asked, {}) or b"")
            assert b'"Size"' in (caller.short(asked, {}) or b"")
        before, kept = other.backend.policy, there.engine.plans.count

        world.ada.do(create_update.update, Customer, customer, {"name": "Other"})
        assert b'"Size"' in (there.short(asked, {}) or b"")
        assert other.backend.policy is before  # what changes records drops nothing
        assert there.engine.plans.count == kept

        world.ada.do(create_update.update, CustomField, field, {"label_en": "Bulk"})
        for caller in (here, there):
            assert caller.short(asked, {}) is None  # the kept plan is no answer any more
            assert b'"Bulk"' in (caller.long(asked, {}) or b"")
            assert b'"Bulk"' in (caller.short(asked, {}) or b"")
        assert other.backend.policy is not before
        assert other.backend.policy.revision == before.revision
    finally:
        other.close()


def test_a_hidden_field_is_not_there_for_whoever_may_not_see_it(api: Api) -> None:
    world = api.world
    define(world, "size")
    define(world, "rank")
    id = global_id(Customer, world.customer("Acme", "li", **{"custom.size": "Big", "custom.rank": "A"}))
    pooled = global_id(Customer, world.customer("Pooled", pool="north", **{"custom.size": "Big"}))
    with_lines(
        world,
        "p, sales, customer.custom.rank, view, all, any, deny",
        "p, *, customer.custom.size, view, pool, in_pool, deny",
    )
    query = "query ($id: ID!) { customer(id: $id) { custom { ... on CustomText { key text } } } }"

    assert api.ask("li", query, id=id)["customer"]["custom"] == [{"key": "size", "text": "Big"}]
    assert api.ask("li", query, id=pooled)["customer"]["custom"] == [{"key": "size", "text": None}]
    answer = api.answer("li", LISTED, filter={"custom": [{"key": "rank", "eq": "A"}]})
    assert answer["errors"][0]["message"] == "Customers have no custom field “rank”."
    listed = api.ask("li", LISTED, filter={"custom": [{"key": "size", "eq": "Big"}]})["customers"]
    assert [x["name"] for x in listed["nodes"]] == ["Acme"]


def test_a_saved_view_keeps_a_filter_and_an_order_by_custom_fields(api: Api) -> None:
    world = api.world
    define(world, "size")
    settings = ViewSettings(
        condition={"custom": [{"key": "size", "eq": "Big"}]},
        columns=("name", "custom.size"),
        order=(("custom.size", True),),
    )
    settings.check(Customer, world.backend.policy.book)

    assert read(world.li, Customer, settings.stored()) == Reading(settings, ())
    with_lines(world, "p, sales, customer.custom.size, view, all, any, deny")
    found = read(world.li, Customer, settings.stored())
    assert found.settings == ViewSettings(columns=("name",))
    assert {english for english, _ in found.notes} == {
        "This view names “custom.size”, which is no longer there; that part is left out."
    }


def test_a_form_tells_of_the_fields_that_the_caller_sees(api: Api) -> None:
    world = api.world
    options(world)
    define(world, "score", CustomKind.SINGLE_CHOICE, is_required=True, help_en="One to five", help_zh="一到五")
    define(world, "rank")
    with_lines(world, "p, sales, customer.custom.rank, view, all, any, deny")
    asked = """{ formSchema(entity: CUSTOMER, action: CREATE) {
        name customKey label help type required editable dictionary } }"""

    (found,) = [x for x in api.ask("li", asked)["formSchema"] if x["customKey"]]
    assert found == {
        "name": "custom.score",
        "customKey": "score",
        "label": "Score",
        "help": "One to five",
        "type": "WORD",
        "required": True,
        "editable": True,
        "dictionary": "satisfaction",
    }
    assert {x["customKey"] for x in api.ask("ada", asked)["formSchema"]} == {None, "score", "rank"}
