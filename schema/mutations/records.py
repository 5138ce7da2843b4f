"""The mutations: derived ones for every entity, and one for each use case of the pool.  All of them thin."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

import strawberry
from strawberry.types import Info

from models import ENTITIES, Base, Contact, Customer, Entity, Pool, User
from models.base import Trait, column_of, columns, trait_of
from models.contact import PointKind
from resolvers.customers import contacts
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import number_of
from resolvers.runtime.lifecycle import rules_of
from resolvers.runtime.scope import Scope

from ..contract import Answered, Context, Problem, act, declare
from ..plan.shape import SHAPES, AnyId, Column, name_of, plural, singular
from ..types import derive

derive.enum_of(Mode)


@strawberry.input(description="One phone number, e-mail address or other way to reach somebody.")
class ContactPointInput:
    kind: derive.enum_of(PointKind)  # type: ignore[valid-type]  # made from the models' enum
    value: str


@strawberry.input(description="Which records, and what happens to the others when one is refused.")
class RecordsInput:
    ids: list[strawberry.ID]
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Which records of the bin are deleted for good; this cannot be undone.")
class PurgeInput:
    ids: list[strawberry.ID]
    confirm: bool = False
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


@strawberry.input(description="Which customers go into which pool; without a pool the owner's first by priority.")
class ReleaseInput:
    ids: list[strawberry.ID]
    pool_id: strawberry.ID | None = None
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Which customers only their owners may see and change, until when.")
class LockInput:
    ids: list[strawberry.ID]
    until: datetime | None = None
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


Batch = Callable[[Scope, list[int], Any], Outcome]

BATCHES: list[tuple[str, str, type[Entity], Any, Batch]] = [
    ("claimCustomers", "customer.claim", Customer, RecordsInput, lambda s, ids, x: claiming.claim(s, ids, x.mode)),
    (
        "assignCustomers",
        "customer.assign",
        Customer,
        HandInput,
        lambda s, ids, x: assigning.assign(s, ids, number_of(User, x.user_id), x.mode, x.reason),
    ),
    (
        "releaseCustomers",
        "customer.release",
        Customer,
        ReleaseInput,
        lambda s, ids, x: releasing.release(
            s, ids, number_of(Pool, x.pool_id) if x.pool_id else None, x.reason, x.mode
        ),
    ),
    (
        "transferCustomers",
        "customer.transfer",
        Customer,
        HandInput,
        lambda s, ids, x: transferring.transfer(s, ids, number_of(User, x.user_id), x.reason, x.mode),
    ),
    (
        "lockCustomers",
        "customer.lock",
        Customer,
        LockInput,
        lambda s, ids, x: locking.lock(s, ids, x.reason, x.until, x.mode),
    ),
    (
        "unlockCustomers",
        "customer.unlock",
        Customer,
        RecordsInput,
        lambda s, ids, x: locking.unlock(s, ids, x.reason, x.mode),
    ),
    (
        "transferContacts",
        "contact.transfer",
        Contact,
        HandInput,
        lambda s, ids, x: contacts.transfer(s, ids, number_of(User, x.user_id), x.mode, x.reason),
    ),
]
"""(field, its right, whose records, its input, the use case)."""


def derive_mutations() -> dict[str, Any]:
    """Every mutation field by its Python name."""
    made: dict[str, Any] = {}
    for model in ENTITIES:
        _payloads(model)
        made |= _create_and_update(model)
        if not model.singleton:
            made |= _bin_mutations(model)
    for name, action, model, kind, call in BATCHES:
        made |= _batch(name, action, model, kind, call)
    return made


def _payloads(model: type[Entity]) -> None:
    name = name_of(model)
    one = {singular(model): f"Optional[{name}]", "problems": list[Problem]}
    derive.make(
        f"{name}Payload",
        _spelled(one),
        "The record, null when it is out of sight, and what was refused.",
        strawberry.type,
    )
    many = {"ids": list[strawberry.ID], plural(model): f"List[{name}]", "problems": list[Problem]}
    doc = "`ids`: every record done.  The list: those among them that you may still see."
    derive.make(f"{plural(model)[0].upper()}{plural(model)[1:]}Payload", _spelled(many), doc, strawberry.type)


def _spelled(annotations: dict[str, Any]) -> dict[str, Any]:
    return {derive.key_of(name): annotation for name, annotation in annotations.items()}


def _many_payload(model: type[Entity]) -> str:
    return f"{plural(model)[0].upper()}{plural(model)[1:]}Payload"


# --- create and update -----------------------------------------------------------------------------------


def _create_and_update(model: type[Entity]) -> dict[str, Any]:
    name = name_of(model)
    create, update = _input(model, creating=True), _input(model, creating=False)

    async def create_one(info: Info[Context, None], input: Any) -> Answered:
        given = given_of(model, input)

        def call(scope: Scope) -> Outcome:
            return single(create_update.create(scope, model, given))

        return await act(info.context, model, f"{model.module}.create", input.idempotency_key, given, call)

    async def update_one(info: Info[Context, None], input: Any) -> Answered:
        given, id = given_of(model, input), number_of(model, input.id)

        def call(scope: Scope) -> Outcome:
            return single(create_update.update(scope, model, id, given, input.version))

        arguments = {"id": id, "version": input.version, **given}
        return await act(
            info.context, model, f"{model.module}.edit", input.idempotency_key, arguments, call, subject=id
        )

    made: dict[str, Any] = {}
    if not model.singleton:
        made |= _mutation(f"create{name}", f"{model.module}.create", create, f"{name}Payload", create_one)
    return made | _mutation(f"update{name}", f"{model.module}.edit", update, f"{name}Payload", update_one)


def _input(model: type[Entity], *, creating: bool) -> str:
    """The input with every column that may be set, and what the entity's rules take beside them."""
    annotations: dict[str, Any] = {} if creating else {"id": strawberry.ID, "version": int}
    members: dict[str, Any] = {}
    for column in columns(model):
        trait = trait_of(column)
        if trait.system_managed or column.primary_key or (trait.immutable and not creating):
            continue
        annotations[column.key] = _input_type(model, column.key) | None
        members[column.key] = strawberry.UNSET
        if creating and _is_needed(column, trait):
            annotations[column.key] = _input_type(model, column.key)
            del members[column.key]
    for extra in sorted(rules_of(model).extra_inputs) if creating or model is not Customer else ():
        annotations[extra] = list[ContactPointInput] | None if extra == "points" else str | None
        members[extra] = strawberry.UNSET
    annotations["idempotency_key"], members["idempotency_key"] = str | None, None
    name = f"{'Create' if creating else 'Update'}{name_of(model)}Input"
    doc = f"A new {name_of(model)}." if creating else "What is given changes, everything else stays."
    derive.make(name, dict(sorted(annotations.items(), key=lambda x: x[0] in members)), doc, strawberry.input, members)
    return name


def _is_needed(column: Any, trait: Trait) -> bool:
    return not column.nullable and column.default is None and not trait.generated


def _input_type(model: type[Entity], key: str) -> Any:
    if any(isinstance(x, AnyId) and x.column.key == key for x in SHAPES[model].values()):
        return strawberry.ID
    return derive.python_type(column_of(model, key))


def given_of(model: type[Entity], input: Any) -> dict[str, Any]:
    """What the client gave, by column keys, ids as numbers.  What was left out is not in it."""
    given = {
        f.name: getattr(input, f.name) for f in fields(input) if f.name not in ("id", "version", "idempotency_key")
    }
    given = {key: value for key, value in given.items() if value is not strawberry.UNSET}
    by_key: dict[str, Any] = {x.column.key: x for x in SHAPES[model].values() if isinstance(x, Column | AnyId)}
    return {key: _plain(given, by_key.get(key), value) for key, value in given.items()}


def _plain(given: dict[str, Any], shape: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, AnyId):
        return number_of(shape.targets[given[shape.kind]], value)
    if isinstance(shape, Column) and shape.target is not None:
        return number_of(shape.target, value)
    if isinstance(value, list):
        return [{"kind": x.kind, "value": x.value} if isinstance(x, ContactPointInput) else x for x in value]
    return value


# --- batches ---------------------------------------------------------------------------------------------


def _bin_mutations(model: type[Entity]) -> dict[str, Any]:
    many = plural(model)[0].upper() + plural(model)[1:]
    delete: Batch = lambda s, ids, x: create_update.delete(s, model, ids, x.mode, x.reason)  # noqa: E731
    restore: Batch = lambda s, ids, x: create_update.restore(s, model, ids, x.mode, x.reason)  # noqa: E731
    purge: Batch = lambda s, ids, x: create_update.purge(s, model, ids, confirm=x.confirm, mode=x.mode, reason=x.reason)  # noqa: E731
    made = _batch(f"delete{many}", f"{model.module}.delete", model, RecordsInput, delete)
    made |= _batch(f"restore{many}", f"{model.module}.restore", model, RecordsInput, restore)
    return made | _batch(f"purge{many}", f"{model.module}.purge", model, PurgeInput, purge)


def _batch(name: str, action: str, model: type[Entity], kind: Any, call: Batch) -> dict[str, Any]:
    async def over_several(info: Info[Context, None], input: Any) -> Answered:
        ids = [number_of(model, text) for text in input.ids]
        arguments = {f.name: getattr(input, f.name) for f in fields(input) if f.name != "idempotency_key"}
        return await act(
            info.context, model, name, input.idempotency_key, arguments, partial(_called, call, ids, input)
        )

    return _mutation(name, action, kind, _many_payload(model), over_several)


def _called(call: Batch, ids: list[int], input: Any, scope: Scope) -> Outcome:
    return call(scope, ids, input)


def _mutation(name: str, action: str, kind: Any, payload: str, body: Callable[..., Any]) -> dict[str, Any]:
    declare(name, action)
    annotations = {"info": Info[Context, None], "input": kind, "return": payload}
    resolver = derive.function(derive.key_of(name), annotations, body)
    return {derive.key_of(name): strawberry.mutation(resolver=resolver, description=f"Asks for the right {action}.")}


PAYLOADS: dict[str, type[Base]] = {}
"""Payload type name -> whose records it holds; filled by `payload_types`."""


def payload_types() -> dict[str, type[Base]]:
    for model in ENTITIES:
        PAYLOADS[f"{name_of(model)}Payload"] = PAYLOADS[_many_payload(model)] = model
    return PAYLOADS
