"""Definitions of custom fields in GraphQL: each mutation and query about them, run once and refused once."""

from collections.abc import Iterator
from typing import Any

import pytest

from models import Customer, CustomField, Notice
from tests.support.custom_fields import define, refresh, with_lines
from tests.support.graphql import Api
from tests.support.world import World

FIELD = "customField { id key kind labelEn labelZh position isRequired dictionary retiredAt version } problems { code message field }"


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    return Api(world)


def listed(api: Api) -> list[dict[str, Any]]:
    asked = "{ customFields(orderBy: [{field: POSITION}]) { nodes { id key kind labelEn retiredAt } } }"
    nodes: list[dict[str, Any]] = api.ask("ada", asked)["customFields"]["nodes"]
    return nodes


def test_a_choice_is_defined_changed_and_listed(api: Api) -> None:
    options = [{"labelEn": "Good", "labelZh": "好"}, {"labelEn": "Poor"}]
    given = {"forModule": "CUSTOMER", "kind": "SINGLE_CHOICE", "labelEn": "Satisfaction", "options": options}

    made = api.change("ada", "createCustomField", given, FIELD)
    assert made["problems"] == []
    field = made["customField"]
    assert (field["key"], field["kind"], field["dictionary"]) == (
        "satisfaction",
        "SINGLE_CHOICE",
        "customer_satisfaction",
    )

    edit = {"id": field["id"], "version": field["version"], "labelZh": "满意度", "isRequired": True}
    changed = api.change("ada", "updateCustomField", edit, FIELD)
    assert (changed["customField"]["labelZh"], changed["customField"]["isRequired"]) == ("满意度", True)
    assert [x["key"] for x in listed(api)] == ["satisfaction"]
    refused = api.change("li", "createCustomField", given, FIELD)
    assert [x["code"] for x in refused["problems"]] == ["FORBIDDEN"]


def test_fields_are_arranged_retired_and_brought_back(api: Api) -> None:
    first, second = (f"fld_{define(api.world, key, position=n)}" for n, key in enumerate(("size", "rank"), 1))

    arranged = api.change(
        "ada", "arrangeCustomFields", {"ids": [second, first]}, "customFields { key } problems { code }"
    )
    assert arranged == {"customFields": [{"key": "rank"}, {"key": "size"}], "problems": []}
    assert [x["key"] for x in listed(api)] == ["rank", "size"]

    for mutation, is_retired in (("retireCustomFields", True), ("bringBackCustomFields", False)):
        done = api.change("ada", mutation, {"ids": [first]}, "customFields { retiredAt } problems { code }")
        assert done["problems"] == []
        assert [x["retiredAt"] is not None for x in done["customFields"]] == [is_retired]
        again = api.change("ada", mutation, {"ids": [first]}, "problems { code }")
        assert again["problems"] == [{"code": "VALIDATION"}]
        assert api.change("li", mutation, {"ids": [first]}, "problems { code }")["problems"] != []


def test_a_kind_is_previewed_and_changed(api: Api) -> None:
    world = api.world
    field = f"fld_{define(world, 'staff')}"
    ids = [world.customer(f"C{n}", "li", **{"custom.staff": text}) for n, text in enumerate(("12", "many"))]
    asked = """query ($id: ID!, $kind: CustomKind!) { customFieldKindPreview(id: $id, kind: $kind) {
        possible total converts stuck { recordId name text } options } customFieldUse(id: $id) { filled missing } }"""
    wanted = {"id": field, "kind": "NUMBER"}

    found = api.ask("ada", asked, **wanted)
    assert found["customFieldKindPreview"] == {
        "possible": False,
        "total": 2,
        "converts": 1,
        "stuck": [{"recordId": f"cus_{ids[1]}", "name": "C2026002 C1", "text": "many"}],
        "options": [],
    }
    assert found["customFieldUse"] == {"filled": 2, "missing": 0}
    refused = api.change("ada", "changeCustomFieldKind", wanted, FIELD)
    assert [(x["code"], x["field"]) for x in refused["problems"]] == [("VALIDATION", "kind")]

    custom = [{"key": "staff", "text": "30"}]
    api.change("ada", "updateCustomer", {"id": f"cus_{ids[1]}", "version": 1, "custom": custom}, "problems { code }")
    done = api.change("ada", "changeCustomFieldKind", wanted, FIELD)
    assert (done["problems"], done["customField"]["kind"]) == ([], "NUMBER")
    assert [world.row(Customer, id)["custom"] for id in ids] == [{"staff": "12"}, {"staff": "30"}]
    assert api.code("li", asked, **wanted) == "FORBIDDEN"


def test_those_who_see_a_field_are_told_of_it_and_nobody_else(api: Api) -> None:
    world = api.world
    field = f"fld_{define(world, 'rank', label_zh='等级', help_zh='由主管填写')}"
    with_lines(world, "p, sales, customer.custom.rank, view, all, any, deny")

    told = api.change("ada", "announceCustomFields", {"ids": [field]}, "customFields { key } problems { code }")

    assert told == {"customFields": [{"key": "rank"}], "problems": []}
    receivers = {row["receiver_id"] for row in world.rows(Notice)}
    assert receivers
    assert receivers.isdisjoint({world.ids["ada"], world.ids["li"]})


def test_a_field_that_is_deleted_is_gone_at_once(api: Api) -> None:
    define(api.world, "size")
    (field,) = listed(api)
    done = api.change("ada", "deleteCustomFields", {"ids": [field["id"]]}, "problems { code }")

    assert done["problems"] == []
    refresh(api.world)
    form = "{ formSchema(entity: CUSTOMER, action: CREATE) { customKey } }"
    assert {x["customKey"] for x in api.ask("ada", form)["formSchema"]} == {None}
    assert api.world.count(CustomField, CustomField.deleted_at.is_(None)) == 0
