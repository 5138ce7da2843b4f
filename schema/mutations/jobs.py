"""Jobs: cancel, resume, try again."""

from collections.abc import Callable

import strawberry

from models import Job
from models.errors import Refusal
from resolvers.jobs import control
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of
from ..queries.jobs import JobType, read_job


@strawberry.input(description="One job.")
class JobInput:
    id: strawberry.ID


@strawberry.type(description="The job as it is now, and what was refused.")
class JobPayload:
    job: JobType | None = None
    """The job as it stands; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("job.edit")
async def cancel_job(info: GraphQLInfo, input: JobInput) -> JobPayload:
    """End a job that waits, and have one that runs end before its next chunk.  What was done stays done."""
    return await _changed(info.context.scope, control.cancel, input)


@mutation("job.edit")
async def resume_job(info: GraphQLInfo, input: JobInput) -> JobPayload:
    """Let a job that was cancelled go on where it stopped."""
    return await _changed(info.context.scope, control.resume, input)


@mutation("job.edit")
async def retry_job(info: GraphQLInfo, input: JobInput) -> JobPayload:
    """Try a job that failed again, from where it failed."""
    return await _changed(info.context.scope, control.retry, input)


async def _changed(scope: Scope, use_case: Callable[[Scope, int], None], input: JobInput) -> JobPayload:
    id, problems = number_of(Job, input.id), []
    try:
        await scope.run(use_case, id)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return JobPayload(job=await read_job(scope, id), problems=problems)
