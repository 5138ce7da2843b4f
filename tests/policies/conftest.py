"""Fixtures that several of these tests share."""

import pytest

from models import Contact, Customer, UserRole
from resolvers.customers import lock as locking
from resolvers.records import create_update
from tests.support.starter_policy import KINDS
from tests.support.world import World


@pytest.fixture
def stock(world: World) -> dict[str, int]:
    """One customer of each kind, with a phone, an address and a contact; and an auditor who is administrator too."""
    places = {"Mine": "li", "Theirs": "wu", "West": "mei", "Locked": "wu", "Binned": "li"}
    ids = {}
    for kind in KINDS:
        place = {"owner": places[kind]} if kind in places else {"pool": "north" if kind == "Pooled" else "south"}
        ids[kind] = world.customer(kind, **place, phone="1001", email="a@b.example")
        point = {"kind": "PHONE", "value": "13800138000"}
        world.make(Contact, customer_id=ids[kind], name=kind, points=[point])
    world.wu.do(locking.lock, [ids["Locked"]], "mine alone")
    world.li.do(create_update.delete, Customer, [ids["Binned"]])
    world.user("both", "Bo Both", "auditor")
    world.make(UserRole, user_id=world.ids["both"], role_id=world.ids["administrator"])
    return ids
