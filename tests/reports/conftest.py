"""A world with something to report: customers, follow-ups and opportunities of several months, owners and currencies."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import Customer, DictionaryItem, FollowUp, Share
from models.custom_field import CustomKind
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.pool import claim, release
from resolvers.records import create_update
from tests.support.custom_fields import define, options
from tests.support.pipelines import deal, dictionary, pipeline
from tests.support.world import World

_OWNERS = ("li", "wu", "mei", "lead")
_LOST = (5, 7)


@pytest.fixture
def reported(world: World) -> World:
    """The world, in which the customers of two months differ in all that reports group by."""
    pipeline(world, is_default=True)
    options(world)
    define(world, "satisfaction", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    define(world, "reference", CustomKind.YES_NO)
    _tree(world)
    made = [_customer(world, n) for n in range(12)]
    pooled = [world.customer(f"Pooled {n}", pool="north", source="web") for n in range(3)]
    pooled.append(world.customer("Far", pool="south"))
    world.clock.pass_by(hours=5)
    world.scope("li").do(claim.claim, pooled[:1])
    world.scope("li").do(release.release, made[4:5], world.ids["north"], "No answer")
    world.mei.do(locking.lock, [made[2]], "talks")
    world.ada.do(create_update.delete, Customer, [made[11]])
    _share(world, made[1], "li")
    _date(world, made[:6], 30)
    return world


def _tree(world: World) -> None:
    dictionary(world, "category", {"key": "Key", "partner": "Partner", "gold": "Gold"})
    with world.backend.writer.engine.begin() as connection:
        item = DictionaryItem.__table__
        above = connection.exec_driver_sql("SELECT id FROM dictionary_item WHERE key = 'partner'").scalar_one()
        connection.execute(update(item).where(item.c.key == "gold").values(parent_id=above))


def _customer(world: World, n: int) -> int:
    owner, day = _OWNERS[n % 4], world.clock.now.date() + timedelta(days=20 * (n % 5 - 1))
    values: dict[str, Any] = {
        "stage": ("early", "won", None)[n % 3],
        "region": ("east", None)[n % 2],
        "source": "web" if n % 4 else None,
        "category": ("key", "partner", "gold", None)[n % 4],
        "industry": ("steel", "retail")[n % 2],
        "custom.satisfaction": ("good", None)[n % 2],
        "custom.reference": (True, False, None)[n % 3],
    }
    customer = world.customer(f"Customer {n}", owner, **values)
    money = {"amount": Decimal("100.05") * (n + 1), "currency": ("CNY", "EUR")[n % 2]}
    if n not in _LOST:
        deal(world, customer, f"Deal {n}", owner, expected_close=day, **money)
    if n % 3 == 0:
        deal(world, customer, f"Won {n}", owner, stage="won", closed_on=world.clock.now.date(), **money)
    if n in _LOST:
        deal(world, customer, f"Lost {n}", owner, stage="lost", lost_reason="price", **money)
    for back in range(n % 3 + 1):
        at = world.clock.now - timedelta(days=back)
        call = {"customer_id": customer, "kind": ("CALL", "EMAIL")[back % 2], "content": f"Call {n} {back}"}
        world.scope(owner).do(create_update.create, FollowUp, {**call, "happened_at": at})
    return customer


def _share(world: World, customer: int, login: str) -> None:
    row = {"customer_id": customer, "grantee_kind": GranteeKind.USER, "grantee_id": world.ids[login]}
    with world.backend.writer.engine.begin() as connection:
        connection.execute(insert(Share), {**row, "level": ShareLevel.VIEW, "starts_at": world.clock.now})


def _date(world: World, customers: list[int], days: int) -> None:
    """Put these customers into the month before."""
    table = Customer.__table__
    with world.backend.writer.engine.begin() as connection:
        for id in customers:
            moved = update(table).where(table.c.id == id).values(created_at=world.clock.now - timedelta(days=days))
            connection.execute(moved)
            world.clock.pass_by(seconds=1)
