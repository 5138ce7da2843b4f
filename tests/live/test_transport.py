"""Subscriptions over a real socket: graphql-transport-ws, server-sent events, and the stream of the panel's pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from resolvers.customers.lock import lock
from resolvers.live import listeners
from resolvers.people.sign_in import sign_out
from resolvers.pool.claim import claim
from tests.live.test_subscriptions import POOL, TOLD
from tests.support.live import SOON, Subscribers
from tests.support.site import Site
from tests.support.world import World

WS = Subprotocol("graphql-transport-ws")


@asynccontextmanager
async def socket(site: Site, token: str | None, **headers: str) -> AsyncIterator[ClientConnection]:
    """A connection that has said who it is."""
    address = f"ws://127.0.0.1:{site.port}/graphql"
    async with connect(address, subprotocols=[WS], additional_headers=headers, proxy=None) as opened:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
        yield opened


async def received(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await asyncio.wait_for(opened.recv(), SOON))
    return found


async def subscribe(site: Site, opened: ClientConnection, query: str, **variables: Any) -> None:
    assert await received(opened) == {"type": "connection_ack"}
    payload = {"query": query, "variables": variables}
    before = len(site.hub.listeners)
    await opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    while len(site.hub.listeners) == before:  # noqa: ASYNC110  the server says nothing when it listens
        await asyncio.sleep(0.01)


async def closed(opened: ClientConnection) -> int:
    """The code with which the server closes the connection."""
    with suppress(ConnectionClosed):
        while True:
            await received(opened)
    assert opened.close_code is not None
    return opened.close_code


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """(name, data) of each event of a stream."""
    name = ""
    async for line in lines:
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data" or line == "data:":
            yield name, value


def test_a_pool_over_a_websocket_until_the_session_ends(world: World) -> None:
    site, subscribers = Site(world), Subscribers(world)
    first, second = (world.customer(name, pool="north") for name in ("Acme", "Bolt"))

    async def test() -> None:
        token = subscribers.token("li")
        async with socket(site, token) as li:
            await subscribe(site, li, POOL, id=f"poo_{world.ids['north']}")
            await subscribers.do("wu", claim, [first])
            told = await received(li)
            change = {"customerId": f"cus_{first}", "left": True, "customer": None}
            assert told == {"id": "1", "type": "next", "payload": {"data": {"poolChanged": {"changes": [change]}}}}
            await subscribers.do("li", sign_out, token)
            await subscribers.do("wu", claim, [second])
            assert (await received(li))["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await closed(li) == 4403
        while len(site.hub.listeners):  # noqa: ASYNC110  it is let go of a moment later
            await asyncio.sleep(0.01)

    site.run(test)


def test_who_may_open_a_websocket(world: World) -> None:
    site, subscribers = Site(world), Subscribers(world)

    async def test() -> None:
        token = subscribers.token("li")
        async with socket(site, "wrong") as stranger:
            assert await closed(stranger) == 4403
            assert stranger.close_reason == "UNAUTHENTICATED"
        async with socket(site, None) as nobody:
            assert await closed(nobody) == 4403
        async with socket(site, None, Cookie=f"millpond={token}", Origin=site.address) as ours:
            assert await received(ours) == {"type": "connection_ack"}
            await ours.send("no json")
            assert await closed(ours) == 4400
        with pytest.raises(Exception, match="403"):
            async with socket(site, None, Cookie=f"millpond={token}", Origin="https://evil.example"):
                pass
        with pytest.raises(Exception, match="403"):
            async with connect(f"ws://127.0.0.1:{site.port}/graphql", proxy=None):
                pass

    site.run(test)


def test_a_plain_query_and_a_bad_one_over_the_websocket(world: World) -> None:
    site, subscribers = Site(world), Subscribers(world)

    async def test() -> None:
        async with socket(site, subscribers.token("li")) as li:
            assert await received(li) == {"type": "connection_ack"}
            for query in ("{ me { user { name } } }", "{ no }"):
                await li.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
                told = await received(li)
                if query == "{ no }":
                    assert told["type"] == "error"
                else:
                    assert told["payload"] == {"data": {"me": {"user": {"name": "Li Na"}}}}
                    assert (await received(li))["type"] == "complete"

    site.run(test)


def test_notifications_as_server_sent_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site, subscribers, customer = Site(world), Subscribers(world), world.customer("Acme")

    async def test() -> None:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {subscribers.token('li')}"}
        async with httpx.AsyncClient(base_url=site.address, timeout=SOON) as client:
            async with client.stream("POST", "/graphql", json={"query": TOLD}, headers=headers) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                await asyncio.sleep(0.1)
                await subscribers.do("ada", lock, [customer])
                name, data = await anext(events(stream.aiter_lines()))
                told = json.loads(data)["data"]["notificationAdded"]["notifications"]
                assert (name, told) == ("next", [{"title": "Acme was locked"}])
            plain = await client.post(
                "/graphql", json={"query": TOLD}, headers=headers | {"accept": "application/json"}
            )
            assert "text/event-stream" in plain.json()["errors"][0]["message"]
            either = headers | {"accept": "application/graphql-response+json, application/json, text/event-stream"}
            query = await client.post("/graphql", json={"query": "{ me { user { name } } }"}, headers=either)
            assert query.json() == {"data": {"me": {"user": {"name": "Li Na"}}}}  # not a stream of one event
            mutation = {
                "query": f'mutation {{ deleteCustomers(input: {{ids: ["cus_{customer}"]}}) {{ problems {{ code }} }} }}'
            }
            by_get = await client.get("/graphql", params=mutation, headers=headers)
            assert "METHOD_NOT_ALLOWED" in by_get.text
            assert "deleteCustomers" not in by_get.text
            for wrong in ({"authorization": "Bearer wrong"}, {"authorization": ""}):
                stranger = await client.post("/graphql", json={"query": TOLD}, headers=headers | wrong)
                assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, "Bearer")
                assert stranger.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            monkeypatch.setattr(listeners, "MOST_LISTENERS", 0)
            refused = await client.post("/graphql", json={"query": TOLD}, headers=headers)
            assert "TOO_MANY_LISTENERS" in refused.text
            assert refused.text.endswith("event: complete\ndata: \n\n")

    site.run(test)


def test_an_open_page_is_told_of_its_bell_and_of_rows_that_left(world: World) -> None:
    site, subscribers = Site(world), Subscribers(world)
    first, second, third = (world.customer(name, pool="north") for name in ("Acme", "Bolt", "Ceres"))
    own = world.customer("Own", owner="li")

    async def test() -> None:
        await subscribers.do("wu", claim, [first])  # between the page and its stream
        token = subscribers.token("li")
        shown = f"cus_{first} cus_{second} cus_{third}"
        async with httpx.AsyncClient(base_url=site.address, timeout=SOON, cookies={"millpond": token}) as client:
            headers = {"accept": "text/event-stream"}
            address = "/admin/live"
            async with client.stream("GET", address, params={"of": "pool", "shown": shown}, headers=headers) as stream:
                told = events(stream.aiter_lines())
                assert await anext(told) == ("bell", "")
                assert await anext(told) == ("left", f"cus_{first}")
                await subscribers.do("wu", claim, [second])
                while (left := await anext(told)) == ("left", f"cus_{first}"):
                    pass  # the stream may hear of it once more, also together with the next one
                assert left in (("left", f"cus_{second}"), ("left", f"cus_{first} cus_{second}"))
                await subscribers.do("ada", lock, [own])
                assert await anext(told) == ("bell", "1")
                await subscribers.do("li", sign_out, token)
                await subscribers.do("wu", claim, [third])
                with pytest.raises(StopAsyncIteration):
                    await anext(told)
            assert (await client.get("/admin/live", headers=headers)).status_code == 303

    site.run(test)
