"""Batches: the inputs of mutations over several records, and the one call that all of them share."""

from collections.abc import Callable
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
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


async def batch(
    info: GraphQLInfo, model: type[Entity], input: Any, call: Callable[[Scope, list[int]], Outcome]
) -> Answered:
    """Run `call` with the records of the input, once per idempotency key."""
    ids = [number_of(model, text) for text in input.ids]
    arguments = {f.name: getattr(input, f.name) for f in fields(input) if f.name != "idempotency_key"}
    key: str | None = input.idempotency_key
    return await act(info.context, model, info.field_name, key, arguments, lambda scope: call(scope, ids))
