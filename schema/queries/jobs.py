"""The queries `jobs` and `job`: background work and how far it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import Job, User
from models.job import JobState
from resolvers.jobs import control
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, query
from ..nodes import node
from ..types.make import enum_of, record_of
from ..types.namespace import Node

JobStateType: Any = enum_of(JobState)


@strawberry.type(name="Job", description="Work that is done after the request, and how far it is.")
class JobType(Node):
    id: strawberry.ID
    kind: str
    """The kind of work, by its code."""
    name: str = strawberry.field(description="What the kind is called, in your language.")
    state: JobStateType
    """How far it is."""
    is_stopping: bool = strawberry.field(description="Whether it was asked to stop and is at its last chunk.")
    actor: Pointer | None = strawberry.field(
        graphql_type=record_of(User), description="Who started it; null for the clock."
    )
    done: int
    """Number of pieces of work that are done."""
    failed: int = strawberry.field(description="How many records were refused.")
    total: int | None = strawberry.field(description="How many records it is about, where that is known.")
    tries: int = strawberry.field(description="How often it failed since its last progress.")
    error_code: str | None
    """The code of what made it fail, as in `ProblemCode`; null otherwise."""
    error: str | None = strawberry.field(description="Why it failed, in your language.")
    due_at: datetime
    """When it is to begin, or to begin again."""
    created_at: datetime
    """When it was enqueued."""
    started_at: datetime | None
    """When a worker took it first; null before that."""
    ended_at: datetime | None
    """When it ended; null before that."""
    may_change: bool = strawberry.field(description="Whether you may cancel, resume and try it again.")


@query("job.view")
async def jobs(
    info: GraphQLInfo,
    states: list[JobStateType] | None = None,
    before: strawberry.ID | None = None,
    first: int = 50,
) -> list[JobType]:
    """Jobs, the newest first: everybody's for who may see them, else your own; `before` is an id."""
    scope = info.context.scope
    last = number_of(Job, before) if before is not None else None
    found = await scope.read(control.jobs, states=states or (), before=last, first=first)
    return [shown(scope, row) for row in found]


@query("job.view")
async def job(info: GraphQLInfo, id: strawberry.ID) -> JobType | None:
    """One job; null for one that is not there, or that you may not see."""
    return await read_job(info.context.scope, number_of(Job, id))


@node(Job)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, JobType]:
    found = await scope.read(control.jobs, ids=ids, first=len(ids))
    return {row.id: shown(scope, row) for row in found}


async def read_job(scope: Scope, id: int) -> JobType | None:
    row = await scope.read(control.job, id)
    return shown(scope, row) if row is not None else None


def shown(scope: Scope, row: Job) -> JobType:
    is_chinese, names = scope.language.startswith("zh"), control.name_of(row.kind)
    return JobType(
        id=strawberry.ID(global_id(Job, row.id)),
        kind=row.kind,
        name=names.zh if is_chinese else names.one,
        state=row.state,
        is_stopping=row.stopping,
        actor=Pointer(User, row.actor_id) if row.actor_id is not None else None,
        done=row.done,
        failed=row.failed,
        total=row.total,
        tries=row.tries,
        error_code=row.error_code,
        error=row.error_zh if is_chinese else row.error,
        due_at=row.due_at,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        may_change=control.may_change(scope, row),
    )
