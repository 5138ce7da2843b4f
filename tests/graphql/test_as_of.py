"""Records as they were through GraphQL: `asOf`, `recordAsOf`, `restoreField`."""

from typing import Any

import pytest

from models import Customer
from models.base import time_text
from resolvers.customers import transfer as transferring
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from tests.support.custom_fields import both, define_all, with_lines
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import World

AT, LATER = "2026-11-24T08:00:00Z", "2026-11-24T08:30:00Z"
ASK = """query($id: ID, $at: DateTime) { customer(id: $id, asOf: $at) {
    id version called: name stage stageLabel ownerId owner { id name } phone } }"""


@pytest.fixture
def edited(world: World) -> str:
    """A customer that began with Li, went to Wu, and got another name and stage an hour later."""
    id = world.customer("One", "li", stage="early", phone="138 0013 8000")
    world.clock.pass_by(hours=1)
    world.ada.do(transferring.transfer, [id], world.ids["wu"])
    world.wu.do(create_update.update, Customer, id, {"name": "Two", "stage": "won"})
    return f"cus_{id}"


def asked(api: Api, login: str, id: str, at: str | None) -> Any:
    return api.ask(login, ASK, id=id, at=at)["customer"]


def test_a_customer_is_shown_as_it_was_with_the_people_of_then(api: Api, world: World, edited: str) -> None:
    li, wu = (f"usr_{world.ids[login]}" for login in ("li", "wu"))
    early = {
        "called": "One",
        "stage": "early",
        "stageLabel": "Early",
        "ownerId": li,
        "owner": {"id": li, "name": "Li Na"},
    }
    won = {"called": "Two", "stage": "won", "stageLabel": "Won", "ownerId": wu, "owner": {"id": wu, "name": "Wu Wei"}}

    for at, expected in ((LATER, early), (None, won), (LATER, early), (None, won), (AT, early), (None, won)):
        found = asked(api, "wu", edited, at)
        assert {key: found[key] for key in expected} == expected, at
        assert (found["id"], found["phone"]) == (edited, "138 0013 8000")


def test_who_does_not_see_the_record_now_sees_it_at_no_moment(api: Api, edited: str) -> None:
    assert asked(api, "mei", edited, LATER) is None
    assert asked(api, "mei", "cus_999", LATER) is None
    assert api.ask("mei", f'query($id: ID!) {{ recordAsOf(id: $id, at: "{LATER}") {{ recordId }} }}', id=edited) == {
        "recordAsOf": None
    }


def test_a_hidden_field_is_null_at_every_moment(api: Api, world: World, edited: str) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")

    assert asked(api, "wu", edited, LATER)["phone"] is None
    shown = api.ask("wu", f'query($id: ID!) {{ recordAsOf(id: $id, at: "{AT}") {{ fields {{ field }} }} }}', id=edited)
    assert "phone" not in [it["field"] for it in shown["recordAsOf"]["fields"]]


@pytest.mark.parametrize(
    ("at", "field", "words"),
    [
        ("2026-11-24T07:59:59Z", "name", "was not there yet"),
        ("2027-01-01T00:00:00Z", "name", "is yet to come"),
        (LATER, "contacts { nodes { id } }", "does not tell contacts"),
        (LATER, "lastFollowUpAt", "does not tell lastFollowUpAt"),
        (LATER, "can(action: EDIT)", "does not tell can"),
    ],
)
def test_what_no_history_tells_is_refused_by_a_sentence(api: Api, edited: str, at: str, field: str, words: str) -> None:
    answer = api.answer("wu", f'{{ customer(id: "{edited}", asOf: "{at}") {{ {field} }} }}')

    assert answer["data"] == {"customer": None}
    (error,) = answer["errors"]
    assert words in error["message"]


def test_a_record_of_any_kind_is_compared_with_what_it_is_now(api: Api, edited: str) -> None:
    ask = """query($id: ID!, $at: DateTime!) { recordAsOf(id: $id, at: $at) {
        since earlier later untold fields { field value name now nameNow isKnown hasChanged } } }"""

    found = api.ask("wu", ask, id=edited, at=LATER)["recordAsOf"]

    moments = (found["since"], found["earlier"], found["later"], found["untold"])
    assert moments == ("2026-11-24T08:00:00.000Z", None, "2026-11-24T09:00:00.000Z", 0)
    changed = {
        it["field"]: (it["value"], it["now"], it["name"], it["nameNow"]) for it in found["fields"] if it["hasChanged"]
    }
    assert changed["name"] == ("One", "Two", None, None)
    assert changed["stage"] == ("early", "won", "Early", "Won")
    assert changed["ownerId"][2:] == ("Li Na", "Wu Wei")
    assert "phone" not in changed


def test_a_field_is_restored_once_and_a_later_change_is_a_conflict(api: Api, world: World, edited: str) -> None:
    version = world.row(Customer, int(edited[4:]))["version"]
    given = {"id": edited, "field": "name", "asOf": LATER, "version": version, "idempotencyKey": "k"}

    for _ in range(2):
        assert api.change("wu", "restoreField", given, "recordId problems { code }") == {
            "recordId": edited,
            "problems": [],
        }
    assert asked(api, "wu", edited, None)["called"] == "One"
    world.wu.do(create_update.update, Customer, int(edited[4:]), {"name": "Three"})
    stale = {**given, "idempotencyKey": None, "asOf": AT}
    (problem,) = api.change("wu", "restoreField", stale, "problems { code params }")["problems"]
    assert (problem["code"], problem["params"]["current"]) == ("CONFLICT", {"name": "Three"})


def test_a_field_of_a_hidden_record_is_not_restored(api: Api, edited: str) -> None:
    shown = [
        api.change("mei", "restoreField", {"id": id, "field": "name", "asOf": AT}, "recordId problems { code message }")
        for id in (edited, "cus_999", "nonsense")
    ]

    assert {it["problems"][0]["code"] for it in shown} == {"NOT_FOUND"}
    assert len({it["problems"][0]["message"] for it in shown[:2]}) == 1


def test_custom_fields_are_shown_as_they_were(api: Api, world: World) -> None:
    kinds = define_all(world)
    first, second = ({f"custom.{key}": both(world, kind)[n] for key, kind in kinds.items()} for n in (0, 1))
    id = global_id(Customer, world.customer("Acme", "li", **first))
    shown = """custom { ... on CustomFieldValue { __typename key label kind } ... on CustomText { text } ... on CustomNumber { number }
        ... on CustomAmount { amount } ... on CustomDate { date } ... on CustomMoment { at } ... on CustomYesNo { yes }
        ... on CustomWord { word wordLabel } ... on CustomWords { words } ... on CustomRecord { recordId recordName } }"""

    def then(at: str | None) -> Any:
        moment = f', asOf: "{at}"' if at else ""
        return api.ask("li", f'{{ customer(id: "{id}"{moment}) {{ {shown} }} }}')["customer"]["custom"]

    now = then(None)
    before = time_text(world.clock())
    world.clock.pass_by(hours=2)
    world.li.do(create_update.update, Customer, int(id[4:]), second)
    assert then(None) != now

    assert then(before) == now
    with_lines(world, "p, sales, customer.custom.text, view, all, any, deny")
    assert then(before) == [x for x in now if x["key"] != "text"]
