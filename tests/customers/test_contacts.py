"""Contacts: their phones and addresses, the primary one, and who looks after them."""

from typing import Any

import pytest

from models import Contact, ContactPoint, Customer, FollowUp, Opportunity, Share, User
from models.contact import PointKind, key_of
from models.errors import Forbidden, NotFound, Validation
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import contacts
from resolvers.customers import lock as locking
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World

PHONE = {"kind": "PHONE", "value": "+86 138-0013 8000"}
MAIL = {"kind": "EMAIL", "value": "Ann@Acme.example"}
WECHAT = {"kind": "WECHAT", "value": "ann_w"}


def contact(world: World, customer: int, name: str = "Ann", **values: Any) -> int:
    return world.li.do(create_update.create, Contact, {"customer_id": customer, "name": name, **values}).id


def points(world: World, id: int) -> list[tuple[str, str, int]]:
    rows = sorted(world.rows(ContactPoint, ContactPoint.contact_id == id), key=lambda row: row["position"])
    return [(row["kind"], row["value"], row["position"]) for row in rows]


def codes(outcome: Outcome) -> list[str]:
    return [problem.code() for problem in outcome.problems]


# --- CON-01: phones and addresses ------------------------------------------------------------------------


def test_a_contact_has_several_phones_and_addresses_in_order(world: World) -> None:
    ann = contact(world, world.customer(), points=[PHONE, MAIL, WECHAT, PHONE])

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


# --- who looks after them (CON-08) -----------------------------------------------------------------------


def test_a_contact_is_handed_to_somebody_who_sees_the_customer(world: World) -> None:
    ids = [contact(world, world.customer(), name) for name in ("Ann", "Bob")]
    mark = world.mark()

    outcome = world.li.do(contacts.transfer, ids, world.ids["lead"], reason="holiday")

    assert (outcome.ids, outcome.problems) == (ids, [])
    assert [world.row(Contact, id)["owner_id"] for id in ids] == [world.ids["lead"]] * 2
    log = world.log(since=mark)
    assert [(x["action"], x["reason"], x["changes"]) for x in log] == [
        ("contact.transfer", "holiday", {"owner_id": [None, world.ids["lead"]]})
    ] * 2


def test_nobody_is_given_a_contact_whose_customer_he_cannot_see(world: World) -> None:
    ann = contact(world, world.customer())
    before = world.everything()

    (problem,) = world.li.do(contacts.transfer, [ann], world.ids["mei"]).problems

    assert (problem.code(), problem.field, problem.record_id) == ("VALIDATION", "userId", f"con_{ann}")
    assert problem.say() == "Mei Lin cannot see this customer. Share the customer first."
    assert problem.say("zh") == "Mei Lin 无权查看该客户，请先共享客户。"
    assert world.everything() == before


def test_a_share_is_enough_to_be_given_a_contact(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            Share.__table__.insert().values(  # type: ignore[attr-defined]
                customer_id=customer,
                grantee_kind=GranteeKind.USER,
                grantee_id=world.ids["mei"],
                level=ShareLevel.VIEW,
                starts_at=world.clock.now,
            )
        )

    assert world.li.do(contacts.transfer, [ann], world.ids["mei"]).ids == [ann]


@at_length_on_postgresql
def test_who_may_not_transfer_hands_on_nothing(world: World) -> None:
    ann = contact(world, world.customer())
    before = world.everything()

    assert codes(world.fin.do(contacts.transfer, [ann], world.ids["fin"])) == ["FORBIDDEN"]
    assert codes(world.mei.do(contacts.transfer, [ann], world.ids["mei"])) == ["NOT_FOUND"]
    assert codes(world.li.do(contacts.transfer, [ann], 999)) == ["NOT_FOUND"]
    world.ada.do(create_update.update, User, world.ids["wu"], {"active": False})
    assert codes(world.li.do(contacts.transfer, [ann], world.ids["wu"])) == ["VALIDATION"]

    assert world.everything()["contact"] == before["contact"]


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("model", "more"),
    [
        (Contact, {"name": "Ann"}),
        (Opportunity, {"name": "Deal"}),
        (FollowUp, {"kind": "CALL", "content": "Called", "happened_at": None}),
    ],
)
def test_nothing_is_created_for_somebody_who_cannot_see_the_customer(
    world: World, model: Any, more: dict[str, Any]
) -> None:
    given = {"customer_id": world.customer(), "owner_id": world.ids["mei"], **more}
    if "happened_at" in given:
        given["happened_at"] = world.clock.now

    refusal = refused(world, world.li, Validation, create_update.create, model, given)

    assert refusal.field == "ownerId"


@at_length_on_postgresql
def test_a_contact_of_a_locked_customer_is_out_of_reach(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer)
    world.li.do(locking.lock, [customer])

    refused(world, world.ada, NotFound, create_update.update, Contact, ann, {"name": "Mine"})
    assert codes(world.ada.do(contacts.transfer, [ann], world.ids["ada"])) == ["NOT_FOUND"]


# --- opportunities and follow-ups ------------------------------------------------------------------------


@at_length_on_postgresql
def test_whoever_writes_it_down_looks_after_it(world: World) -> None:
    deal = world.li.do(create_update.create, Opportunity, {"customer_id": world.customer(), "name": "Deal"})

    row = world.row(Opportunity, deal.id)
    assert (row["owner_id"], row["currency"]) == (world.ids["li"], "CNY")


@at_length_on_postgresql
@pytest.mark.parametrize(("given", "stored"), [("eur", "EUR"), ("USD", "USD")])
def test_a_currency_has_three_letters(world: World, given: str, stored: str) -> None:
    values = {"customer_id": world.customer(), "name": "Deal", "currency": given}

    assert world.li.do(create_update.create, Opportunity, values).currency == stored
    refusal = refused(world, world.li, Validation, create_update.create, Opportunity, {**values, "currency": "€"})
    assert refusal.field == "currency"


@at_length_on_postgresql
def test_a_contact_of_another_customer_does_not_belong_into_a_deal(world: World) -> None:
    ann, other = contact(world, world.customer()), world.customer()
    given = {"customer_id": other, "name": "Deal", "contact_id": ann}

    refusal = refused(world, world.li, Validation, create_update.create, Opportunity, given)

    assert (refusal.field, refusal.say()) == ("contactId", "contactId belongs to another customer.")


@at_length_on_postgresql
def test_a_hidden_contact_in_a_deal_is_not_found(world: World) -> None:
    hidden = world.make(Contact, customer_id=world.customer(owner="mei"), name="Ann")
    given = {"customer_id": world.customer(), "name": "Deal"}

    answers = [
        refused(world, world.li, NotFound, create_update.create, Opportunity, {**given, "contact_id": id})
        for id in (hidden, 999)
    ]

    assert {(x.field, x.say()) for x in answers} == {("contactId", "There is no such contact, or you may not see it.")}
