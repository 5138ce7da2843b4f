"""The duplicate check through the API: what is told, to whom, and the refusal at save with its reason."""

from typing import Any

import pytest
from sqlalchemy import delete

from models import Customer, DuplicateRule
from resolvers.runtime.ids import number_of
from tests.support.graphql import Api
from tests.support.world import World

CHECK = """query($input: DuplicateCheckInput!) { duplicateCheck(input: $input) {
  verdict evidence name number place ownerName nextStep recordId customer { id name phone } contact { id name } } }"""
MANY = "query($input: DuplicateCheckManyInput!) { duplicateCheckMany(input: $input) { matches { verdict name } } }"
MADE = "customer { id name } problems { code message field recordId params }"
CONTACT_MADE = "contact { id name } problems { code recordId }"


@pytest.fixture
def api(world: World) -> Api:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(DuplicateRule.__table__))
    return Api(world)


def check(api: Api, by: str, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.ask(by, CHECK, input=given)["duplicateCheck"]
    return found


def test_a_match_tells_its_owner_all_and_a_colleague_whom_to_ask(api: Api) -> None:
    api.world.customer("上海鸿发贸易有限公司", phone="13800138000")

    assert check(api, "li", name="上海鸿发贸易", phones=["138 0013 8000"]) == [
        {
            "verdict": "CERTAIN",
            "evidence": ["NAME", "PHONE_AND_NAME"],
            "name": "上海鸿发贸易有限公司",
            "number": "C2026001",
            "place": "OWNED",
            "ownerName": "Li Na",
            "nextStep": "OPEN",
            "recordId": "cus_1",
            "customer": {"id": "cus_1", "name": "上海鸿发贸易有限公司", "phone": "13800138000"},
            "contact": None,
        }
    ]
    (hidden,) = check(api, "mei", name="上海鸿发贸易")
    assert hidden == {
        "verdict": "CERTAIN",
        "evidence": ["NAME"],
        "name": "上海鸿发贸易＊＊＊＊",
        "number": None,
        "place": "OWNED",
        "ownerName": "Li Na",
        "nextStep": "ASK_OWNER",
        "recordId": None,
        "customer": None,
        "contact": None,
    }
    assert [x["action"] for x in api.world.log("customer", 1)] == ["customer.create", "customer.dupcheck"]


def test_a_record_that_is_edited_is_no_duplicate_of_itself(api: Api) -> None:
    api.world.customer("Acme Pumps")

    assert len(check(api, "li", name="Acme Pumps Ltd")) == 1
    assert check(api, "li", **{"name": "Acme Pumps Ltd", "except": "cus_1"}) == []


def test_contacts_are_checked_at_their_customer(api: Api) -> None:
    acme = api.world.customer("Acme", contact_name="王芳", contact_phone="13800138000")

    (match,) = check(api, "li", entity="CONTACT", name="王芳", customerId=f"cus_{acme}")
    assert (match["recordId"], match["contact"], match["customer"]) == ("con_1", {"id": "con_1", "name": "王芳"}, None)
    assert check(api, "li", entity="CONTACT", name="王芳") == []


def test_many_are_checked_in_their_order(api: Api) -> None:
    api.world.customer("Acme Pumps")
    rows = [{"name": "Nobody Knows"}, {"name": "Acme Pumps Ltd"}]

    found = api.ask("li", MANY, input={"rows": rows})["duplicateCheckMany"]

    assert found == [{"matches": []}, {"matches": [{"verdict": "CERTAIN", "name": "Acme Pumps"}]}]


def test_a_check_of_nothing_of_too_many_and_without_the_right_is_refused(api: Api) -> None:
    rows = [{"name": "Acme"}] * 201

    assert api.code("li", CHECK, input={}) == "VALIDATION"
    assert api.code("li", MANY, input={"rows": rows}) == "VALIDATION"
    assert api.code("aud", CHECK, input={"name": "Acme"}) == "FORBIDDEN"


# --- at save ---------------------------------------------------------------------------------------------


def test_a_second_customer_is_refused_until_a_reason_is_given(api: Api) -> None:
    api.world.customer("Acme Pumps")

    refused = api.change("li", "createCustomer", {"name": "ACME Pumps Ltd", "ownerId": owner(api)}, MADE)
    assert refused["customer"] is None
    (problem,) = refused["problems"]
    assert (problem["code"], problem["field"], problem["recordId"]) == ("DUPLICATE_FOUND", "name", "cus_1")
    assert problem["params"]["label"] == "C2026001 Acme Pumps"

    given = {"name": "ACME Pumps Ltd", "ownerId": owner(api), "duplicateReason": "Its sister company"}
    made = api.change("li", "createCustomer", given, MADE)
    assert (made["customer"]["name"], made["problems"]) == ("ACME Pumps Ltd", [])
    entries = api.world.log("customer", number_of(Customer, made["customer"]["id"]))
    assert entries[-1]["reason"] == "Its sister company"


def test_an_edit_that_makes_a_second_customer_is_refused_until_a_reason_is_given(api: Api) -> None:
    api.world.customer("Acme Pumps")
    api.world.customer("Umbrella")
    given = {"id": "cus_2", "version": 1, "name": "Acme Pumps"}

    assert [x["code"] for x in api.change("li", "updateCustomer", given, MADE)["problems"]] == ["DUPLICATE_FOUND"]
    done = api.change("li", "updateCustomer", {**given, "duplicateReason": "It was renamed"}, MADE)
    assert done == {"customer": {"id": "cus_2", "name": "Acme Pumps"}, "problems": []}


def test_a_second_contact_is_refused_until_a_reason_is_given(api: Api) -> None:
    acme = f"cus_{api.world.customer('Acme', contact_name='王芳', contact_phone='13800138000')}"
    given = {"customerId": acme, "name": "王芳"}

    refused = api.change("li", "createContact", given, CONTACT_MADE)
    assert refused["problems"] == [{"code": "DUPLICATE_FOUND", "recordId": "con_1"}]
    assert api.change("li", "createContact", {**given, "duplicateReason": "Her namesake"}, CONTACT_MADE)["contact"]

    other = api.change("li", "createContact", {"customerId": acme, "name": "李明"}, CONTACT_MADE)["contact"]["id"]
    change = {"id": other, "version": 1, "name": "王芳"}
    refused = api.change("li", "updateContact", change, CONTACT_MADE)
    assert [x["code"] for x in refused["problems"]] == ["DUPLICATE_FOUND"]
    change["duplicateReason"] = "A third one"
    assert api.change("li", "updateContact", change, CONTACT_MADE)["contact"]["name"] == "王芳"


def test_a_customer_that_is_there_again_comes_out_of_the_bin_with_a_reason_only(api: Api) -> None:
    api.world.customer("Acme Pumps")
    api.change("ada", "deleteCustomers", {"ids": ["cus_1"]}, "ids")
    api.world.customer("Acme Pumps Ltd", duplicate_reason="The first one is in the bin")
    with api.world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM not_duplicate")

    told = "ids problems { code message recordId }"
    refused = api.change("ada", "restoreCustomers", {"ids": ["cus_1"]}, told)
    assert [x["code"] for x in refused["problems"]] == ["DUPLICATE_FOUND"]
    done = api.change("ada", "restoreCustomers", {"ids": ["cus_1"], "reason": "Two towns"}, told)
    assert done == {"ids": ["cus_1"], "problems": []}


def owner(api: Api) -> str:
    return f"usr_{api.world.ids['li']}"
