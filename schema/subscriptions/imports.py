"""The subscription `importProgress`."""

from collections.abc import AsyncGenerator

from resolvers.live.listeners import ANY_COMMIT

from ..contract import GraphQLInfo, subscription
from ..queries.imports import OfImport, read_progress
from ..types.imports import ImportProgressType


@subscription("user.imports")
async def import_progress(info: GraphQLInfo, import_: OfImport) -> AsyncGenerator[ImportProgressType, None]:
    """How far an import is, as it is now and whenever it gets on; ends when the import rests."""
    progress = await read_progress(info.context.scope, import_)
    yield progress
    if progress.is_resting:
        return
    async for _ in info.context.subscriber.batches(ANY_COMMIT):
        progress = await read_progress(info.context.scope, import_)
        yield progress
        if progress.is_resting:
            return
