"""The contract of root fields: each declares its right, calls one use case, and returns refusals as data.

A field is a function with `@query` or `@mutation`.  Its name, arguments and type are those of the function, its
description is the docstring, and the argument of the decorator is the right that it asks for.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from inspect import cleandoc
from typing import Any

import strawberry
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from models import Base, Entity
from models.declaration import Misdeclared
from models.errors import Refusal
from policies.rights import check_rights
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from .plan.reader import Reader
from .plan.selection import Operation
from .problems import Problem as Problem
from .problems import placed
from .problems import problems_of as problems_of

# --- what a resolver gets --------------------------------------------------------------------------------


@dataclass
class Context:
    """The caller's scope, the operation, and the reader of this request."""

    scope: Scope
    operation: Operation
    reader: Reader
    live: Any = None
    """The subscriber (`schema/live.py`), while the operation is a subscription."""

    @property
    def subscriber(self) -> Any:
        """The subscriber, which a subscription has."""
        assert self.live is not None, "only a subscription waits for changes"
        return self.live


GraphQLInfo = Info[Context, None]

# --- declaring root fields -------------------------------------------------------------------------------

QUERIES: dict[str, StrawberryField] = {}
MUTATIONS: dict[str, StrawberryField] = {}
SUBSCRIPTIONS: dict[str, StrawberryField] = {}
"""The declared root fields by their GraphQL names."""
DECLARED: dict[str, str] = {}
"""GraphQL name of a root field -> the module.action that it asks for."""
DERIVATIONS: list[Callable[[], None]] = []
"""Functions that declare the root fields derived from the models."""


def query(right: str, *, returns: object = None) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Declare a query field that asks for `right` (module.action).

    `returns` is its GraphQL type where that differs from the function's annotation: a type derived from the models.
    """
    return lambda resolver: _declare(QUERIES, strawberry.field, right, returns, resolver)


def mutation(
    right: str, *, returns: object = None, of: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Declare a mutation field that asks for `right` (module.action); `returns` is as in `query`.

    `of` is the use case whose docstring describes a field without one of its own.
    """

    def declare(resolver: Callable[..., Any]) -> StrawberryField:
        resolver.__doc__ = _with_right(resolver.__doc__ or (of and of.__doc__) or "", right)
        return _declare(MUTATIONS, strawberry.mutation, right, returns, _placing(resolver))

    return declare


def _with_right(text: str, right: str) -> str:
    """What a mutation does and may refuse, and the right that it needs, unless the text names one."""
    told = cleandoc(text).replace("Raises ", "Refused with ")
    return told if " right" in told or right.startswith("session.") else f"{told}\n\nNeeds the right `{right}`."


def subscription(right: str) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Declare a subscription: an async generator over the batches of `info.context.subscriber`."""
    return lambda resolver: _declare(SUBSCRIPTIONS, strawberry.subscription, right, None, resolver)


def derived(declare_fields: Callable[[], None]) -> Callable[[], None]:
    """Register a function that declares fields from the models; `schema.build` calls it once the types exist."""
    DERIVATIONS.append(declare_fields)
    return declare_fields


def _declare(
    fields: dict[str, StrawberryField], kind: Any, right: str, returns: object, resolver: Callable[..., Any]
) -> StrawberryField:
    name, file = camel(resolver.__name__), file_of(resolver.__module__)
    check_rights([(right, f"{file}: the field {name}")])
    if name in fields or DECLARED.get(name, right) != right:
        raise Misdeclared(f"{file}: the field {name} is declared twice")
    description = cleandoc(resolver.__doc__ or "")
    fields[name] = declared = kind(resolver=resolver, name=name, description=description, graphql_type=returns)
    DECLARED[name] = right
    return declared  # type: ignore[no-any-return]  # Strawberry's overloads


def _placing(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver of a mutation, whose problems name their places in the input."""

    @wraps(resolver)
    async def resolve(*args: Any, **given: Any) -> Any:
        payload = await resolver(*args, **given)
        if problems := getattr(payload, "problems", None):
            placed(problems, given)
        return payload

    return resolve


def file_of(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


# --- results ---------------------------------------------------------------------------------------------


@strawberry.type(description="What was refused; nothing when it was done.")
class DonePayload:
    problems: list[Problem] = strawberry.field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Siblings:
    """The records of one list of pointers, which one statement reads for all of them."""

    model: type[Base]
    ids: Sequence[int]
    read: dict[str, asyncio.Future[list[dict[str, Any]]]] = field(default_factory=dict)
    """Place of the selection in the document -> the records, once the first pointer has asked for them."""


@dataclass(frozen=True)
class Pointer:
    """A record as a resolver returns it: the compiler reads its selected fields, under the rights of that moment."""

    model: type[Base]
    id: int
    siblings: Siblings | None = None


@dataclass
class Answered:
    """The records that a mutation has changed.  The compiler reads them afterwards, under the rights of that moment."""

    model: type[Base]
    ids: Sequence[int] = ()
    problems: list[Problem] = field(default_factory=list)


# --- calling use cases -----------------------------------------------------------------------------------


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
    """Run a use case once per idempotency key, and return its refusals as problems.

    `subject` is the id of the record to change; after a conflict the payload shows its current state.
    """
    scope = context.scope
    try:
        outcome: Outcome = await scope.run(run_once, key, action, arguments, call, model)
    except Refusal as refusal:
        shown = [subject] if refusal.code() == "CONFLICT" and subject else []
        refusal.record_id = refusal.record_id or (global_id(model, subject) if subject else None)
        return Answered(model, shown, problems_of([refusal], scope.language))
    return Answered(model, outcome.ids, problems_of(outcome.problems, scope.language))


async def done(scope: Scope, use_case: Callable[..., object], *arguments: object) -> DonePayload:
    """Run a use case that returns nothing, and return its refusal as a problem."""
    try:
        await scope.run(use_case, *arguments)
    except Refusal as refusal:
        return DonePayload(problems=problems_of([refusal], scope.language))
    return DonePayload()
