"""Rows in bulk are answered like rows one by one, and leave the same in the tables."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models import Contact, Customer, FollowUp, Opportunity, Role
from resolvers.customers import lock as locking
from tests.support.bulk_writes import codes_of, same
from tests.support.claim_checks import organise
from tests.support.world import World

_CONTACT = {"contact_name": "王一", "contact_phone": "13800000001"}
_LONG = "长" * 201


def customers(world: World) -> list[dict[str, Any]]:
    """Good and bad rows, some of which refer to each other."""
    ids = world.ids
    return [
        {"name": "一号客户", "industry": "internet", **_CONTACT, "contact_email": "A@b.cn"},
        {"name": "wrong word", "industry": "电商", **_CONTACT},
        {"name": "bad phone", "phone": "12", **_CONTACT},
        {"name": "two phones", "phone": "13800000001/13800000002"},
        {"name": "bad address", "email": "at home"},
        {"name": "phone of the contact", "contact_name": "x", "contact_phone": "1"},
        {"name": "address of the contact", "contact_name": "x", "contact_email": "nowhere"},
        {"name": "contact without a name", "contact_phone": "13800000001"},
        {"name": "taken number", "number": "C2026001"},
        {"name": "given number", "number": "C2026050", **_CONTACT, "remark": "line\r\nline  "},
        {"name": "the same number in other letters", "number": "ｃ2026050"},
        {"name": "drawn after a given one"},
        {"name": "far ahead", "number": "C202699999"},
        {"name": "drawn after one far ahead"},
        {"name": "no number of ours", "number": "OLD-7"},
        {"name": "taken before", "number": "old-7"},
        {"name": "wrong word and taken number", "number": "OLD-7", "industry": "电商"},
        {"name": "for mei", "owner_id": ids["mei"], **_CONTACT},
        {"name": "for wu", "owner_id": ids["wu"]},
        {"name": "for nobody", "owner_id": 999_999},
        {"name": "into the north", "pool_id": ids["north"], **_CONTACT},
        {"name": "into the south", "pool_id": ids["south"]},
        {"name": "into no pool", "pool_id": 999_999},
        {"name": "owner and pool", "pool_id": ids["north"], "owner_id": ids["li"]},
        {"name": ""},
        {"name": None},
        {"industry": "internet"},
        {"name": 7},
        {"name": "a word of a field", "level": "b"},
        {
            "name": "everything",
            "industry": "steel",
            "stage": "early",
            "source": "web",
            "region": "east",
            "phone": "010-1",
        },
        {"name": "too long" * 40},
        {"name": "long contact", "contact_name": _LONG},
        {"name": "unknown field", "nonsense": 1},
        {"name": "kept field", "pooled_at": world.clock.now},
        {"name": "kept by the system", "department_id": ids["east"]},
        {"name": "\u200b 隐 形 \ufeff", "contact_name": "Ｗ宽", "contact_phone": "１３８００００００４"},
        {"name": "control \x00 character"},
        {"name": "reason", "duplicate_reason": "told apart"},
        {"name": "reason too long", "duplicate_reason": _LONG},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn"},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn"},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn", "duplicate_reason": "another branch"},
        {"name": "registered", "registration_number": "91110000710924945A"},
        {"name": "registered elsewhere", "registration_number": "91110000710924945A"},
        {"name": "contact of another", "contact_name": "x", "contact_email": "info@huaxing.cn"},
        {"name": "drawn at last", **_CONTACT, "contact_title": "Boss"},
    ]


@pytest.mark.parametrize("login", ["ada", "li", "lead", "sam", "aud"])
def test_customers_are_answered_alike(world: World, login: str) -> None:
    world.customer("Acme", owner="wu")

    told = same(world, login, Customer, customers(world), "customer.import" if login == "lead" else None)

    assert len(told.answers) > 40
    assert {None, "VALIDATION", "DUPLICATE"} <= set(codes_of(told)) or login in ("sam", "aud")


def test_customers_and_duplicates_are_answered_alike(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
    world.customer("Hua Xing", owner="mei", phone="010-88886666")
    rows = [*customers(world), {"name": "Huaxing", "phone": "01088886666"}]

    assert "DUPLICATE_FOUND" in codes_of(same(world, "ada", Customer, rows))


def test_a_full_owner_gets_as_many_as_have_room(world: World) -> None:
    organise(world, capacity=3, contact_required=True)
    rows = [{"name": f"No. {n}", **_CONTACT} for n in range(6)] + [{"name": "without a contact"}]

    assert codes_of(same(world, "li", Customer, rows))[2:5] == [None, "CAPACITY_REACHED", "CAPACITY_REACHED"]


def _point(kind: str, value: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value}


@pytest.mark.parametrize("login", ["ada", "li", "fin"])
@pytest.mark.parametrize("are_compared", [False, True])
def test_contacts_are_answered_alike(world: World, login: str, are_compared: bool) -> None:
    if are_compared:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text("DELETE FROM duplicate_rule"))
    mine, other, hidden, pooled = (
        world.customer("Mine"),
        world.customer("Other"),
        world.customer("Hidden", owner="mei"),
        world.customer("Pooled", pool="north"),
    )
    led = world.make(Contact, customer_id=other, name="Head", is_primary=True)
    locked = world.customer("Locked", owner="wu")
    world.scope("wu").do(locking.lock, [locked])
    rows: list[dict[str, Any]] = [
        {"customer_id": mine, "name": "Ann", "points": [_point("PHONE", "13800000001"), _point("EMAIL", "A@b.cn")]},
        {"customer_id": mine, "name": "Bo", "points": [_point("PHONE", "1"), _point("PHONE", "13900000001")]},
        {
            "customer_id": mine,
            "name": "Two phones",
            "points": [_point("PHONE", "010-88886666"), _point("PHONE", "13900000001")],
        },
        {
            "customer_id": mine,
            "name": "Same twice",
            "points": [_point("PHONE", "010-88886666"), _point("PHONE", "01088886666")],
        },
        {"customer_id": mine, "name": "No kind", "points": [_point("FAX", "010-88886666")]},
        {"customer_id": mine, "name": "Nothing", "points": [_point("PHONE", " ")]},
        {"customer_id": mine, "name": "First", "is_primary": True},
        {"customer_id": mine, "name": "Second", "is_primary": True},
        {"customer_id": other, "name": "Instead", "is_primary": True},
        {"customer_id": hidden, "name": "Hidden"},
        {"customer_id": hidden, "name": "Hidden", "points": [_point("PHONE", "1")]},
        {"customer_id": pooled, "name": "Pooled"},
        {"customer_id": locked, "name": "Locked"},
        {"customer_id": 999_999, "name": "Nowhere"},
        {"name": "Nobody's"},
        {"customer_id": mine},
        {"customer_id": mine, "name": "Wu's", "owner_id": world.ids["wu"]},
        {"customer_id": mine, "name": "Own", "owner_id": world.ids["li"]},
        {"customer_id": mine, "name": "Kept", "merged_into_id": led},
        {"customer_id": mine, "name": "Ann", "points": [_point("PHONE", "13800000001")]},
        {
            "customer_id": mine,
            "name": "Ann",
            "points": [_point("PHONE", "13800000001")],
            "duplicate_reason": "her sister",
        },
        {"customer_id": other, "name": "Ann", "points": [_point("EMAIL", "a@b.cn")], "birthday": "1990"},
        {"customer_id": other, "name": "Cy", "title": "Boss", "remark": "a\nb", "do_not_contact": True},
    ]

    assert None in codes_of(same(world, login, Contact, rows)) or login == "fin"


@pytest.mark.parametrize("login", ["ada", "li"])
def test_opportunities_are_answered_alike(world: World, login: str) -> None:
    mine, hidden = world.customer("Mine"), world.customer("Hidden", owner="mei")
    ann, mei = (world.make(Contact, customer_id=id, name="Ann") for id in (mine, hidden))
    rows: list[dict[str, Any]] = [
        {"customer_id": mine, "name": "One", "amount": Decimal("12.50"), "currency": "usd", "contact_id": ann},
        {"customer_id": mine, "name": "Another's contact", "contact_id": mei},
        {"customer_id": mine, "name": "Negative", "amount": Decimal(-1)},
        {"customer_id": mine, "name": "No money", "currency": "XXX"},
        {"customer_id": mine, "name": "Of Wu", "owner_id": world.ids["wu"]},
        {"customer_id": mine, "name": "Of Mei", "owner_id": world.ids["mei"]},
        {"customer_id": mine, "name": "Of nobody", "owner_id": None},
        {"customer_id": hidden, "name": "Hidden"},
        {"customer_id": mine, "name": "Unknown stage", "stage": "dreaming"},
        {"customer_id": mine},
        {"customer_id": mine, "name": "Last"},
    ]

    same(world, login, Opportunity, rows)


@pytest.mark.parametrize("login", ["ada", "li"])
@pytest.mark.parametrize("action", [None, "customer.import"])
def test_follow_ups_are_answered_alike(world: World, login: str, action: str | None) -> None:
    mine, hidden = world.customer("Mine"), world.customer("Hidden", owner="mei")
    ann, mei = (world.make(Contact, customer_id=id, name="Ann") for id in (mine, hidden))
    now = world.clock.now
    plain: dict[str, Any] = {"customer_id": mine, "kind": "CALL", "happened_at": now}
    rows: list[dict[str, Any]] = [
        {**plain, "content": "Talked about the steel that they need in spring", "contact_id": ann},
        {**plain, "content": "Talked about the steel that they need in spring!"},
        {**plain, "content": "short"},
        {**plain, "content": "A note about what they said at the fair", "kind": "NOTE"},
        {**plain, "content": "Before the time of its owner, far back", "happened_at": now - timedelta(days=300)},
        {**plain, "content": "Beyond all bounds of what can be", "happened_at": now - timedelta(days=40_000)},
        {**plain, "content": "What will be done some day later on", "happened_at": now + timedelta(days=400)},
        {**plain, "content": "With a contact of somebody else", "contact_id": mei},
        {**plain, "content": "By Wu, who works with us still", "owner_id": world.ids["wu"]},
        {**plain, "content": "By nobody that we know of at all", "owner_id": 999_999},
        {**plain, "content": "At a customer out of sight, by phone", "customer_id": hidden},
        {
            **plain,
            "content": "At a customer out of sight, by another",
            "customer_id": hidden,
            "owner_id": world.ids["wu"],
        },
        {**plain, "content": ""},
        {"customer_id": mine, "content": "No kind and no time"},
        {**plain, "content": "What follows comes last of all these", "happened_at": now + timedelta(seconds=30)},
    ]

    same(world, login, FollowUp, rows, action)


def test_any_other_entity_is_written_by_the_single_use_case(world: World) -> None:
    rows = [
        {"code": "boss", "name": "Boss"},
        {"code": "boss", "name": "Twice"},
        {"code": "x"},
        {"code": "boss2", "name": "Y"},
    ]

    assert codes_of(same(world, "ada", Role, rows)) == [None, "DUPLICATE", "REQUIRED", None]
