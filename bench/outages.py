"""What becomes of a serving process while the network to PostgreSQL fails, and while processes are killed.

    nice -n 19 python bench/outages.py [--seconds 1] [--kills 3]

Clients create customers with idempotency keys and repeat what was not answered; another one asks for a list.  Each fault
of the proxy lasts so many seconds.  Then the server is killed (SIGKILL) and started again, on both databases.  Prints JSON:
for each fault the seconds until writes and reads are answered again, the answers meanwhile, what /readyz said; and at the
end the customers that were promised and are missing, or are there twice.  Both have to be 0.
"""

import argparse
import asyncio
import os
import signal
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

import httpx
from reads import sign_in
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from stage import Served, database, servers, show

from millpond import demo

from tests.support.fault_proxy import FAULTS, FaultProxy, fault_proxy  # isort: skip

CREATE = "mutation ($i: CreateCustomerInput!) { createCustomer(input: $i) { customer { id } problems { code } } }"
LIST = "{ customers(first: 5) { nodes { id } } }"
WRITERS, PATIENCE_SECONDS, HEAL_SECONDS = 4, 20, 60
PERSON = "ada"


class Clients:
    """Those who write and read, and what they were promised."""

    def __init__(self, served: Served, token: str) -> None:
        self.served, self.head = served, {"authorization": f"Bearer {token}"}
        self.promised: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.wrote = self.read = 0.0
        self.running = True

    async def ask(self, client: httpx.AsyncClient, query: str, variables: dict[str, Any]) -> bool:
        try:
            answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=self.head)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as failure:
            self.seen[type(failure).__name__] += 1
            return False
        payload = next(iter((body.get("data") or {}).values()), None) or {}
        is_done = "errors" not in body and not payload.get("problems")
        self.seen["done" if is_done else str(answer.status_code)] += 1
        return is_done

    async def write(self, number: int) -> None:
        done = 0
        async with httpx.AsyncClient(base_url=self.served, timeout=PATIENCE_SECONDS) as client:
            while self.running:
                name = f"Promised {os.getpid()} {self.served} {number} {done}"[:120]
                contact = {"contactName": "Zoe", "contactPhone": f"139{number}{done:07}{os.getpid() % 1000:03}"}
                if await self.ask(client, CREATE, {"i": {"name": name, "idempotencyKey": name, **contact}}):
                    self.promised.add(name)
                    self.wrote, done = time.monotonic(), done + 1
                await asyncio.sleep(0.05)

    async def list(self) -> None:
        async with httpx.AsyncClient(base_url=self.served, timeout=PATIENCE_SECONDS) as client:
            while self.running:
                if await self.ask(client, LIST, {}):
                    self.read = time.monotonic()
                await asyncio.sleep(0.05)

    async def until_healed(self) -> float:
        """Seconds until a write and a read have been answered since now."""
        began = time.monotonic()
        for _ in range(HEAL_SECONDS * 20):
            if min(self.wrote, self.read) >= began:
                break
            await asyncio.sleep(0.05)
        return round(time.monotonic() - began, 2)


async def faults(clients: Clients, proxy: FaultProxy, seconds: float) -> dict[str, Any]:
    running = asyncio.gather(*(clients.write(n) for n in range(WRITERS)), clients.list())
    found: dict[str, Any] = {}
    async with httpx.AsyncClient(base_url=clients.served, timeout=10) as probe:
        await clients.until_healed()
        for fault in FAULTS:
            clients.seen.clear()
            proxy.set(fault)
            await asyncio.sleep(seconds)
            ready = (await probe.get("/readyz")).json()
            proxy.set("none")
            healed = await clients.until_healed()
            found[fault] = {"healed after s": healed, "answers": dict(clients.seen), "/readyz": ready}
    clients.running = False
    await running
    return found


async def killed(clients: Clients, after: float) -> None:
    running = asyncio.gather(*(clients.write(n) for n in range(WRITERS)))
    await asyncio.sleep(after)
    os.kill(clients.served.pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    clients.running = False
    await running


def books(url: str, promised: set[str]) -> dict[str, int]:
    at = make_url(url)
    engine = create_engine(at.set(drivername="sqlite" if at.get_backend_name() == "sqlite" else "postgresql+psycopg"))
    with engine.connect() as connection:
        there = Counter(connection.execute(text("SELECT name FROM customer WHERE name LIKE 'Promised %'")).scalars())
    engine.dispose()
    missing, twice = len(promised - there.keys()), sum(count > 1 for count in there.values())
    return {"promised": len(promised), "missing": missing, "twice": twice}


def clients_of(served: Served) -> Clients:
    with httpx.Client(base_url=served, timeout=30) as client:
        return Clients(served, sign_in(client, PERSON))


def kills(url: str, times: int) -> dict[str, int]:
    promised: set[str] = set()
    for n in range(times):
        with servers(url, 1) as (served,):
            clients = clients_of(served)
            asyncio.run(killed(clients, 2 + n / 3))
            promised |= clients.promised
    return books(url, promised)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for engine in ("postgresql", "sqlite"):
        with ExitStack() as stack:
            url = stack.enter_context(database(engine))
            demo.prepare(url, 300, lambda _: None)
            if engine == "postgresql":
                proxy = stack.enter_context(fault_proxy(url))
                with servers(proxy.url, 1) as (served,):
                    clients = clients_of(served)
                    figures["network"] = asyncio.run(faults(clients, proxy, given.seconds))
                    figures["books after the network"] = books(url, clients.promised)
            figures[f"kills on {engine}"] = kills(url, given.kills)
    show(figures)


if __name__ == "__main__":
    main()
