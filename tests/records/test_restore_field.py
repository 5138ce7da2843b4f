"""Restoring one field from history: by the rules of single edits, and no further than the caller may see."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Customer, DictionaryItem, Opportunity
from models.errors import Conflict, Forbidden, InBin, NotFound, NotInList, Refusal, Validation
from resolvers.records import create_update
from resolvers.records.restore_field import restore_field
from tests.support.claim_checks import unchanged
from tests.support.refusals import add_line
from tests.support.world import START, World


@pytest.fixture
def customer(world: World) -> int:
    """A customer of Li, whose name and phone were changed once."""
    id = world.customer("One", "li", phone="138 0013 8000", stage="early")
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Customer, id, {"name": "Two", "phone": "139 0013 9000"})
    world.clock.pass_by(hours=1)
    return id


def last_entry(world: World, entity: str, id: int) -> int:
    return int(world.log(entity, id)[-1]["id"])


def test_a_field_gets_back_its_value_from_before_an_entry_and_the_rest_stays(world: World, customer: int) -> None:
    row = world.li.do(restore_field, Customer, customer, "phone", entry_id=last_entry(world, "customer", customer))

    assert (row.phone, row.name) == ("138 0013 8000", "Two")
    newest = world.log("customer", customer)[-1]
    assert (newest["action"], newest["actor_id"]) == ("customer.edit", world.ids["li"])
    assert newest["changes"] == {"phone": ["139 0013 9000", "138 0013 8000"]}


def test_a_field_gets_back_its_value_of_a_moment(world: World, customer: int) -> None:
    assert world.li.do(restore_field, Customer, customer, "name", at=START).name == "One"


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("amount", Decimal("12.50"), None),
        ("amount", None, Decimal(1)),
        ("expected_close", date(2027, 2, 28), date(2027, 3, 1)),
        ("name", "One", "Two"),
    ],
)
def test_values_of_every_kind_come_back(world: World, key: str, first: Any, second: Any) -> None:
    values = {"name": "Deal", "customer_id": world.customer(owner="li"), key: first}
    id = world.make(Opportunity, **values)
    world.clock.pass_by(hours=1)
    world.ada.do(create_update.update, Opportunity, id, {key: second})

    restored = world.ada.do(restore_field, Opportunity, id, key, at=START)

    assert getattr(restored, key) == first


def test_phones_come_back_and_other_addresses_stay(world: World) -> None:
    points = [{"kind": "EMAIL", "value": "a@x.org"}, *({"kind": "PHONE", "value": f"1380013800{n}"} for n in (1, 2))]
    id = world.make(Contact, customer_id=world.customer(owner="li"), name="Ann", points=points)
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Contact, id, {"points": [{"kind": "EMAIL", "value": "b@x.org"}]})

    world.li.do(restore_field, Contact, id, "phone", entry_id=last_entry(world, "contact", id))

    assert world.log("contact", id)[-1]["changes"] == {"phone": [None, ["13800138001", "13800138002"]]}
    world.li.do(restore_field, Contact, id, "email", at=START)
    assert world.log("contact", id)[-1]["changes"] == {"email": ["b@x.org", "a@x.org"]}


# --- refusals --------------------------------------------------------------------------------------------


def refused(world: World, login: str, id: int, key: str, **how: Any) -> Refusal:
    """The refusal of a restored field, which changes nothing."""
    with unchanged(world), pytest.raises(Refusal) as refusal:
        world.scope(login).do(restore_field, Customer, id, key, **how)
    return refusal.value


def test_the_rules_of_single_edits_hold(world: World, customer: int) -> None:
    entry = last_entry(world, "customer", customer)

    assert type(refused(world, "mei", customer, "phone", entry_id=entry)) is NotFound
    assert type(refused(world, "li", customer, "phone", entry_id=entry + 999)) is NotFound
    assert type(refused(world, "aud", customer, "phone", entry_id=entry)) is Forbidden
    world.ada.do(create_update.delete, Customer, [customer])
    assert type(refused(world, "ada", customer, "phone", entry_id=entry)) is InBin


def test_a_field_that_was_changed_since_the_page_was_opened_is_a_conflict_with_both_values(
    world: World, customer: int
) -> None:
    entry, version = last_entry(world, "customer", customer), world.row(Customer, customer)["version"]
    world.ada.do(create_update.update, Customer, customer, {"phone": "137 0013 7000"})

    conflict = refused(world, "li", customer, "phone", entry_id=entry, version=version)

    assert isinstance(conflict, Conflict)
    assert conflict.params["current"] == {"phone": "137 0013 7000"}
    assert conflict.params["given"] == {"phone": "138 0013 8000"}


def test_a_field_that_the_caller_may_not_see_is_not_restored(world: World, customer: int) -> None:
    entry = last_entry(world, "customer", customer)
    add_line(world, "p, sales, customer.phone, view, all, any, deny")

    assert type(refused(world, "li", customer, "phone", entry_id=entry)) is Forbidden


@pytest.mark.parametrize(
    ("key", "how", "words"),
    [
        ("owner_id", {"at": START}, "cannot be set"),
        ("unheard_of", {"at": START}, "cannot be set"),
        ("stage", {"at": START}, "has this value already"),
        ("name", {"at": START - timedelta(days=1)}, "was not there yet"),
        ("name", {"at": START + timedelta(days=9)}, "is yet to come"),
        ("name", {}, "Say from when"),
        ("name", {"at": START, "entry_id": 1}, "Say from when"),
    ],
)
def test_what_cannot_be_restored_is_refused_by_a_sentence(
    world: World, customer: int, key: str, how: dict[str, Any], words: str
) -> None:
    refusal = refused(world, "li", customer, key, **how)

    assert isinstance(refusal, Validation)
    assert words in refusal.say("en")
    assert refusal.say("zh").endswith("。")


def test_a_word_that_was_removed_from_its_dictionary_is_refused_as_in_an_edit(world: World, customer: int) -> None:
    world.li.do(create_update.update, Customer, customer, {"stage": "won"})
    (item,) = [row for row in world.rows(DictionaryItem) if row["key"] == "early"]
    world.ada.do(create_update.delete, DictionaryItem, [item["id"]])

    refusal = refused(world, "li", customer, "stage", at=START)

    assert (type(refusal), refusal.field) == (NotInList, "stage")
