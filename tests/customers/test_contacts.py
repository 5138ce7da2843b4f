"""Contacts: their phones and addresses, the primary one, and who looks after them."""

import pytest

from models import Contact, ContactPoint, Customer
from models.contact import PointKind, key_of
from models.errors import Forbidden, Validation
from resolvers.records import create_update
from tests.support.contacts import contact
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World

PHONE = {"kind": "PHONE", "value": "+86 138-0013 8000"}
MAIL = {"kind": "EMAIL", "value": "Ann@Acme.example"}
WECHAT = {"kind": "WECHAT", "value": "ann_w"}


def points(world: World, id: int) -> list[tuple[str, str, int]]:
    rows = sorted(world.rows(ContactPoint, ContactPoint.contact_id == id), key=lambda row: row["position"])
    return [(row["kind"], row["value"], row["position"]) for row in rows]


# --- CON-01: phones and addresses ------------------------------------------------------------------------


def test_a_contact_has_several_phones_and_addresses_in_order(world: World) -> None:
    ann = contact(world, world.customer(), points=[PHONE, MAIL, WECHAT])

    assert points(world, ann) == [
        ("PHONE", "+86 138-0013 8000", 0),
        ("EMAIL", "Ann@Acme.example", 1),
        ("WECHAT", "ann_w", 2),
    ]


def test_new_points_replace_the_old_ones_and_what_stays_keeps_its_row(world: World) -> None:
    ann = contact(world, world.customer(), points=[PHONE, MAIL])
    mail = next(row for row in world.rows(ContactPoint) if row["kind"] == "EMAIL")

    world.li.do(create_update.update, Contact, ann, {"points": [MAIL, WECHAT]}, 1)

    assert points(world, ann) == [("EMAIL", "Ann@Acme.example", 0), ("WECHAT", "ann_w", 1)]
    assert world.row(ContactPoint, mail["id"])["value"] == "Ann@Acme.example"
    assert world.row(Contact, ann)["version"] == 2


@at_length_on_postgresql
def test_the_same_points_again_are_no_change(world: World) -> None:
    ann = contact(world, world.customer(), points=[PHONE, MAIL])
    before, mark = world.everything(), world.mark()

    world.li.do(create_update.update, Contact, ann, {"points": [PHONE, MAIL]}, 1)

    assert world.everything() == before
    assert world.log(since=mark) == []


@at_length_on_postgresql
def test_points_left_out_stay_and_an_empty_list_takes_them_away(world: World) -> None:
    ann = contact(world, world.customer(), points=[PHONE])

    world.li.do(create_update.update, Contact, ann, {"title": "CEO"}, 1)
    assert len(points(world, ann)) == 1
    world.li.do(create_update.update, Contact, ann, {"points": []}, 2)

    assert points(world, ann) == []


@at_length_on_postgresql
@pytest.mark.parametrize(
    "point",
    [
        {"kind": "PHONE", "value": "no"},
        {"kind": "EMAIL", "value": "no"},
        {"kind": "FAX", "value": "10086"},
        {"kind": "PHONE", "value": " "},
        {"kind": "PHONE"},
        {"value": "10086"},
        {"kind": "OTHER", "value": "\x00"},
        {"kind": "OTHER", "value": "x" * 201},
    ],
)
def test_a_bad_point_is_refused_whole(world: World, point: dict[str, str]) -> None:
    customer = world.customer()
    given = {"customer_id": customer, "name": "Ann", "points": [PHONE, point]}

    refusal = refused(world, world.li, Validation, create_update.create, Contact, given)

    assert refusal.field == "points"
    assert world.count(Contact) == 0


@at_length_on_postgresql
def test_twenty_points_are_enough(world: World) -> None:
    many = [{"kind": "OTHER", "value": f"room {n}"} for n in range(21)]
    given = {"customer_id": world.customer(), "name": "Ann", "points": many}

    assert refused(world, world.li, Validation, create_update.create, Contact, given).field == "points"


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        (PointKind.PHONE, "+86 138-0013 8000", "13800138000"),
        (PointKind.PHONE, "008613800138000", "13800138000"),
        (PointKind.PHONE, "１３８００１３８０００", "13800138000"),
        (PointKind.PHONE, "(021) 5555 0000", "02155550000"),
        (PointKind.EMAIL, " Ann@Acme.Example ", "ann@acme.example"),
        (PointKind.WECHAT, "Ann_W", "ann_w"),
    ],
)
def test_addresses_are_compared_in_one_form(kind: PointKind, value: str, key: str) -> None:
    assert key_of(kind, value) == key


@at_length_on_postgresql
def test_the_phones_of_a_contact_in_a_pool_are_not_edited_by_who_may_not_see_them(world: World) -> None:
    customer = world.customer(pool="north")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[PHONE])

    refusal = refused(world, world.lead, Forbidden, create_update.update, Contact, ann, {"points": []})

    assert refusal.field == "points"


# --- the primary contact ---------------------------------------------------------------------------------


def primaries(world: World) -> list[str]:
    return [row["name"] for row in world.rows(Contact, Contact.is_primary, Contact.deleted_at.is_(None))]


def test_a_new_primary_contact_takes_the_mark_from_the_other(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer, "Ann", is_primary=True)
    mark = world.mark()

    contact(world, customer, "Bob", is_primary=True)

    assert primaries(world) == ["Bob"]
    assert world.row(Contact, ann)["version"] == 2
    (stepped,) = world.log("contact", ann, mark)
    assert (stepped["changes"], stepped["label"]) == ({"is_primary": [True, False]}, "Ann")


def test_an_edit_makes_another_contact_the_primary_one(world: World) -> None:
    customer = world.customer()
    ann, bob = contact(world, customer, "Ann"), contact(world, customer, "Bob", is_primary=True)

    world.li.do(create_update.update, Contact, ann, {"is_primary": True, "title": "CEO"}, 1)

    assert primaries(world) == ["Ann"]
    assert [world.row(Contact, id)["version"] for id in (ann, bob)] == [2, 2]


@at_length_on_postgresql
def test_each_customer_has_a_primary_contact_of_its_own(world: World) -> None:
    contact(world, world.customer(), "Ann", is_primary=True)
    contact(world, world.customer(), "Bob", is_primary=True)

    assert primaries(world) == ["Ann", "Bob"]


def test_a_primary_contact_that_comes_back_steps_behind_its_successor(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer, "Ann", is_primary=True)
    world.li.do(create_update.delete, Contact, [ann])
    contact(world, customer, "Bob", is_primary=True)

    assert world.lead.do(create_update.restore, Contact, [ann]).ids == [ann]

    assert primaries(world) == ["Bob"]
    assert world.row(Contact, ann)["is_primary"] is False


@at_length_on_postgresql
def test_the_primary_contact_comes_back_with_its_customer_as_such(world: World) -> None:
    customer = world.customer()
    contact(world, customer, "Ann", is_primary=True)
    world.li.do(create_update.delete, Customer, [customer])
    world.lead.do(create_update.restore, Customer, [customer])

    assert primaries(world) == ["Ann"]
