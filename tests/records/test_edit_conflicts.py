"""Two people edit one record at once: what is different merges, what is the same is a conflict that shows both values."""

from typing import Any

import pytest

from models import Contact, Customer, Department, FollowUp, Opportunity, User
from models.errors import Forbidden
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import passwords, tokens
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from tests.support.edit_conflicts import conflict, contact, edit
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

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


# --- fields that mean one thing together -----------------------------------------------------------------


def test_amount_and_currency_of_two_users_are_not_merged_into_money_that_nobody_meant(world: World) -> None:
    customer = world.customer()
    deal = world.make(
        Opportunity, customer_id=customer, name="Deal", amount=100, currency="CNY", owner_id=world.ids["li"]
    )
    edit(world, "li", Opportunity, deal, 1, amount=200)

    told = conflict(world, "lead", Opportunity, deal, 1, currency="USD")

    assert (told["current"], told["given"]) == ({"currency": "CNY"}, {"currency": "USD"})
    edit(world, "lead", Opportunity, deal, 1, name="Deal 2")
    edit(world, "lead", Opportunity, deal, 3, currency="USD")
    row = world.row(Opportunity, deal)
    assert (row["amount"], row["currency"], row["name"]) == (200, "USD", "Deal 2")


def test_contact_and_opportunity_of_a_follow_up_are_not_merged(world: World) -> None:
    customer, start = world.customer(), world.clock.now
    person = world.make(Contact, customer_id=customer, name="Ann")
    deal = world.make(Opportunity, customer_id=customer, name="Deal")
    call = world.make(
        FollowUp, customer_id=customer, kind="CALL", content="x", happened_at=start, owner_id=world.ids["li"]
    )
    edit(world, "ada", FollowUp, call, 1, contact_id=person)

    assert conflict(world, "ada", FollowUp, call, 1, opportunity_id=deal)["current"] == {"opportunityId": None}
