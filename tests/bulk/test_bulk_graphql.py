"""The door of programs: bulk changes of every kind, their preview, and `undo`."""

from typing import Any

import pytest

from models import Contact, Customer
from resolvers.records import create_update
from tests.support.bulk_changes import BulkChanges
from tests.support.graphql import Api
from tests.support.world import World

CHANGE = "change { id state kind total done same refused kept batchId undoneBy } problems { code field message }"
PREVIEW = """query($input: BulkPreviewInput!) { bulkPreview(input: $input) { problems { code field } preview {
    matches isCounted tried changes same refused { count problem { code } } receiverRoom locked related { entity count }
    samples { name values { field label before after } } } } }"""
ITEMS = "query($id: ID!, $states: [ItemState!]) { bulkChangeItems(id: $id, states: $states) { name state problem { code message } } }"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def test_customers_are_previewed_changed_and_undone(world: World, bulk: BulkChanges, api: Api) -> None:
    for name in "ABC":
        world.customer(name, stage="won" if name == "B" else "early")
    input = {"filter": {"stage": {"in": ["early", "won"]}}, "set": {"stage": "won", "remark": None}}

    found = api.ask("li", PREVIEW, input={"customers": input})["bulkPreview"]["preview"]
    assert (found["matches"], found["tried"], found["changes"], found["same"]) == (3, 3, 2, 1)
    assert found["samples"][0]["values"][0] == {
        "field": "stage",
        "label": "Customer stage",
        "before": "Early",
        "after": "Won",
    }

    first, again = (api.change("li", "updateCustomersInBulk", {**input, "idempotencyKey": "k"}, CHANGE) for _ in "12")
    assert first == again
    bulk.run()
    made = api.ask("li", "query($id: ID!) { bulkChange(id: $id) { state done same } }", id=first["change"]["id"])
    assert made["bulkChange"] == {"state": "DONE", "done": 2, "same": 1}

    undone = api.change("li", "undo", {"batchId": first["change"]["batchId"]}, CHANGE)["change"]
    bulk.run()
    items = api.ask("li", ITEMS, id=undone["id"], states=["DONE"])["bulkChangeItems"]
    assert [item["state"] for item in items] == ["DONE", "DONE"]
    assert sorted(row["stage"] for row in world.rows(Customer)) == ["early", "early", "won"]
    assert api.ask("wu", ITEMS, id=undone["id"])["bulkChangeItems"] == []


def test_the_owner_of_contacts_is_a_transfer(world: World, bulk: BulkChanges, api: Api) -> None:
    customer = world.customer("A")
    contact = world.li.do(create_update.create, Contact, {"customer_id": customer, "name": "Ann"}).id
    input = {"ids": [f"con_{contact}"], "owner": {"userId": f"usr_{world.ids['lead']}"}}

    made = api.change("li", "updateContactsInBulk", input, CHANGE)

    bulk.run()
    assert made["change"]["kind"] == "TRANSFER"
    assert world.row(Contact, contact)["owner_id"] == world.ids["lead"]


def refusal(api: Api, login: str, name: str, input: dict[str, Any]) -> tuple[str, str]:
    (problem,) = api.change(login, name, input, CHANGE)["problems"]
    return problem["code"], problem["field"]


def test_what_cannot_be_meant_is_refused(world: World, bulk: BulkChanges, api: Api) -> None:
    name, ids = "updateCustomersInBulk", [f"cus_{world.customer('A')}"]
    assert refusal(api, "li", name, {"set": {"stage": "won"}}) == ("VALIDATION", "ids")
    assert refusal(api, "li", name, {"ids": ids, "filter": {}, "set": {}}) == ("VALIDATION", "ids")
    assert refusal(api, "li", name, {"ids": ids, "set": {}}) == ("VALIDATION", "set")
    assert refusal(api, "li", name, {"ids": ["cus_x"], "set": {"stage": "won"}}) == ("VALIDATION", "ids")
    assert refusal(api, "li", name, {"ids": ids, "add": [{"field": "nonsense", "words": ["a"]}]})[0] == "VALIDATION"
    assert refusal(api, "aud", name, {"ids": ids, "set": {"stage": "won"}})[0] == "FORBIDDEN"
    assert refusal(api, "li", "undo", {"batchId": "nonsense"})[0] == "NOT_FOUND"
    problems = api.ask("li", PREVIEW, input={})["bulkPreview"]["problems"]
    assert [problem["code"] for problem in problems] == ["VALIDATION"]
