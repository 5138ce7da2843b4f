"""Opportunities and follow-ups: amounts, currencies and the time at which something was done."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity, Organisation
from models.errors import Validation
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World


def deal(world: World, **values: Any) -> dict[str, Any]:
    return {"customer_id": world.customer(), "name": "Deal", **values}


@at_length_on_postgresql
@pytest.mark.parametrize("code", ["ZZZ", "XXX", "DEM", "RM", "12A", "", "人民币"])
def test_a_currency_that_no_country_uses_is_refused(world: World, code: str) -> None:
    refusal = refused(world, world.li, Validation, create_update.create, Opportunity, deal(world, currency=code))

    assert refusal.field == "currency"


@at_length_on_postgresql
def test_the_organisation_has_a_currency_in_use(world: World) -> None:
    refused(world, world.ada, Validation, create_update.update, Organisation, 1, {"currency": "ZZZ"})
    world.ada.do(create_update.update, Organisation, 1, {"currency": "eur"})

    assert world.row(Organisation, 1)["currency"] == "EUR"


def test_an_amount_below_zero_is_refused(world: World) -> None:
    refusal = refused(
        world, world.li, Validation, create_update.create, Opportunity, deal(world, amount=Decimal("-0.01"))
    )

    assert (refusal.field, refusal.say(), refusal.say("zh")) == (
        "amount",
        "Amount is below zero.",
        "金额不能为负数。",
    )
    world.make(Opportunity, **deal(world, amount=Decimal(0)))


@pytest.mark.parametrize("days", [3651, -3651, 2])
def test_a_follow_up_was_done_within_the_bounds(world: World, days: int) -> None:
    customer, at = world.customer(), world.clock.now + timedelta(days=days)
    given = {"customer_id": customer, "kind": "CALL", "content": "x"}

    refusal = refused(world, world.li, Validation, create_update.create, FollowUp, {**given, "happened_at": at})

    assert refusal.field == "happenedAt"
    assert ("future" in refusal.say()) is (days > 0)
    call = world.make(FollowUp, **given, happened_at=world.clock.now + timedelta(hours=23))
    refused(world, world.ada, Validation, create_update.update, FollowUp, call, {"happened_at": at})


def test_the_bounds_of_follow_ups_are_settings(world: World) -> None:
    customer, long_ago = world.customer(), world.clock.now - timedelta(days=9000)
    given = {"customer_id": customer, "kind": "CALL", "content": "x"}
    world.ada.do(create_update.update, Organisation, 1, {"follow_up_days_back": 10_000, "follow_up_days_ahead": 0})

    world.li.do(create_update.create, FollowUp, {**given, "happened_at": long_ago})
    soon = {**given, "happened_at": world.clock.now + timedelta(minutes=1)}
    refused(world, world.li, Validation, create_update.create, FollowUp, soon)
    refusal = refused(world, world.ada, Validation, create_update.update, Organisation, 1, {"follow_up_days_back": -1})
    assert refusal.field == "followUpDaysBack"


# --- contacts --------------------------------------------------------------------------------------------


def points(*values: str, kind: str = "PHONE") -> list[dict[str, str]]:
    return [{"kind": kind, "value": value} for value in values]


@pytest.mark.parametrize(
    "twice",
    [("138 0013 8000", "13800138000"), ("13800138000", "+86 138-0013-8000"), ("13800138000", "１３８００１３８０００")],
)
def test_the_same_phone_stands_once_at_a_contact(world: World, twice: tuple[str, str]) -> None:
    given = {"customer_id": world.customer(), "name": "Ann"}

    refusal = refused(world, world.li, Validation, create_update.create, Contact, {**given, "points": points(*twice)})

    assert refusal.field == "points"
    assert "there already" in refusal.say()
    assert "重复" in refusal.say("zh")


TWO = ("13911112222/13933334444", "13911112222 13933334444", "13911112222、13933334444", "010-12345678;13911112222")
ONE = ("13911112222", "+86 13911112222", "010-12345678/123", "(010) 1234 5678 ext. 9", "+49 30 1234567")


@at_length_on_postgresql
@pytest.mark.parametrize("text", TWO)
def test_two_numbers_in_one_field_are_told_apart(world: World, text: str) -> None:
    given = {"customer_id": world.customer(), "name": "Ann"}

    refusal = refused(world, world.li, Validation, create_update.create, Contact, {**given, "points": points(text)})

    assert refusal.say() == f"“{text}” holds 2 phone numbers. Use one field for each."
    new = {"name": "Acme", "contact_name": "Ann", "contact_phone": "10086"}
    for field in ("phone", "contact_phone"):
        refused(world, world.li, Validation, create_update.create, Customer, {**new, field: text})


@at_length_on_postgresql
@pytest.mark.parametrize("text", ONE)
def test_one_number_is_one_however_it_is_written(world: World, text: str) -> None:
    world.make(Contact, customer_id=world.customer(), name="Ann", points=points(text))
