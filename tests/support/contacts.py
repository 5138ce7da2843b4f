"""Contacts, and their phones and addresses."""

from typing import Any

from models import Contact
from resolvers.records import create_update
from tests.support.world import World


def contact(world: World, customer: int, name: str = "Ann", **values: Any) -> int:
    return world.li.do(create_update.create, Contact, {"customer_id": customer, "name": name, **values}).id
