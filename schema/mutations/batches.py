"""Batches: the inputs of mutations over several records, and the one call that all of them share."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import strawberry

from models import Entity
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import Answered, GraphQLInfo, act
from ..types import make

make.enum_of(Mode)


@strawberry.input(description="Which records, and what happens to the others when one is refused.")
class RecordsInput:
    ids: list[strawberry.ID]
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Which records go to whom.")
class HandInput:
    ids: list[strawberry.ID]
    user_id: strawberry.ID
    """The user who gets the records."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


def numbers_of(model: type[Entity], ids: Sequence[str]) -> list[int]:
    """The numbers in these ids.  For one that is no id of the model its place, counted below zero, so that its problem
    can name it (`schema/problems.py`): no record has such a number.
    """
    return [number_of(model, text) or -(ids.index(text) + 1) for text in ids]


async def batch(
    info: GraphQLInfo, model: type[Entity], input: Any, call: Callable[[Scope, list[int]], Outcome]
) -> Answered:
    """Run `call` with the records of the input, once per idempotency key."""
    ids = numbers_of(model, input.ids)
    arguments = {f.name: getattr(input, f.name) for f in fields(input) if f.name != "idempotency_key"}
    key: str | None = input.idempotency_key
    return await act(info.context, model, info.field_name, key, arguments, lambda scope: call(scope, ids))
