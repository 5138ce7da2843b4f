"""Changes in bulk are answered like changes one by one, and leave the same in the tables."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models import Contact, Customer, FollowUp, Opportunity
from resolvers.customers import lock as locking
from resolvers.records import create_update
from tests.support.bulk_writes import codes_of, same
from tests.support.refusals import add_line
from tests.support.world import World


def compare_duplicates(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))


@pytest.mark.parametrize("login", ["ada", "li", "lead", "sam"])
@pytest.mark.parametrize("are_compared", [False, True])
def test_changes_of_customers_are_answered_alike(world: World, login: str, are_compared: bool) -> None:
    mine, second, third = (world.customer(f"Mine {n}", phone=f"1380000000{n}") for n in range(3))
    hidden, pooled = world.customer("Hidden", owner="mei"), world.customer("Pooled", pool="north")
    locked, gone = world.customer("Locked", owner="wu"), world.customer("Gone")
    twin = world.customer("Hua Xing Steel", owner="mei", email="info@huaxing.cn")
    world.scope("wu").do(locking.lock, [locked])
    world.li.do(create_update.delete, Customer, [gone])
    if are_compared:
        compare_duplicates(world)
    add_line(world, "p, sales, customer.email, edit, all, any, deny")
    changes: list[tuple[int, dict[str, Any]]] = [
        (mine, {"industry": "steel", "remark": "a\r\nb "}),
        (second, {"industry": "电商"}),
        (second, {"phone": "1"}),
        (second, {"name": None}),
        (second, {"name": " ", "industry": "steel"}),
        (second, {"owner_id": world.ids["wu"]}),
        (second, {"pool_id": world.ids["north"]}),
        (second, {"number": "C2026099"}),
        (second, {"version": 3}),
        (second, {"email": "a@b.cn"}),
        (second, {"contact_name": "Ann"}),
        (hidden, {"industry": "steel"}),
        (pooled, {"industry": "steel", "region": "east"}),
        (locked, {"industry": "steel"}),
        (gone, {"industry": "steel"}),
        (999_999, {"industry": "steel"}),
        (0, {"industry": "steel"}),
        (third, {"name": "Hua Xing Steel"}),
        (third, {"name": "Hua Xing Steel", "duplicate_reason": "another branch"}),
        (third, {"email": "info@huaxing.cn", "phone": None}),
        (mine, {"name": "Mine again", "level": None}),
        (twin, {"industry": "retail"}),
        (second, {}),
        (second, {"address": "Street 1", "duplicate_reason": "as they told us"}),
    ]

    told = same(world, login, Customer, changes, "customer.import" if login == "li" else None)

    assert {None, "VALIDATION", "NOT_FOUND"} <= set(codes_of(told)) or login == "sam"


def test_changes_that_depend_on_each_other_take_effect_in_their_order(world: World) -> None:
    one, other, third = (world.customer(name) for name in ("Blue Heron Oil", "Red Fox Paper", "Grey Owl Glass"))
    compare_duplicates(world)
    changes = [
        (one, {"name": "Red Fox Paper"}),
        (other, {"name": "Green Frog Tea"}),
        (third, {"name": "Red Fox Paper"}),
        (one, {"name": "Red Fox Paper", "industry": "steel"}),
    ]

    told = same(world, "li", Customer, changes)

    assert codes_of(told) == ["DUPLICATE_FOUND", None, None, "DUPLICATE_FOUND"]


@pytest.mark.parametrize("are_compared", [False, True])
def test_changes_of_contacts_are_answered_alike(world: World, are_compared: bool) -> None:
    mine, hidden = world.customer("Mine"), world.customer("Hidden", owner="mei")
    phones = [[{"kind": "PHONE", "value": f"1380000000{n}"}] for n in range(3)]
    ann, bo, cy = (
        world.make(Contact, customer_id=mine, name=name, points=points)
        for name, points in zip(("Ann", "Bo", "Cy"), phones, strict=True)
    )
    mei = world.make(Contact, customer_id=hidden, name="Mei")
    if are_compared:
        compare_duplicates(world)
    changes: list[tuple[int, dict[str, Any]]] = [
        (ann, {"title": "Boss", "points": [{"kind": "PHONE", "value": "13900000009"}, *phones[0]]}),
        (bo, {"name": "Ann", "points": phones[0]}),
        (bo, {"points": [{"kind": "PHONE", "value": "1"}]}),
        (cy, {"is_primary": True}),
        (bo, {"is_primary": True, "name": "Bob"}),
        (cy, {"points": []}),
        (ann, {"name": "Ann", "points": phones[2]}),
        (mei, {"name": "x"}),
        (ann, {"customer_id": hidden}),
        (bo, {"birthday": 1990}),
    ]

    same(world, "li", Contact, changes)
    same(world, "li", Contact, [(ann, {"points": phones[2]}), (cy, {"name": "Ann"}), (bo, {"title": "x"})])


def test_changes_of_activities_are_answered_alike(world: World) -> None:
    mine, other = world.customer("Mine"), world.customer("Other")
    deal, next_deal = (world.make(Opportunity, customer_id=mine, name=f"Deal {n}") for n in range(2))
    ann = world.make(Contact, customer_id=other, name="Ann")
    call = world.make(
        FollowUp,
        customer_id=mine,
        kind="CALL",
        content="Talked about steel",
        happened_at=world.clock.now,
        owner_id=None,
    )
    changes: list[tuple[int, dict[str, Any]]] = [
        (deal, {"amount": Decimal(12), "currency": "usd"}),
        (deal, {"stage": "won"}),
        (next_deal, {"contact_id": ann}),
        (next_deal, {"amount": Decimal(-1)}),
        (next_deal, {"name": "Better"}),
        (999_999, {"name": "Nothing"}),
    ]

    same(world, "li", Opportunity, changes)
    same(
        world, "ada", FollowUp, [(call, {"content": "x"}), (call, {"happened_at": world.clock.now - timedelta(days=1)})]
    )
