"""Reading a world through a session of one user, on the write side or on the read side."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Contact, Opportunity
from models.database.engines import WriteSession
from policies import Principal
from tests.support.world import World

Reading = Callable[[Session], Any]
SIDES = ("write", "read")


def furnish(world: World) -> dict[str, int]:
    """Create the customers Mine (of Li), Hers (of Mei) and Pooled (in Li's pool); returns name -> id.

    Each has the contact Ann with a phone; Mine has an opportunity whose contact is deleted.
    """
    ids = {"Mine": world.customer("Mine", "li", phone="1001"), "Hers": world.customer("Hers", "mei", phone="1002")}
    ids["Pooled"] = world.customer("Pooled", pool="north", phone="1003")
    for number, (name, id) in enumerate(ids.copy().items()):
        point = {"kind": "PHONE", "value": f"200{number}"}
        ids[f"Ann of {name}"] = world.make(Contact, customer_id=id, name=f"Ann of {name}", points=[point])
    left = world.make(Contact, customer_id=ids["Mine"], name="Left")
    ids["Deal"] = world.make(Opportunity, customer_id=ids["Mine"], name="Deal", contact_id=left)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            update(Contact.__table__).where(Contact.__table__.c.id == left).values(deleted_at=world.clock.now)
        )
    return ids


def seen_by(world: World, side: str, principal: Principal | None, reading: Reading) -> Any:
    """The result of `reading` in a session of that user, on the side `write` or `read`."""
    if side == "read":
        return asyncio.run(_reading(world, principal, reading))
    info = {"principal": principal, "policy": world.backend.policy}
    with world.backend.writer.engine.connect() as connection, WriteSession(connection, info=info) as db:
        return reading(db)


async def _reading(world: World, principal: Principal | None, reading: Reading) -> Any:
    try:
        return await world.backend.scope(principal, "test").read(lambda _scope, db: reading(db))
    finally:
        await world.backend.stop_reading()  # its connections belong to this event loop
