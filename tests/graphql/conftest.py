"""Fixtures that several of these tests share."""

import pytest

from models import FollowUp, Opportunity
from tests.support.graphql import Api
from tests.support.secrecy import SECRET
from tests.support.world import World


@pytest.fixture
def five(world: World) -> list[int]:
    """Five customers of Li, made a minute after one another."""
    made = []
    for name, stage in (
        ("Acme", "early"),
        ("Bolt", "won"),
        ("Ceres", "early"),
        ("delta 电子", None),
        ("50%_off", "won"),
    ):
        world.clock.pass_by(minutes=1)
        made.append(world.customer(name, stage=stage, industry="steel"))
    return made


@pytest.fixture
def town(world: World) -> dict[str, int]:
    """Customers of every kind: Li's, Mei's, one locked by Mei, pooled in both pools, in the bin, and what hangs on them."""
    made = {
        "li": world.customer("Li's", owner="li", phone="111000", contact_name="Lily", contact_phone="111001"),
        "mei": world.customer("Mei's", owner="mei", phone=SECRET, contact_name="Zoe", contact_phone=SECRET + "1"),
        "locked": world.customer(
            "Locked", owner="mei", phone=SECRET + "2", contact_name="Zed", contact_phone=SECRET + "3"
        ),
        "north": world.customer(
            "Northern", pool="north", phone=SECRET + "4", contact_name="Ned", contact_phone=SECRET + "5"
        ),
        "south": world.customer(
            "Southern", pool="south", phone=SECRET + "6", contact_name="Sue", contact_phone=SECRET + "7"
        ),
        "gone": world.customer("Gone", owner="mei", phone=SECRET + "8", contact_name="Gus", contact_phone=SECRET + "9"),
    }
    for name, id in list(made.items()):
        said = "hello" if name in ("li", "north") else SECRET
        world.make(Opportunity, customer_id=id, name=f"{name} deal {said}")
        made[f"{name}-call"] = world.make(
            FollowUp, customer_id=id, kind="CALL", content=f"said {said}", happened_at=world.clock()
        )
    api = Api(world)
    api.change("mei", "lockCustomers", {"ids": [f"cus_{made['locked']}"], "reason": SECRET}, "ids")
    api.change("mei", "deleteCustomers", {"ids": [f"cus_{made['gone']}"]}, "ids")
    return made
