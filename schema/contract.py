"""What every mutation has in common: its declared right, one hop to the use case, refusals as data."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from strawberry.scalars import JSON

from models import Base, Entity
from models.audit.entries import plain
from models.errors import REFUSALS, Refusal
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from .plan.selection import Asked

ProblemCode: Any = enum.Enum("ProblemCode", {code: code for code in REFUSALS}, module=__name__)  # type: ignore[misc]  # from the refusals
strawberry.enum(ProblemCode, description="Why something was not done; one code for each refusal of the business.")

DECLARED: dict[str, str] = {}
"""Root field -> the module.action that it asks for.  Filled where fields are made; a field that is missing keeps the
application from starting."""


@strawberry.type(description="One thing that was not done, and why.")
class Problem:
    code: ProblemCode
    message: str
    field: str | None
    record_id: strawberry.ID | None
    params: JSON | None
    explanation: str | None


@dataclass
class Context:
    """What a resolver may reach: who asks, what was asked, and the reader."""

    scope: Scope
    asked: Asked
    reader: Any


@dataclass
class Answered:
    """What a mutation has done.  Its records are read afterwards, with the rights of that moment."""

    model: type[Base]
    ids: Sequence[int] = ()
    problems: list[Problem] = field(default_factory=list)


def declare(name: str, action: str) -> None:
    assert name not in DECLARED, f"{name} is declared twice"
    DECLARED[name] = action


def problem_of(refusal: Refusal, language: str) -> Problem:
    params = {camel(name): plain(value) for name, value in refusal.params.items() if not name.endswith("_zh")}
    return Problem(
        code=ProblemCode[refusal.code()],
        message=refusal.say(language),
        field=refusal.field,
        record_id=strawberry.ID(refusal.record_id) if refusal.record_id else None,
        params=JSON(params) if params else None,
        explanation=None,
    )


async def act(
    context: Context,
    model: type[Entity],
    action: str,
    key: str | None,
    arguments: Mapping[str, Any],
    call: Callable[[Scope], Outcome],
    *,
    subject: int = 0,
) -> Answered:
    """Run a use case once for this key, and turn what it refuses into problems.

    `subject` is the record that was meant: after a conflict its current state is shown.
    """
    scope = context.scope
    try:
        outcome: Outcome = await scope.run(run_once, key, action, arguments, call)
    except Refusal as refusal:
        shown = [subject] if refusal.code() == "CONFLICT" and subject else []
        refusal.record_id = refusal.record_id or (global_id(model, subject) if subject else None)
        return Answered(model, shown, [problem_of(refusal, scope.language)])
    return Answered(model, outcome.ids, [problem_of(x, scope.language) for x in outcome.problems])
