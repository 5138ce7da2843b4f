"""Two people edit one record at once: what is different merges, what is the same is a conflict that shows both values."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from models import Contact, ContactPoint, Customer, Department, Opportunity, User
from models.errors import Conflict, Forbidden
from resolvers.customers import contacts
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import passwords, tokens
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.records.edit_conflicts import MOST_VERSIONS, Line, fields_changed
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.refusals import refused
from tests.support.world import World

PHONE = {"kind": "PHONE", "value": "+86 138-0013 8000"}
MAIL = {"kind": "EMAIL", "value": "Ann@Acme.example"}


def edit(world: World, login: str, model: Any, id: int, version: int, **given: Any) -> None:
    world.scope(login).do(create_update.update, model, id, given, version)


def conflict(world: World, login: str, model: Any, id: int, version: int, **given: Any) -> dict[str, Any]:
    """What a conflict says; nothing has changed."""
    mark = world.mark()
    refusal = refused(world, world.scope(login), Conflict, create_update.update, model, id, given, version)
    assert world.log(since=mark) == []
    assert refusal.field == "version"
    return {key: refusal.params[key] for key in ("version", "current", "given")}


def contact(world: World, **values: Any) -> int:
    return world.li.do(create_update.create, Contact, {"customer_id": world.customer(), "name": "Ann", **values}).id


# --- what was edited -------------------------------------------------------------------------------------


def test_edits_of_different_fields_at_once_are_both_kept_in_one_log(world: World) -> None:
    customer = world.customer("Acme", phone="10086")
    mark = world.mark()
    edit(world, "li", Customer, customer, 1, name="Acme East")

    edit(world, "lead", Customer, customer, 1, phone="10010")

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["version"], row["updated_by_id"]) == (
        "Acme East",
        "10010",
        3,
        world.ids["lead"],
    )
    assert [(x["actor_id"], x["changes"]) for x in world.log("customer", customer, mark)] == [
        (world.ids["li"], {"name": ["Acme", "Acme East"]}),
        (world.ids["lead"], {"phone": ["10086", "10010"]}),
    ]


def test_edits_of_the_same_field_are_a_conflict_with_both_values_and_nothing_changes(world: World) -> None:
    customer = world.customer("Acme")
    edit(world, "li", Customer, customer, 1, name="Acme East")

    told = conflict(world, "lead", Customer, customer, 1, name="Acme West", phone="10010")

    assert told == {"version": 2, "current": {"name": "Acme East"}, "given": {"name": "Acme West"}}
    edit(world, "lead", Customer, customer, 2, name="Acme West", phone="10010")
    assert world.row(Customer, customer)["name"] == "Acme West"


def test_who_gives_the_value_that_is_there_already_is_in_nobodys_way(world: World) -> None:
    customer = world.customer("Acme")
    edit(world, "li", Customer, customer, 1, name="Acme East")
    mark = world.mark()

    edit(world, "lead", Customer, customer, 1, name=" Acme East ", remark="big")
    edit(world, "lead", Customer, customer, 1, name="Acme East")

    assert [x["changes"] for x in world.log("customer", customer, mark)] == [{"remark": [None, "big"]}]
    assert world.row(Customer, customer)["version"] == 3


@at_length_on_postgresql
def test_one_person_conflicts_with_himself_too(world: World) -> None:
    customer = world.customer("Acme")
    edit(world, "li", Customer, customer, 1, name="Acme East")

    told = conflict(world, "li", Customer, customer, 1, name="Acme West")

    assert told["current"] == {"name": "Acme East"}


def test_an_edit_three_versions_behind_is_weighed_against_each_of_them(world: World) -> None:
    customer = world.customer("Acme", industry="retail")
    edit(world, "li", Customer, customer, 1, industry="steel")
    for version, given in ((2, {"name": "Acme East"}), (3, {"phone": "10010"}), (4, {"remark": "big"})):
        edit(world, "lead", Customer, customer, version, **given)

    assert conflict(world, "li", Customer, customer, 2, name="A", phone="1001", address="1 Pond Road") == {
        "version": 5,
        "current": {"name": "Acme East", "phone": "10010"},
        "given": {"name": "A", "phone": "1001"},
    }
    edit(world, "li", Customer, customer, 2, address="1 Pond Road", industry="internet")  # steel it was at version 2
    row = world.row(Customer, customer)
    assert [row[key] for key in ("name", "phone", "remark", "address", "industry", "version")] == [
        "Acme East",
        "10010",
        "big",
        "1 Pond Road",
        "internet",
        6,
    ]


@at_length_on_postgresql
def test_amounts_days_and_references_are_told_as_json(world: World) -> None:
    ann = contact(world)
    customer = world.row(Contact, ann)["customer_id"]
    deal = world.li.do(
        create_update.create, Opportunity, {"customer_id": customer, "name": "Deal", "contact_id": ann}
    ).id
    edit(world, "li", Opportunity, deal, 1, amount=12, contact_id=None)

    told = conflict(world, "li", Opportunity, deal, 1, amount=7, contact_id=ann)

    assert told["current"] == {"amount": "12.00", "contactId": None}
    assert told["given"] == {"amount": "7.00", "contactId": ann}


def test_a_merged_edit_is_checked_like_every_other(world: World) -> None:
    customer = world.customer("Acme", industry="retail")
    edit(world, "li", Customer, customer, 1, name="Acme East")
    before = world.everything()

    with pytest.raises(Forbidden):
        edit(world, "fin", Customer, customer, 1, phone="10010")
    with pytest.raises(Exception, match="is not in the list"):
        edit(world, "lead", Customer, customer, 1, industry="stee1")

    assert world.everything() == before


# --- what else happens in between ------------------------------------------------------------------------


def _transfer(world: World, customer: int) -> None:
    assert world.lead.do(transferring.transfer, [customer], world.ids["wu"]).ids
    assert world.lead.do(transferring.transfer, [customer], world.ids["li"]).ids


def _lock(world: World, customer: int) -> None:
    assert world.li.do(locking.lock, [customer], "mine").ids


def _bin(world: World, customer: int) -> None:
    assert world.li.do(create_update.delete, Customer, [customer]).ids
    assert world.lead.do(create_update.restore, Customer, [customer]).ids


def _pool(world: World, customer: int) -> None:
    assert world.li.do(releasing.release, [customer]).ids
    assert world.li.do(claiming.claim, [customer]).ids


@pytest.mark.parametrize("happens", [_transfer, _lock, _bin, _pool])
def test_what_happens_to_a_customer_is_in_no_edits_way(world: World, happens: Any) -> None:
    customer = world.customer("Acme", phone="10086")
    edit(world, "li", Customer, customer, 1, phone="10010")

    happens(world, customer)
    edit(world, "li", Customer, customer, 2, phone="10000")
    edit(world, "li", Customer, customer, 2, name="Acme East")

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"]) == ("Acme East", "10000")
    assert conflict(world, "li", Customer, customer, 1, phone="1")["current"] == {"phone": "10000"}


def test_a_contact_that_has_stepped_down_is_edited_but_not_in_that(world: World) -> None:
    ann = contact(world, is_primary=True)
    world.li.do(
        create_update.create,
        Contact,
        {"customer_id": world.row(Contact, ann)["customer_id"], "name": "Bob", "is_primary": True},
    )
    assert world.row(Contact, ann)["version"] == 2  # a guarded update

    edit(world, "li", Contact, ann, 1, name="Anna")
    edit(world, "li", Contact, ann, 1, is_primary=False)

    assert world.row(Contact, ann)["name"] == "Anna"
    told = conflict(world, "li", Contact, ann, 1, is_primary=True)
    assert (told["current"], told["given"]) == ({"isPrimary": False}, {"isPrimary": True})


@at_length_on_postgresql
def test_a_department_that_moved_twice_in_one_edit_is_renamed(world: World) -> None:
    east, version = world.ids["east"], world.row(Department, world.ids["east"])["version"]
    edit(world, "ada", Department, east, version, parent_id=None)
    assert world.row(Department, east)["version"] == version + 2  # its place and its path

    edit(world, "ada", Department, east, version, name="Orient")

    assert world.row(Department, east)["name"] == "Orient"
    told = conflict(world, "ada", Department, east, version, parent_id=world.ids["west"])
    assert told["current"] == {"parentId": None}


@at_length_on_postgresql
def test_a_password_and_tokens_hide_no_change(world: World) -> None:
    li = world.ids["li"]
    edit(world, "ada", User, li, 1, name="Li Nan")
    for n in range(5):
        world.li.do(tokens.create_token, str(n))
    world.ada.do(passwords.set_password, "li", "x", one_time=True)

    edit(world, "ada", User, li, 1, email="li@acme.example")

    told = conflict(world, "ada", User, li, 1, name="Li")
    assert (told["version"], told["current"]) == (3, {"name": "Li Nan"})


# --- phones and addresses --------------------------------------------------------------------------------


def points(world: World, id: int) -> list[dict[str, Any]]:
    """The points of a contact as a conflict tells them: told for a version that never was."""
    current: list[dict[str, Any]] = conflict(world, "lead", Contact, id, 99, points=None)["current"]["points"]
    return current


def test_phones_that_somebody_has_changed_are_not_overwritten(world: World) -> None:
    ann = contact(world, points=[PHONE])
    edit(world, "li", Contact, ann, 1, points=[PHONE, MAIL])

    assert conflict(world, "lead", Contact, ann, 1, points=[MAIL], title="CEO") == {
        "version": 2,
        "current": {"points": [PHONE, MAIL]},
        "given": {"points": [MAIL]},
    }
    assert conflict(world, "lead", Contact, ann, 1, points=None)["given"] == {"points": []}
    edit(world, "lead", Contact, ann, 1, points=[PHONE, MAIL], title="CEO")
    assert (world.row(Contact, ann)["title"], points(world, ann)) == ("CEO", [PHONE, MAIL])


def test_phones_and_columns_of_a_contact_merge_both_ways(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, title="CTO")
    edit(world, "li", Contact, ann, 2, points=[PHONE, MAIL])  # raises the version and changes no column

    edit(world, "lead", Contact, ann, 2, title="Chair")
    edit(world, "lead", Contact, ann, 3, points=[MAIL])

    assert world.row(Contact, ann)["title"] == "Chair"
    assert points(world, ann) == [MAIL]


def test_phones_that_came_with_the_contact_are_no_change(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, points=[MAIL])

    edit(world, "lead", Contact, ann, 1, title="CTO")

    assert (world.row(Contact, ann)["title"], points(world, ann)) == ("CTO", [MAIL])


def test_an_edit_of_both_counts_once(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, title="CTO")
    edit(world, "li", Contact, ann, 2, remark="nice", points=[MAIL])
    assert world.row(Contact, ann)["version"] == 3

    assert conflict(world, "lead", Contact, ann, 1, title="Chair", points=[]) == {
        "version": 3,
        "current": {"title": "CTO", "points": [MAIL]},
        "given": {"title": "Chair", "points": []},
    }
    edit(world, "lead", Contact, ann, 2, title="Chair")
    assert world.row(Contact, ann)["title"] == "Chair"


@at_length_on_postgresql
def test_a_contact_handed_on_keeps_its_phones_editable(world: World) -> None:
    ann = contact(world, points=[PHONE])
    assert world.li.do(contacts.transfer, [ann], world.ids["lead"]).ids

    edit(world, "lead", Contact, ann, 1, points=[MAIL])

    assert points(world, ann) == [MAIL]


@pytest.mark.parametrize("deeds", [1, 3])
def test_whatever_happens_to_a_contact_no_change_is_missed(world: World, deeds: int) -> None:
    """Nor is one made up, unless several things were done to it in one batch."""
    ann, dice = contact(world, is_primary=True, title="CEO", points=[PHONE]), random.Random(3)
    bob = world.make(Contact, customer_id=world.row(Contact, ann)["customer_id"], name="Bob")
    past, missed, made_up = [_state(world, ann)], [], []

    for n in range(40):
        _something(world, dice, ann, bob, str(n), deeds)
        past.append(_state(world, ann))
        lines = [Line(x["batch_id"], x["action"], x["changes"]) for x in reversed(world.log("contact", ann))]
        for place, then in enumerate(past):
            found = fields_changed(Contact, lines, past[-1]["version"] - then["version"])
            changed = {key for a, b in pairwise(past[place:]) for key in a if a[key] != b[key]} - {"version"}
            told = changed if found is None else found & then.keys()
            missed += [(n, place, key) for key in changed - told]
            made_up += [(n, place)] if found is None or told != changed else []

    assert missed == []
    assert deeds > 1 or made_up == []


def _state(world: World, id: int) -> dict[str, Any]:
    """What the log may say about a contact: some columns, and its points by kind."""
    row = world.row(Contact, id)
    state = {key: row[key] for key in ("version", "title", "remark", "is_primary", "owner_id")}
    have = sorted(world.rows(ContactPoint, ContactPoint.contact_id == id), key=lambda point: point["position"])
    return state | {kind: [x["value"] for x in have if x["kind"] == kind.upper()] for kind in ("phone", "wechat")}


def _something(world: World, dice: random.Random, id: int, other: int, word: str, most: int) -> None:
    """One of the things that people do to a contact, or up to `most` of them in one batch."""
    some = [{"kind": kind, "value": f"{word}0{dice.randrange(9)}"} for kind in dice.sample(["PHONE", "WECHAT"], 2)]
    deeds: list[Any] = [
        lambda scope: create_update.update(scope, Contact, id, {"title": word}),
        lambda scope: create_update.update(scope, Contact, id, {"points": some[: dice.randrange(3)]}),
        lambda scope: create_update.update(scope, Contact, id, {"points": some, "remark": word}),
        lambda scope: create_update.update(scope, Contact, dice.choice([id, other]), {"is_primary": True}),
        lambda scope: contacts.transfer(scope, [id], world.ids[dice.choice(["li", "wu", "lead"])]),
        lambda scope: [create_update.delete(scope, Contact, [id]), create_update.restore(scope, Contact, [id])],
    ]

    def work(scope: Scope) -> None:
        with scope.write("contact.import"):
            for deed in dice.sample(deeds, dice.randint(1, most)):
                deed(scope)

    world.system.do(work)


# --- what nobody can know --------------------------------------------------------------------------------


def test_a_version_from_the_future_is_a_conflict_about_everything(world: World) -> None:
    customer = world.customer("Acme", phone="10086")

    assert conflict(world, "li", Customer, customer, 2, name="Acme", phone="1001") == {
        "version": 1,
        "current": {"name": "Acme", "phone": "10086"},
        "given": {"name": "Acme", "phone": "1001"},
    }
    assert conflict(world, "li", Customer, customer, 2)["current"] == {}


@at_length_on_postgresql
@pytest.mark.parametrize("version", [0, -1, -(2**31)])
def test_a_version_that_never_was_lets_nothing_through(world: World, version: int) -> None:
    customer = world.customer("Acme", phone="10086")

    told = conflict(world, "li", Customer, customer, version, name="Acme", phone="1001", remark="big")

    assert told["current"] == {"phone": "10086", "remark": None}


@pytest.mark.parametrize("version", [3, MOST_VERSIONS + 2])
def test_where_the_log_is_silent_every_field_counts_as_changed(world: World, version: int) -> None:
    customer = world.customer("Acme", phone="10086")
    edit(world, "li", Customer, customer, 1, phone="10010")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text(f"UPDATE customer SET version = {version} WHERE id = {customer}"))

    told = conflict(world, "li", Customer, customer, 1, name="Acme East", phone="10010")

    assert told == {"version": version, "current": {"name": "Acme"}, "given": {"name": "Acme East"}}


BORN = Line("a", "contact.create", {"customer_id": [None, 1], "name": [None, "Ann"], "title": [None, "CEO"]})
TITLE = Line("b", "contact.edit", {"title": ["CEO", "CTO"]})
NAME = Line("c", "contact.edit", {"name": ["Ann", "Anna"]})
POINTS = Line("d", "contact.edit", {"phone": [None, "1"]})


@pytest.mark.parametrize(
    ("lines", "versions", "changed"),
    [
        ([], 1, None),
        ([BORN], 1, None),
        ([TITLE, BORN], 1, {"title"}),
        ([TITLE, BORN], 2, None),
        ([NAME, TITLE, BORN], 1, {"name"}),
        ([NAME, TITLE, BORN], 2, {"name", "title"}),
        ([POINTS, TITLE, BORN], 1, {"phone"}),
        ([POINTS, TITLE, BORN], 2, {"phone", "title"}),
        ([POINTS, Line("a", "contact.create", POINTS.changes), BORN], 1, {"phone"}),
        ([POINTS._replace(batch_id="b"), TITLE, NAME, BORN], 1, {"phone", "title"}),
        ([POINTS._replace(batch_id="b"), TITLE, NAME, BORN], 2, {"phone", "title", "name"}),
        ([POINTS._replace(action="contact.merge"), TITLE, NAME], 1, {"phone", "title"}),
        ([NAME, TITLE._replace(batch_id="c"), BORN], 1, {"name", "title"}),
        ([NAME._replace(changes={"name": ["Ann", None]}), BORN], 1, {"name"}),
        ([NAME._replace(changes={"name": [None, None]}), BORN], 1, {"name"}),
        ([TITLE, BORN, Line("z", "contact.purge", {"name": ["Old", None]})], 2, None),
    ],
)
def test_so_many_lines_of_the_log_reach_back_so_many_versions(
    lines: list[Line], versions: int, changed: set[str] | None
) -> None:
    assert fields_changed(Contact, lines, versions) == changed


# --- what may not be told --------------------------------------------------------------------------------


def test_the_value_of_a_hidden_field_is_never_told(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[PHONE])
    edit(world, "ada", Customer, customer, 1, phone="13900139000", name="Acme East")
    edit(world, "ada", Contact, ann, 1, points=[{"kind": "PHONE", "value": "13900139000"}])

    for version in (1, 2, 9):
        for model, id, given in ((Customer, customer, {"name": "A", "phone": "1"}), (Contact, ann, {"points": []})):
            refusal = refused(world, world.lead, Forbidden, create_update.update, model, id, given, version)
            assert "139" not in str((refusal.params, refusal.say()))
    assert conflict(world, "lead", Customer, customer, 1, name="A")["current"] == {"name": "Acme East"}


# --- at the door, and at the same moment -----------------------------------------------------------------


def test_graphql_merges_and_shows_both_values_of_a_conflict(api: Api, world: World) -> None:
    world.customer("Acme", owner="li", phone="10086")
    api.change("li", "updateCustomer", {"id": "cus_1", "version": 1, "name": "Acme East"}, "customer { id }")
    look = "customer { name phone version } problems { code field recordId params }"

    merged = api.change("lead", "updateCustomer", {"id": "cus_1", "version": 1, "phone": "10010"}, look)
    refusal = api.change("lead", "updateCustomer", {"id": "cus_1", "version": 1, "name": "Acme West"}, look)

    now = {"name": "Acme East", "phone": "10010", "version": 3}
    assert merged == {"customer": now, "problems": []}
    assert refusal["customer"] == now
    (problem,) = refusal["problems"]
    assert (problem["code"], problem["field"], problem["recordId"]) == ("CONFLICT", "version", "cus_1")
    assert problem["params"] == {
        "label": "C2026001",
        "version": 3,
        "current": {"name": "Acme East"},
        "given": {"name": "Acme West"},
    }


def test_graphql_shows_both_values_of_phones(api: Api, world: World) -> None:
    ann = contact(world, points=[PHONE])
    given = {"id": f"con_{ann}", "version": 1, "points": [MAIL]}
    api.change("li", "updateContact", given, "contact { id }")

    payload = api.change("li", "updateContact", given | {"points": [PHONE, MAIL]}, "problems { code params }")

    (problem,) = payload["problems"]
    assert problem["code"] == "CONFLICT"
    assert (problem["params"]["current"], problem["params"]["given"]) == ({"points": [MAIL]}, {"points": [PHONE, MAIL]})


def _at_once(world: World, id: int, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Li edits, and before that is committed Lead edits the same version on a connection of his own and waits."""
    done, goes = threading.Event(), threading.Event()
    li, lead = world.li, world.lead

    def work(scope: Scope) -> None:
        create_update.update(scope, Customer, id, first, 1)
        done.set()
        assert goes.wait(timeout=30)

    with ThreadPoolExecutor(2) as two:
        one = two.submit(li.do, work)
        assert done.wait(timeout=30)
        other = two.submit(lead.do, create_update.update, Customer, id, second, 1)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)  # he waits
        goes.set()
        one.result(timeout=30)
        other.result(timeout=30)


def test_two_connections_at_the_same_moment_merge(world: World) -> None:
    customer = world.customer("Acme")

    _at_once(world, customer, {"name": "Acme East"}, {"phone": "10010"})

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["version"]) == ("Acme East", "10010", 3)


def test_two_connections_at_the_same_moment_conflict(world: World) -> None:
    customer = world.customer("Acme")

    with pytest.raises(Conflict) as caught:
        _at_once(world, customer, {"name": "Acme East"}, {"name": "Acme West", "phone": "10010"})

    assert (caught.value.params["current"], caught.value.params["given"]) == (
        {"name": "Acme East"},
        {"name": "Acme West"},
    )
    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["version"]) == ("Acme East", None, 2)
