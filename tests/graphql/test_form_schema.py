"""The schema of a form: what it shows and takes is what the mutation takes."""

from typing import Any

import pytest

from models import ENTITIES, Customer
from policies import STARTER
from schema.closed_lists import entity_of
from tests.support.graphql import Api
from tests.support.policy_api import HIDE, draft, review
from tests.support.world import World

# --- forms -----------------------------------------------------------------------------------------------


FORM = (
    "query ($entity: EntityName!, $action: FormAction!, $id: ID) { formSchema(entity: $entity, action: $action, recordId: $id) "
    "{ name type required visible editable length dictionary choices reference } }"
)


def form(api: Api, login: str, entity: str, action: str, id: str | None = None) -> dict[str, dict[str, Any]]:
    return {x["name"]: x for x in api.ask(login, FORM, entity=entity, action=action, id=id)["formSchema"]}


def test_a_form_for_a_new_record_has_what_its_mutation_takes(api: Api) -> None:
    for model in ENTITIES:
        kind = api.engine.schema.type_map.get(f"Create{model.__name__}Input")
        if kind is not None:
            fields = form(api, "ada", entity_of(model).name, "CREATE")
            inputs = {name: x for name, x in kind.fields.items() if name not in ("idempotencyKey", "custom")}  # type: ignore[attr-defined]
            assert fields.keys() == inputs.keys(), model
            needed = {name for name, x in inputs.items() if str(x.type).endswith("!")}
            assert needed <= {name for name, x in fields.items() if x["required"]}, model
        fields = form(api, "ada", entity_of(model).name, "EDIT")
        inputs = api.engine.schema.type_map[f"Update{model.__name__}Input"].fields  # type: ignore[attr-defined]
        assert {x for x in fields if fields[x]["editable"]} == inputs.keys() - {
            "id",
            "version",
            "idempotencyKey",
            "custom",
        }, model


def test_a_field_says_what_it_holds(api: Api) -> None:
    fields = form(api, "li", "CUSTOMER", "CREATE")

    assert fields["name"] == {
        "name": "name",
        "type": "TEXT",
        "required": True,
        "visible": True,
        "editable": True,
        "length": 200,
        "dictionary": None,
        "choices": [],
        "reference": None,
    }
    assert (fields["industry"]["type"], fields["industry"]["dictionary"]) == ("WORD", "industry")
    kind = form(api, "li", "FOLLOW_UP", "CREATE")
    assert (kind["customerId"]["type"], kind["customerId"]["reference"]) == ("RECORD", "CUSTOMER")
    assert kind["kind"]["type"] == "CHOICE"
    assert "CALL" in kind["kind"]["choices"]
    assert form(api, "li", "CONTACT", "EDIT")["points"]["type"] == "POINTS"


def test_a_form_shows_and_takes_what_the_policy_lets_this_person_see_and_set(api: Api, world: World) -> None:
    mine, pooled = world.customer("Acme", "li"), world.customer("Pooled", pool="north")

    own, north = (form(api, "li", "CUSTOMER", "EDIT", f"cus_{id}") for id in (mine, pooled))

    assert (own["phone"]["visible"], own["phone"]["editable"]) == (True, True)
    assert (own["ownerId"]["visible"], own["ownerId"]["editable"]) == (True, False)
    assert "phone" not in north  # hidden until it is claimed
    assert not any(field["editable"] for field in north.values())
    assert form(api, "sam", "CONTACT", "EDIT")["points"]["editable"]
    add = STARTER + HIDE + "\n"
    id = draft(api, "rolf", add)
    seen = review(api, "rolf", id, "base")
    api.change("rolf", "activatePolicy", {"draftId": id, "reason": "r", "reviewed": seen["reviewed"]}, "number")
    assert "points" not in form(api, "sam", "CONTACT", "EDIT")


def test_what_a_form_says_editable_the_mutation_takes_and_nothing_else(api: Api, world: World) -> None:
    """Text fields of everybody's form over his own and a foreign record, tried."""
    mine, theirs = world.customer("Acme", "li"), world.customer("Other", "wu")
    tried = set()
    for login, id in (("li", mine), ("lead", mine), ("lead", theirs), ("sam", mine), ("ada", theirs), ("fin", mine)):
        fields = form(api, login, "CUSTOMER", "EDIT", f"cus_{id}")
        for place, name in enumerate(("name", "phone", "remark")):
            given = {
                "id": f"cus_{id}",
                "version": world.row(Customer, id)["version"],
                name: f"13800{place}{len(tried)}{id}",
            }
            problems = api.change(login, "updateCustomer", given, "problems { code }")["problems"]
            assert problems == ([] if fields[name]["editable"] else [{"code": "FORBIDDEN"}]), (login, id, name)
            tried.add((name, fields[name]["editable"]))
    assert len(tried) == 6, "each was once allowed and once refused"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"entity": "POLICY", "action": "EDIT"}, "VALIDATION"),
        ({"entity": "CUSTOMER", "action": "FLY"}, "BAD_REQUEST"),
        ({"entity": "CUSTOMER", "action": "CREATE", "id": "cus_1"}, "VALIDATION"),
        ({"entity": "CUSTOMER", "action": "EDIT", "id": "cus_999999"}, "NOT_FOUND"),
        ({"entity": "CUSTOMER", "action": "EDIT", "id": "usr_1"}, "NOT_FOUND"),
        ({"entity": "NUMBER_RULE", "action": "CREATE"}, "FORBIDDEN"),
    ],
)
def test_a_form_that_there_is_not_is_refused(api: Api, given: dict[str, str], code: str) -> None:
    assert api.answer("li", FORM, **given)["errors"][0]["extensions"]["code"] == code


def test_a_hidden_record_has_the_form_of_a_missing_one(api: Api, world: World) -> None:
    theirs = world.customer("Other", "mei")

    hidden, missing = (
        api.answer("li", FORM, entity="CUSTOMER", action="EDIT", id=f"cus_{id}")["errors"] for id in (theirs, 999_999)
    )

    assert hidden == missing


def test_a_form_that_the_caller_could_not_save_is_refused(api: Api, world: World) -> None:
    ask = "query {{ formSchema(entity: {}, action: CREATE) {{ name }} }}"
    world.customer(owner="li")

    for login, entities in (
        ("fin", ("CUSTOMER", "CONTACT", "OPPORTUNITY", "FOLLOW_UP")),
        ("sam", ("CUSTOMER", "CONTACT", "OPPORTUNITY")),
        ("lead", ("POOL",)),
        ("rolf", ("CUSTOMER", "CONTACT", "OPPORTUNITY", "FOLLOW_UP", "POOL")),
    ):
        for entity in entities:
            assert api.code(login, ask.format(entity)) == "FORBIDDEN", (login, entity)
    for login, entity in (("sam", "FOLLOW_UP"), ("lead", "POOL_MEMBER"), ("li", "CONTACT"), ("rolf", "ROLE")):
        assert api.ask(login, ask.format(entity))["formSchema"], (login, entity)
