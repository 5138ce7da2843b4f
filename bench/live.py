"""How soon subscribers hear of a commit, and what ten thousand connections leave in memory.

    python bench/live.py [--engine sqlite|postgresql|both] [--subscribers 200] [--events 20] [--connects 10000]

Every subscriber is a user of their own, with a WebSocket and `poolChanged`.  A user claims a customer of the pool once a
second; the time of a delivery runs from the answer of that claim, which is given after the commit, to its arrival.
Prints JSON: p50, p99 and the longest in milliseconds, deliveries that are missing, idle CPU of the server with all
sockets open, and its memory in MiB before and after the connects.
"""

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
from stage import database, servers, show
from usage import Process
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from models import Pool, PoolMember, User, UserRole
from models.pool import GranteeKind
from resolvers.people import tokens as token_cases
from resolvers.records import create_update
from tests.support.world import World

QUERY = """subscription ($id: ID!) { poolChanged(poolId: $id) {
    changes { customerId left customer { id number name owner { name } } } } }"""
CLAIM = "mutation ($ids: [ID!]!) { claimCustomers(input: {ids: $ids}) { ids problems { message } } }"
WS, TOGETHER, IDLE_SECONDS = Subprotocol("graphql-transport-ws"), 50, 5.0
HEADERS = {"type": "connection_init"}


def prepare(url: str, people: int, customers: int) -> tuple[World, int, list[str], list[int]]:
    """(world, pool, tokens of its members, customers in it)."""
    World.settle(url)
    world = World(url)
    pool = world.system.do(create_update.create, Pool, {"name": "Live"}).id
    world.ids["live"] = pool
    seat = {"pool_id": pool, "grantee_kind": GranteeKind.ROLE, "grantee_id": world.ids["sales"]}
    world.system.do(create_update.create, PoolMember, seat)
    tokens = []
    for n in range(people):
        who = {"login": f"reader{n}", "name": f"Reader {n}", "department_id": world.ids["east"]}
        id = world.system.do(create_update.create, User, who).id
        world.system.do(create_update.create, UserRole, {"user_id": id, "role_id": world.ids["sales"]})
        tokens.append(world.scope(f"reader{n}").do(token_cases.create_token, "live").token)
    return world, pool, tokens, [world.customer(f"Prize {n}", pool="live") for n in range(customers)]


async def opened(address: str, token: str, pool: int) -> ClientConnection:
    """A connection whose subscription is sent."""
    socket = await connect(address.replace("http", "ws") + "/graphql", subprotocols=[WS], proxy=None)
    await socket.send(json.dumps({**HEADERS, "payload": {"authorization": f"Bearer {token}"}}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    payload = {"query": QUERY, "variables": {"id": f"poo_{pool}"}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    return socket


async def deliveries(
    address: str, pool: int, tokens: list[str], claimant: str, ids: list[int], server: Process
) -> dict[str, Any]:
    """The times from the answers of claims to the arrival at every subscriber."""
    arrived: dict[str, list[float]] = {}

    async def hear(socket: ClientConnection) -> None:
        async for message in socket:
            now = time.perf_counter()
            for change in json.loads(message)["payload"]["data"]["poolChanged"]["changes"]:
                arrived.setdefault(change["customerId"], []).append(now)

    answered: dict[str, float] = {}
    async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=address, timeout=30) as client:
        sockets = [await opened(address, token, pool) for token in tokens]
        for socket in sockets:
            stack.push_async_callback(socket.close)
        hearing = [asyncio.ensure_future(hear(socket)) for socket in sockets]
        await asyncio.sleep(2)
        before = server.cpu()
        await asyncio.sleep(IDLE_SECONDS)
        idle = (server.cpu() - before) / IDLE_SECONDS
        for n, id in enumerate(ids):
            body = {"query": CLAIM, "variables": {"ids": [f"cus_{id}"]}}
            answer = await client.post("/graphql", json=body, headers={"authorization": f"Bearer {claimant}"})
            assert answer.json()["data"]["claimCustomers"]["ids"], answer.text
            if n >= 3:  # the first ones compile plans
                answered[f"cus_{id}"] = time.perf_counter()
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        for task in hearing:
            task.cancel()
    times = sorted(1000 * max(0.0, at - answered[id]) for id in answered for at in arrived.get(id, []))
    return {
        "p50_ms": round(times[len(times) // 2]),
        "p99_ms": round(times[int(len(times) * 0.99)]),
        "max_ms": round(times[-1]),
        "deliveries": len(times),
        "missing": len(answered) * len(tokens) - len(times),
        "idle_cpu_percent": round(100 * idle, 1),
    }


async def connects(address: str, pool: int, tokens: list[str], count: int) -> None:
    """Open, subscribe and close, TOGETHER at a time."""

    async def one(n: int) -> None:
        await (await opened(address, tokens[n % len(tokens)], pool)).close()

    for first in range(0, count, TOGETHER):
        await asyncio.gather(*(one(n) for n in range(first, min(count, first + TOGETHER))))


def measure(engine: str, subscribers: int, events: int, count: int) -> dict[str, Any]:
    with database(engine) as url:
        world, pool, tokens, ids = prepare(url, subscribers, events + 3)
        claimant = world.scope("li").do(token_cases.create_token, "claims").token
        world.close()
        with servers(url, 1) as (address,):
            server = Process(address.pid)
            found = asyncio.run(deliveries(address, pool, tokens, claimant, ids, server))
            asyncio.run(connects(address, pool, tokens, min(count, 500)))
            time.sleep(1)
            before = server.memory()
            began = time.perf_counter()
            asyncio.run(connects(address, pool, tokens, count))
            seconds = time.perf_counter() - began
            time.sleep(3)
            memory = {"before_mib": before, "after_mib": server.memory(), "connects": count, "seconds": round(seconds)}
    return {"engine": engine, "subscribers": subscribers, **found, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--connects", type=int, default=10_000)
    given = parser.parse_args()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    for engine in engines:
        show(measure(engine, given.subscribers, given.events, given.connects))


if __name__ == "__main__":
    main()
