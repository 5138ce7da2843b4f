"""Records that rows change: found by their key, as far as the caller sees it."""

from typing import Any

import pytest

from models import Contact
from resolvers.imports.finding import find_existing
from resolvers.imports.row_values import RowValues
from resolvers.imports.targets import target_of
from tests.support.refusals import add_line
from tests.support.world import World


def found(world: World, login: str, customer: int, phone: str) -> Any:
    row = RowValues(values={"customer_id": customer, "points": [{"kind": "PHONE", "value": phone}]})

    def use(scope: Any) -> Any:
        with scope.write("contact.import") as db:
            return find_existing(scope, db, target_of("contact"), ("customer_id", "phone"), [row])[0]

    return world.scope(login).do(use)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_contact_is_found_by_a_phone_that_the_caller_sees(world: World, *, is_hidden: bool) -> None:
    customer = world.customer("Acme", owner="li")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[{"kind": "PHONE", "value": "13800138000"}])

    if is_hidden:
        add_line(world, "p, sales, contact.points, view, all, any, deny")

    assert found(world, "li", customer, "138 0013 8000") == (None if is_hidden else ann)
    assert found(world, "ada", customer, "138 0013 8000") == ann


def test_phones_are_compared_by_their_digits(world: World) -> None:
    spelt = ["+86 13800138000", "0571-88881234", "400-820-8820"]
    ids = [world.customer(f"Firm {n}", owner="li", phone=phone) for n, phone in enumerate(spelt)]
    rows = [
        RowValues(values={"phone": phone})
        for phone in ("138 0013 8000", "0571 88881234", "400-820-8820", "13800138001", "０５７１-８８８８１２３４")
    ]

    def use(scope: Any) -> Any:
        with scope.write("customer.import") as db:
            return find_existing(scope, db, target_of("customer"), ("phone",), rows)

    assert world.li.do(use) == [*ids, None, ids[1]]


def test_two_spellings_of_one_phone_find_the_same_contact(world: World) -> None:
    customer = world.customer("Acme", owner="li")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[{"kind": "PHONE", "value": "13800138000"}])
    phones = ("138-0013-8000", "+86 138 0013 8000", "13800138000")
    rows = [
        RowValues(values={"customer_id": customer, "points": [{"kind": "PHONE", "value": phone}]}) for phone in phones
    ]

    def use(scope: Any) -> Any:
        with scope.write("contact.import") as db:
            return find_existing(scope, db, target_of("contact"), ("customer_id", "phone"), rows)

    assert world.li.do(use) == [ann] * 3
