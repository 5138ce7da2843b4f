"""What the starter policy hides in pools, and lets their members and administrators do."""

from typing import Any

import pytest
from sqlalchemy import select

from models import ClaimRule, Contact, ContactPoint, Customer, Pool, PoolMember
from models.errors import Forbidden, NotFound, Refusal
from models.pool import GranteeKind, Seat
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from tests.support.starter_policy import KINDS, PEOPLE, reached
from tests.support.world import World

# --- the pool --------------------------------------------------------------------------------------------


def contact_details(world: World, login: str, id: int) -> tuple[Any, ...]:
    """Phone, e-mail and number of points of a customer and its contacts, as the person may see them."""
    p, policy, c = world.principal(login), world.backend.policy, Customer.__table__.c
    shown = [policy.guarded(p, Customer, field, Customer, c[field]) for field in ("phone", "email")]
    seen = select(*shown).where(Customer.id == id, policy.where(p, "view", Customer))
    points = select(ContactPoint.value).join(ContactPoint.contact).where(Contact.customer_id == id)
    with world.backend.writer.engine.connect() as connection:
        details = connection.execute(seen).one_or_none() or ()
        return (*details, *connection.execute(points.where(policy.where(p, "view", ContactPoint))).scalars())


ALL_DETAILS = ("1001", "a@b.example", "13800138000")


def test_whoever_sits_in_a_pool_sees_no_phone_and_no_address_there(world: World, stock: dict[str, int]) -> None:
    seen = {login: contact_details(world, login, stock["Pooled"]) for login in (*PEOPLE, "mei")}

    assert seen == {
        **dict.fromkeys(("li", "wu", "lead"), (None, None)),
        **dict.fromkeys(("ada", "fin", "sam", "aud", "both"), ALL_DETAILS),
        **dict.fromkeys(("mei", "rolf"), ()),
    }


def test_a_seat_hides_them_from_everybody_even_from_an_administrator_and_by_way_of_a_share(
    world: World, stock: dict[str, int]
) -> None:
    for login in ("ada", "sam"):
        world.seat("north", login, Seat.VIEWER)

        assert contact_details(world, login, stock["Pooled"]) == (None, None)
        assert contact_details(world, login, stock["Far"]) == ALL_DETAILS


def test_a_claim_shows_them_to_the_one_who_claimed(world: World, stock: dict[str, int]) -> None:
    assert world.li.do(claiming.claim, [stock["Pooled"]]).ids == [stock["Pooled"]]

    assert contact_details(world, "li", stock["Pooled"]) == ALL_DETAILS
    assert contact_details(world, "wu", stock["Pooled"]) == ()
    assert contact_details(world, "lead", stock["Pooled"]) == ALL_DETAILS


def test_what_is_hidden_cannot_be_overwritten_either(world: World, stock: dict[str, int]) -> None:
    (contact,) = world.rows(Contact, Contact.customer_id == stock["Pooled"])
    for model, id, values in (
        (Customer, stock["Pooled"], {"phone": "1"}),
        (Contact, contact["id"], {"points": []}),
    ):
        with pytest.raises(Forbidden):
            world.lead.do(create_update.update, model, id, values)

    world.lead.do(create_update.update, Customer, stock["Pooled"], {"name": "Pooled, cleaned"})

    row = world.row(Customer, stock["Pooled"])
    assert (row["name"], row["phone"], world.count(ContactPoint)) == ("Pooled, cleaned", "1001", len(KINDS))


def test_who_administers_a_pool_gives_seats_and_rules_there_and_nowhere_else(world: World) -> None:
    def seat(pool: str) -> dict[str, Any]:
        return {"pool_id": world.ids[pool], "grantee_kind": GranteeKind.DEPARTMENT, "grantee_id": world.ids["west"]}

    made = world.lead.do(create_update.create, PoolMember, seat("north"))
    rule = world.lead.do(create_update.create, ClaimRule, {"pool_id": world.ids["north"], "daily_quota": 3})
    world.lead.do(create_update.update, ClaimRule, rule.id, {"daily_quota": 5})
    assert world.principal("mei").pools == {world.ids["north"], world.ids["south"]}
    assert world.lead.do(create_update.delete, PoolMember, [made.id]).ids == [made.id]

    for login, pool, refusal in (("lead", "south", NotFound), ("li", "north", Forbidden), ("mei", "south", Forbidden)):
        with pytest.raises(refusal):
            world.scope(login).do(create_update.create, PoolMember, seat(pool))
    with pytest.raises(Refusal):
        world.lead.do(create_update.create, Pool, {"name": "Her own"})
    assert world.lead.do(create_update.delete, Pool, [world.ids["north"]]).problems[0].code() == "IN_USE"


def test_everybody_sees_the_pools_where_he_sits(world: World) -> None:
    seen = {login: reached(world, login, "view", Pool) for login in ("li", "mei", "lead", "fin", "ada", "aud")}

    assert seen == {"li": "N", "mei": "S", "lead": "N", "fin": "", "ada": "N S", "aud": "N S"}
