"""Edits and what the log says about them."""

from datetime import UTC, datetime
from typing import Any

from models import (
    Entity,
)
from resolvers.records import create_update
from tests.support.world import World

NOON = datetime(2026, 12, 24, 12, 30, 15, 250_000, tzinfo=UTC)


def edit(world: World, login: str, model: type[Entity], id: int, **values: Any) -> list[dict[str, Any]]:
    """What the log says after somebody's edit."""
    mark = world.mark()
    world.scope(login).do(create_update.update, model, id, values)
    return world.log(since=mark)


def changes(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry["changes"] for entry in entries]


def points(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"kind": kind, "value": value} for kind, value in pairs]
