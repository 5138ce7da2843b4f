"""The subscription `notificationAdded`."""

from collections.abc import AsyncGenerator

import strawberry

from resolvers.notices import inbox

from ..contract import GraphQLInfo, subscription
from ..queries.notifications import Notification, shown


@strawberry.type(description="What you were told since you were told last, and how much of all you have not read.")
class NotificationsAdded:
    notifications: list[Notification]
    """The new notifications, the newest first."""
    unread_count: int = strawberry.field(description="Counted up to 101.")


@subscription("user.preferences")
async def notification_added(info: GraphQLInfo) -> AsyncGenerator[NotificationsAdded, None]:
    """New notifications; also, without any, that some were marked as read elsewhere."""
    last = await info.context.scope.read(inbox.newest)
    async for _ in info.context.subscriber.batches(f"user:{info.context.scope.me}"):
        scope = info.context.scope
        told = await scope.read(inbox.notices_after, last)
        last = max([last, *(each.id for each in told)])
        count = await scope.read(inbox.unread_count)
        yield NotificationsAdded(notifications=[shown(each) for each in told], unread_count=count)
