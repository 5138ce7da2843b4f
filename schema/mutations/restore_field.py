"""The mutation `restoreField`: one field of a record gets back a value of its history."""

from datetime import datetime

import strawberry

from models import AuditEntry, Entity
from models.errors import NotFound, Refusal
from resolvers.records import restore_field as restoring
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once, single
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of
from ..roots import model_of
from ..types.make import python_name


@strawberry.input(
    description="Which field of which record, and from when: from before a log entry, or from a moment.  A field that"
    " changed since `version` is a conflict, as in an edit."
)
class RestoreFieldInput:
    id: strawberry.ID
    field: str
    entry_id: strawberry.ID | None = None
    """The log entry before which the field held the value; in place of `asOf`."""
    as_of: datetime | None = None
    """The moment at which the field held the value; in place of `entryId`."""
    version: int | None = None
    idempotency_key: str | None = None


@strawberry.type(description="The id of the record, null when nothing was done, and what was refused.")
class RestoreFieldPayload:
    record_id: strawberry.ID | None
    """The global id of the record; null where it was refused."""
    problems: list[Problem]


@mutation("system.node")
async def restore_field(info: GraphQLInfo, input: RestoreFieldInput) -> RestoreFieldPayload:
    """Give one field of a record the value that it had, by the rules of an edit of this kind."""
    scope, model = info.context.scope, model_of(str(input.id))
    try:
        if model is None or not issubclass(model, Entity):
            raise NotFound(record_id=str(input.id))
        outcome = await _restored(scope, model, input)
    except Refusal as refusal:
        return RestoreFieldPayload(record_id=None, problems=problems_of([refusal], scope.language))
    problems = problems_of(outcome.problems, scope.language)
    return RestoreFieldPayload(record_id=strawberry.ID(global_id(model, outcome.ids[0])), problems=problems)


async def _restored(scope: Scope, model: type[Entity], input: RestoreFieldInput) -> Outcome:
    id, key = number_of(model, str(input.id)), python_name(input.field)
    entry = number_of(AuditEntry, str(input.entry_id)) if input.entry_id is not None else None
    at, version = input.as_of, input.version

    def call(scope: Scope) -> Outcome:
        return single(restoring.restore_field(scope, model, id, key, entry_id=entry, at=at, version=version))

    arguments = {"id": id, "key": key, "entry": entry, "at": at, "version": version}
    outcome: Outcome = await scope.run(run_once, input.idempotency_key, f"{model.module}.edit", arguments, call, model)
    return outcome
