"""A server with open streams stops at once: whoever waits for changes is let go."""

import httpx

from tests.support.live import Subscribers
from tests.support.site import Site
from tests.support.world import World

STREAM = {"accept": "text/event-stream"}
QUERY = {"query": "subscription { notificationAdded { unreadCount } }"}


def test_open_streams_do_not_keep_a_server_from_stopping(world: World) -> None:
    site, subscribers = Site(world), Subscribers(world)
    open_ended: list[httpx.AsyncClient] = []

    async def test() -> None:
        client = httpx.AsyncClient(base_url=site.address, timeout=30)
        open_ended.append(client)
        headers = STREAM | {"authorization": f"Bearer {subscribers.token('li')}"}
        request = client.build_request("POST", "/graphql", json=QUERY, headers=headers)
        await client.send(request, stream=True)

    site.run(test)  # whose end waits for every connection, and fails if one stays
    world.run(open_ended[0].aclose())

    assert len(site.hub.listeners) == 0
