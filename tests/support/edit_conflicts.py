"""Edits from an older version, and the conflicts that they end in."""

from typing import Any

from models import Contact
from models.errors import Conflict
from resolvers.records import create_update
from tests.support.refusals import refused
from tests.support.world import World

PHONE = {"kind": "PHONE", "value": "+86 138-0013 8000"}
MAIL = {"kind": "EMAIL", "value": "Ann@Acme.example"}


def edit(world: World, login: str, model: Any, id: int, version: int, **given: Any) -> None:
    world.scope(login).do(create_update.update, model, id, given, version)


def conflict(world: World, login: str, model: Any, id: int, version: int, **given: Any) -> dict[str, Any]:
    """What a conflict says; nothing has changed."""
    mark = world.mark()
    refusal = refused(world, world.scope(login), Conflict, create_update.update, model, id, given, version)
    assert world.log(since=mark) == []
    assert refusal.field == "version"
    return {key: refusal.params[key] for key in ("version", "current", "given")}


def contact(world: World, **values: Any) -> int:
    return world.li.do(create_update.create, Contact, {"customer_id": world.customer(), "name": "Ann", **values}).id


def points(world: World, id: int) -> list[dict[str, Any]]:
    """The points of a contact as a conflict tells them: told for a version that never was."""
    current: list[dict[str, Any]] = conflict(world, "lead", Contact, id, 99, points=None)["current"]["points"]
    return current
