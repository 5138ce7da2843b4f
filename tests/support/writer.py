"""Use cases that note a topic, and what stands in the log of them."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from models import Event
from resolvers.runtime.writer import Unit
from tests.support.world import START, World

Call = Callable[[Unit], Any]


def note(topic: str, action: str = "x") -> Call:
    """A use case that leaves one row and says its name."""

    def call(unit: Unit) -> str:
        unit.connection.execute(insert(Event), {"at": START, "topic": topic, "action": action})
        return topic

    return call


def topics(world: World) -> list[str]:
    return [row["topic"] for row in world.rows(Event)]


async def answers(world: World, calls: list[Call]) -> list[Any]:
    """What each gets, an error as such; on SQLite they are one batch."""
    with world.backend.writer.hold():
        futures = [world.backend.writer.submit(call) for call in calls]
    return await asyncio.gather(*futures, return_exceptions=True)
