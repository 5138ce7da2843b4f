"""Customers that are merged: shorthands of the tests."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from models import Contact, ContactPoint, Customer, FollowUp, MergeRecord, Opportunity, OwnershipPeriod, Share
from models.pool import GranteeKind
from resolvers.merging.comparison import Comparison
from resolvers.merging.merge import Choices, Merge, merge, preview
from resolvers.merging.unmerge import Unmerge, unmerge
from tests.support.world import World

HANGING = (Contact, Opportunity, FollowUp, Share, OwnershipPeriod)


def merged(world: World, winner: int, *losers: int, by: str = "ada", **choices: Any) -> Merge:
    """Merge customers; `fields` and `contacts` are the choices."""
    reason = choices.pop("reason", None)
    done: Merge = world.scope(by).do(merge, winner, losers, Choices(**choices), reason)
    return done


def undone(world: World, merge_id: int, by: str = "ada") -> Unmerge:
    done: Unmerge = world.scope(by).do(unmerge, merge_id=merge_id)
    return done


def compared(world: World, winner: int, *losers: int, by: str = "ada") -> Comparison:
    return world.run(world.scope(by).read(preview, winner, list(losers)))


def contact(world: World, customer: int, name: str, phone: str | None = None, **values: Any) -> int:
    points = [{"kind": "PHONE", "value": phone}] if phone else []
    return world.make(Contact, customer_id=customer, name=name, points=points, **values)


def follow_up(world: World, customer: int, content: str = "Called", **values: Any) -> int:
    given = {"kind": "CALL", "content": content, "happened_at": world.clock.now, **values}
    return world.make(FollowUp, customer_id=customer, **given)


def hanging(world: World, customer: int) -> dict[str, list[int]]:
    """Table -> the ids of the rows that hang on a customer, those in the bin included."""
    return {
        model.__tablename__: [row["id"] for row in world.rows(model, model.customer_id == customer)]
        for model in HANGING
    }


def state(world: World, *ids: int) -> dict[str, list[dict[str, Any]]]:
    """Everything about these customers that a merge may change, without the stamps of who changed it last."""
    tables = (Customer, Contact, ContactPoint, Opportunity, FollowUp, Share, OwnershipPeriod)
    return {model.__tablename__: [_without_stamps(row) for row in world.rows(model)] for model in tables}


def _without_stamps(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("version", "updated_at", "updated_by_id")}


def merges(world: World) -> Sequence[dict[str, Any]]:
    return world.rows(MergeRecord)


def shared(world: World, customer: int, login: str) -> int:
    """The id of a new share of a customer with a user."""
    values = {"grantee_kind": GranteeKind.USER, "grantee_id": world.ids[login], "level": "VIEW"}
    with world.backend.writer.engine.begin() as connection:
        made = insert(Share).values(customer_id=customer, starts_at=world.clock.now, **values).returning(Share.id)
        return connection.execute(made).scalar_one()
