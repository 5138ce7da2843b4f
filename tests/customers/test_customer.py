"""What is special about a customer: its owner or pool, its number, the contact that comes with it."""

from typing import Any

import pytest

from models import Contact, ContactPoint, Customer, Event, Organisation, OwnershipPeriod, Pool, User
from models.errors import CapacityReached, Forbidden, NotFound, Refusal, Validation
from models.pool import Seat
from resolvers.customers import lock as locking
from resolvers.ownership.capacity import capacity
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

FULL = {
    "name": "Acme",
    "source": "web",
    "industry": "retail",
    "stage": "early",
    "region": "east",
    "phone": "+86 21 5555 0000",
    "email": "info@acme.example",
    "address": "1 Pond Road",
    "latest_need": "two hundred chairs",
    "remark": "ask for Ann",
}
ANN = {
    "contact_name": "Ann",
    "contact_phone": "138 0013 8000",
    "contact_email": "ann@acme.example",
    "contact_title": "CEO",
}


def refused(world: World, scope: Scope, kind: type[Refusal], **given: Any) -> Any:
    before = world.everything()
    with pytest.raises(kind) as caught:
        scope.do(create_update.create, Customer, {"name": "Acme", **given})
    assert world.everything() == before
    return caught.value


def held(world: World, login: str) -> int:
    def look(scope: Scope) -> int:
        with scope.write("system.look") as db:
            return capacity(db, world.ids[login]).held

    return world.system.do(look)


def need_contacts(world: World) -> None:
    world.system.do(create_update.update, Organisation, 1, {"contact_required": True})


# --- CUS-01 ----------------------------------------------------------------------------------------------


def test_a_customer_is_created_with_everything_and_its_creator_owns_it(world: World) -> None:
    made = world.li.do(create_update.create, Customer, {**FULL, **ANN})

    row = world.row(Customer, made.id)
    assert {key: row[key] for key in FULL} == FULL
    assert (row["number"], row["owner_id"], row["department_id"]) == ("C2026001", world.ids["li"], world.ids["east"])
    assert (row["pool_id"], row["pooled_at"], row["claimed_at"]) == (None, None, world.clock.now)
    (period,) = world.rows(OwnershipPeriod)
    assert (period["owner_id"], period["began"], period["started_at"]) == (world.ids["li"], "CREATE", world.clock.now)
    assert held(world, "li") == 1


def test_the_contact_given_with_it_is_its_primary_contact(world: World) -> None:
    made = world.li.do(create_update.create, Customer, {"name": "Acme", **ANN})

    (contact,) = world.rows(Contact)
    assert (contact["customer_id"], contact["name"], contact["title"]) == (made.id, "Ann", "CEO")
    assert (contact["is_primary"], contact["owner_id"], contact["created_by_id"]) == (True, None, world.ids["li"])
    points = [(x["kind"], x["value"], x["value_key"]) for x in world.rows(ContactPoint)]
    assert points == [
        ("PHONE", "138 0013 8000", "13800138000"),
        ("EMAIL", "ann@acme.example", "ann@acme.example"),
    ]


@at_length_on_postgresql
def test_name_and_phone_of_a_contact_are_required_by_default(world: World) -> None:
    need_contacts(world)

    assert refused(world, world.li, Validation).field == "contactName"
    refusal = refused(world, world.li, Validation, contact_name="Ann")
    assert (refusal.field, refusal.say("zh")) == ("contactPhone", "联系人电话为必填项。")
    world.li.do(create_update.create, Customer, {"name": "Acme", "contact_name": "Ann", "contact_phone": "10086"})
    assert world.count(Contact) == 1


@at_length_on_postgresql
def test_a_contact_without_a_name_is_none(world: World) -> None:
    assert refused(world, world.li, Validation, contact_phone="10086").field == "contactName"


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("phone", "call me", "phone"),
        ("phone", "12", "phone"),
        ("phone", "1" * 21, "phone"),
        ("email", "acme.example", "email"),
        ("email", "@acme", "email"),
        ("email", "a b@acme.example", "email"),
        ("contact_phone", "none", "contactPhone"),
        ("contact_email", "none", "contactEmail"),
    ],
)
def test_what_can_be_no_phone_and_no_address_is_refused(world: World, key: str, value: str, field: str) -> None:
    refusal = refused(world, world.li, Validation, **{"contact_name": "Ann", key: value})

    assert (refusal.field, value in refusal.say("en"), value in refusal.say("zh")) == (field, True, True)


@at_length_on_postgresql
def test_a_lead_may_choose_another_owner_of_his_team(world: World) -> None:
    made = world.lead.do(create_update.create, Customer, {"name": "Acme", "owner_id": world.ids["wu"]})

    row = world.row(Customer, made.id)
    assert (row["owner_id"], row["created_by_id"]) == (world.ids["wu"], world.ids["lead"])
    assert (held(world, "wu"), held(world, "lead")) == (1, 0)


@at_length_on_postgresql
def test_who_may_not_choose_an_owner_makes_nothing(world: World) -> None:
    refused(world, world.li, Forbidden, owner_id=world.ids["wu"])
    refused(world, world.lead, Forbidden, owner_id=world.ids["mei"])


@at_length_on_postgresql
def test_an_owner_must_be_there(world: World) -> None:
    world.ada.do(create_update.update, User, world.ids["wu"], {"active": False})

    assert refused(world, world.ada, NotFound, owner_id=999).field == "userId"
    refusal = refused(world, world.ada, Validation, owner_id=world.ids["wu"])
    assert (refusal.say("en"), refusal.say("zh")) == ("Wu Wei is no longer active.", "Wu Wei 已停用。")


@at_length_on_postgresql
def test_an_owner_is_chosen_by_id_so_that_namesakes_are_two_people(world: World) -> None:
    twin = world.user("li2", "Li Na", "sales", "west")

    made = world.ada.do(create_update.create, Customer, {"name": "Acme", "owner_id": twin})

    assert world.row(Customer, made.id)["owner_id"] == twin
    assert (held(world, "li"), held(world, "li2")) == (0, 1)
    assert refused(world, world.ada, Validation, owner_id="Li Na").field == "ownerId"


@at_length_on_postgresql
def test_a_customer_is_created_into_a_pool(world: World) -> None:
    made = world.ada.do(create_update.create, Customer, {"name": "Acme", "pool_id": world.ids["north"]})

    row = world.row(Customer, made.id)
    assert (row["owner_id"], row["department_id"], row["pool_id"]) == (None, None, world.ids["north"])
    assert (row["pooled_at"], row["claimed_at"]) == (world.clock.now, None)
    assert world.rows(OwnershipPeriod) == []
    assert [(x["topic"], x["action"]) for x in world.rows(Event)] == [(f"pool:{world.ids['north']}", "customer.create")]


def test_a_pool_that_is_hidden_missing_or_closed_takes_nothing(world: World) -> None:
    hidden, missing = world.ids["south"], 999
    answers = {refused(world, world.lead, NotFound, pool_id=id).say() for id in (hidden, missing)}
    assert answers == {"There is no such pool, or you may not see it."}

    world.ada.do(create_update.update, Pool, world.ids["north"], {"enabled": False})

    assert refused(world, world.ada, Validation, pool_id=world.ids["north"]).say() == "The pool North is closed."


@at_length_on_postgresql
def test_an_owner_and_a_pool_at_once_are_refused(world: World) -> None:
    assert refused(world, world.ada, Validation, owner_id=1, pool_id=1).field == "poolId"


@at_length_on_postgresql
def test_the_house_itself_owns_nothing(world: World) -> None:
    assert refused(world, world.system, Validation).say() == "A customer needs an owner or a pool."


def test_capacity_is_checked_when_a_customer_is_created(world: World) -> None:
    world.ada.do(create_update.update, User, world.ids["li"], {"capacity": 1})
    world.li.do(create_update.create, Customer, {"name": "First"})

    refusal = refused(world, world.li, CapacityReached, **ANN)

    assert refusal.say() == "Li Na holds 1 customers; the limit is 1. Release one first."


# --- bin and return --------------------------------------------------------------------------------------


def test_the_bin_ends_ownership_and_frees_room_and_return_takes_both_again(world: World) -> None:
    customer = world.customer(owner="li")
    world.clock.pass_by(hours=1)

    world.li.do(create_update.delete, Customer, [customer])
    (period,) = world.rows(OwnershipPeriod)
    assert (period["ended"], period["ended_at"], held(world, "li")) == ("DELETE", world.clock.now, 0)
    world.lead.do(create_update.restore, Customer, [customer])

    periods = world.rows(OwnershipPeriod)
    assert [(x["began"], x["ended"]) for x in periods] == [("CREATE", "DELETE"), ("RESTORE", None)]
    assert (world.row(Customer, customer)["owner_id"], held(world, "li")) == (world.ids["li"], 1)


@at_length_on_postgresql
def test_a_lock_does_not_outlive_the_bin(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(locking.lock, [customer], "mine")

    world.li.do(create_update.delete, Customer, [customer])

    row = world.row(Customer, customer)
    assert {row[key] for key in ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")} == {None}


@at_length_on_postgresql
def test_a_return_beyond_capacity_is_refused(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(create_update.delete, Customer, [customer])
    world.ada.do(create_update.update, User, world.ids["li"], {"capacity": 0})
    before = world.everything()

    (problem,) = world.ada.do(create_update.restore, Customer, [customer]).problems

    assert problem.code() == "CAPACITY_REACHED"
    assert world.everything() == before


def test_a_customer_of_somebody_who_left_comes_back_to_whoever_restores_it(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(create_update.delete, Customer, [customer])
    world.ada.do(create_update.update, User, world.ids["li"], {"active": False})

    assert world.lead.do(create_update.restore, Customer, [customer]).ids == [customer]

    row = world.row(Customer, customer)
    assert (row["owner_id"], row["department_id"]) == (world.ids["lead"], world.ids["east"])
    assert (held(world, "li"), held(world, "lead")) == (0, 1)
    assert world.log("customer", customer)[-1]["changes"]["owner_id"] == [world.ids["li"], world.ids["lead"]]


@at_length_on_postgresql
def test_a_customer_does_not_come_back_into_a_pool_that_is_gone(world: World) -> None:
    cellar = world.make(Pool, name="Cellar")
    customer = world.system.do(create_update.create, Customer, {"name": "Acme", "pool_id": cellar}).id
    world.system.do(create_update.delete, Customer, [customer])
    world.system.do(create_update.delete, Pool, [cellar])
    before = world.everything()

    (problem,) = world.ada.do(create_update.restore, Customer, [customer]).problems

    assert (problem.code(), problem.say()) == ("IN_BIN", "Cellar is in the recycle bin. Restore it first.")
    assert world.everything() == before


@at_length_on_postgresql
def test_a_pool_hears_of_what_leaves_it_for_the_bin_and_comes_back(world: World) -> None:
    customer = world.customer(pool="north")
    world.ada.do(create_update.delete, Customer, [customer])
    world.ada.do(create_update.restore, Customer, [customer])

    assert [x["action"] for x in world.rows(Event)] == ["customer.create", "customer.delete", "customer.restore"]
    assert {x["topic"] for x in world.rows(Event)} == {f"pool:{world.ids['north']}"}


@at_length_on_postgresql
def test_an_administrator_of_a_pool_makes_and_cleans_what_lies_in_it(world: World) -> None:
    world.seat("south", "lead", Seat.ADMIN)
    made = world.lead.do(create_update.create, Customer, {"name": "Acme", "pool_id": world.ids["south"]})

    assert world.lead.do(create_update.delete, Customer, [made.id]).ids == [made.id]
