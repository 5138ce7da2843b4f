"""The subscription `jobProgress`."""

from collections.abc import AsyncGenerator

import strawberry

from models import Job
from models.errors import NotFound
from models.names import OF_MODULE
from resolvers.live.listeners import ANY_COMMIT
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, subscription
from ..queries.jobs import JobType, read_job


@subscription("job.view")
async def job_progress(info: GraphQLInfo, id: strawberry.ID) -> AsyncGenerator[JobType, None]:
    """A job as it is now, and whenever it gets on; ends with the job."""
    number, subscriber = number_of(Job, id), info.context.subscriber
    job = await read_job(info.context.scope, number)
    if job is None:
        raise NotFound(what=OF_MODULE["job"])
    yield job
    if job.ended_at is not None:
        return
    async for _ in subscriber.batches(ANY_COMMIT):
        job = await read_job(info.context.scope, number)
        if job is None:
            raise NotFound(what=OF_MODULE["job"])
        yield job
        if job.ended_at is not None:
            return
