"""Rights, as tests read them."""

from typing import Any

from sqlalchemy import select

from tests.support.world import World

# Customers: Mine of Li, Theirs of Wu (same team), West of Mei (another team), Pooled where Li and Wu sit and Lena
# administers, Far in a pool of another team, Locked by Wu, Binned of Li.
KINDS = ("Mine", "Theirs", "West", "Pooled", "Far", "Locked", "Binned")
PEOPLE = ("ada", "rolf", "li", "wu", "lead", "fin", "sam", "aud", "both")


def reached(world: World, login: str, action: str, model: type[Any]) -> str:
    """The initials of the records to which a person may do something, as in the tables."""
    clause = world.backend.policy.where(world.principal(login), action, model)
    with world.backend.writer.engine.connect() as connection:
        return " ".join(
            name[0] for name in connection.execute(select(model.name).where(clause).order_by(model.id)).scalars()
        )
