"""Assertions and look-ups of the tests about claims and transfers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from models import Base, Customer, Entity, Organisation, OwnerLoad, OwnershipPeriod, QuotaCounter
from models.errors import Refusal
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope
from resolvers.setup.invariants import broken
from tests.support.world import World

MISSING = 999_999
"""The id of a record that never existed."""


def claim(world: World, login: str, *ids: int, **how: Any) -> Outcome:
    outcome: Outcome = world.scope(login).do(claiming.claim, list(ids), **how)
    return outcome


def codes(outcome: Outcome) -> list[str]:
    """The codes of the problems of an outcome that changed nothing."""
    assert outcome.ids == []
    return [problem.code() for problem in outcome.problems]


def the(outcome: Outcome) -> Refusal:
    """The one refusal of an outcome that changed nothing."""
    assert (outcome.ids, len(outcome.problems)) == ([], 1)
    return outcome.problems[0]


def change(world: World, model: type[Entity], id: int, **values: Any) -> None:
    """Edit a record as the system principal."""
    world.system.do(create_update.update, model, id, values)


def organise(world: World, **values: Any) -> None:
    change(world, Organisation, 1, **values)


@contextmanager
def unchanged(world: World) -> Iterator[None]:
    """Assert that the block changes no table, the log of refused attempts aside."""
    before = world.everything()
    yield
    assert world.everything() == before


def refused_like_missing(world: World, login: str, call: Callable[..., Outcome], hidden: int, *more: Any) -> None:
    """Assert that `call` on a hidden record changes nothing, and is answered and logged exactly like a missing one."""
    results = [_refusal_and_log(world, world.scope(login), call, id, *more) for id in (hidden, MISSING)]
    assert results[0] == results[1]
    assert results[0][0] == "NOT_FOUND"
    assert results[0][-1] == [(world.ids[login], "customer", "id", None, "DENIED", {})]


def _refusal_and_log(world: World, scope: Scope, call: Callable[..., Outcome], id: int, *more: Any) -> tuple[Any, ...]:
    mark = world.mark()
    with unchanged(world):
        problem = the(scope.do(call, [id], *more))
    assert problem.record_id == global_id(Customer, id)
    log = [
        (
            x["actor_id"],
            x["entity"],
            "id" if x["record_id"] == id else x["record_id"],
            x["label"],
            x["outcome"],
            x["changes"],
        )
        for x in world.log(since=mark)
    ]
    return problem.code(), problem.field, problem.params, problem.say("en"), problem.say("zh"), log


def held(world: World, login: str) -> int:
    """The number of customers that a user holds, by the counter."""
    return sum(row["held"] for row in world.rows(OwnerLoad, OwnerLoad.user_id == world.ids[login]))


def used(world: World, login: str, pool: str = "north") -> dict[str, int]:
    """Period -> number of claims of a user in a pool, by the counters."""
    mine = (QuotaCounter.user_id == world.ids[login], QuotaCounter.pool_id == world.ids[pool])
    return {row["period"]: row["used"] for row in world.rows(QuotaCounter, *mine)}


def periods(world: World, customer: int) -> list[tuple[int, str, str | None]]:
    """(owner id, how it began, how it ended) of a customer's ownership periods, oldest first."""
    rows = world.rows(OwnershipPeriod, OwnershipPeriod.customer_id == customer)
    return [(row["owner_id"], row["began"], row["ended"]) for row in rows]


def owner(world: World, customer: int) -> int | None:
    found: int | None = world.row(Customer, customer)["owner_id"]
    return found


def whole(world: World) -> list[str]:
    """The invariants that this world breaks, as sentences."""
    with world.backend.writer.engine.connect() as connection:
        return broken(connection)


def of(model: type[Base], world: World, **where: Any) -> list[dict[str, Any]]:
    return world.rows(model, *(getattr(model, name) == value for name, value in where.items()))
