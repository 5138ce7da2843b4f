"""A race of fifty users for two hundred customers: one winner per customer, no user above quota or capacity.

    python bench/claims.py [--rounds 5] [--engine sqlite|postgresql|both]

PostgreSQL is served by three processes, SQLite by one.  Every user claims random customers, one by one and in batches,
until their quota is reached or no customer is left.  Prints JSON; exits 1 when a limit was violated.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from typing import Any

import httpx
from stage import database, servers, show, spread

from models import Customer, OwnerLoad, Pool, PoolMember, QuotaCounter, User, UserRole
from models.pool import GranteeKind
from resolvers.people import tokens as token_cases
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from resolvers.setup.invariants import broken
from tests.support.world import World

PEOPLE, CUSTOMERS, QUOTA, CAPACITY = 50, 200, 20, 12
CLAIM = """mutation ($ids: [ID!]!) { claimCustomers(input: {ids: $ids}) { ids problems { code } } }"""
EXPECTED = {"ALREADY_CLAIMED", "NOT_FOUND", "QUOTA_REACHED", "CAPACITY_REACHED"}


def prepare(url: str) -> tuple[World, list[str], int]:
    """(world, tokens of fifty sales users, id of a pool with a quota of twenty and a capacity of twelve)."""
    World.settle(url)
    world = World(url)
    system = world.system
    pool = system.do(create_update.create, Pool, {"name": "Race"}).id
    world.ids["race"] = pool
    seat = {"pool_id": pool, "grantee_kind": GranteeKind.ROLE, "grantee_id": world.ids["sales"]}
    system.do(create_update.create, PoolMember, seat)
    world.rule("race", daily_quota=QUOTA, capacity=CAPACITY)
    tokens = []
    for n in range(PEOPLE):
        id = system.do(create_update.create, User, {"login": f"racer{n}", "name": f"Racer {n}"}).id
        system.do(create_update.create, UserRole, {"user_id": id, "role_id": world.ids["sales"]})
        tokens.append(world.scope(f"racer{n}").do(token_cases.create_token, "race").token)
    return world, tokens, pool


async def race(addresses: list[str], tokens: list[str], ids: list[str]) -> tuple[list[float], Counter[str], int]:
    """(times of all requests in ms, codes of all problems, number of claims acknowledged) of one race."""
    times: list[float] = []
    codes: Counter[str] = Counter()
    won: list[str] = []

    async def run(client: httpx.AsyncClient, token: str) -> None:
        chance = random.Random(token)
        wanted = chance.sample(ids, len(ids))
        while wanted:
            some = [wanted.pop() for _ in range(min(len(wanted), chance.choice((1, 1, 1, 5))))]
            began = time.perf_counter()
            answer = await client.post(
                "/graphql",
                json={"query": CLAIM, "variables": {"ids": some}},
                headers={"authorization": f"Bearer {token}"},
            )
            times.append((time.perf_counter() - began) * 1000)
            body = answer.json()
            if answer.status_code != 200 or "errors" in body:
                codes[body["errors"][0]["extensions"]["code"]] += 1
                return
            payload = body["data"]["claimCustomers"]
            won.extend(payload["ids"])
            found = [problem["code"] for problem in payload["problems"]]
            codes.update(found)
            if "QUOTA_REACHED" in found or "CAPACITY_REACHED" in found:
                return

    clients = [httpx.AsyncClient(base_url=address, timeout=60) for address in addresses]
    try:
        await asyncio.gather(*(run(clients[n % len(clients)], token) for n, token in enumerate(tokens)))
    finally:
        for client in clients:
            await client.aclose()
    return times, codes, len(won)


def violations(world: World, ids: list[int], mark: int, codes: Counter[str], acknowledged: int) -> list[str]:
    """Everything that the race has violated, as sentences."""
    found = [f"{codes[code]} x {code}" for code in codes if code not in EXPECTED]
    rows = world.rows(Customer, Customer.__table__.c.id.in_(ids))
    owned = [row for row in rows if row["owner_id"]]
    claims = [e for e in world.log("customer", since=mark) if e["action"] == "customer.claim" and e["outcome"] == "OK"]
    per_record = Counter(entry["record_id"] for entry in claims)
    found += [f"customer {id} was won {n} times" for id, n in per_record.items() if n != 1]
    if not len(owned) == len(claims) == acknowledged:
        found.append(f"{len(owned)} owned, {len(claims)} logged, {acknowledged} acknowledged")
    held = Counter(row["owner_id"] for row in owned)
    found += [f"person {id} holds {n}" for id, n in held.items() if n > min(QUOTA, CAPACITY)]
    found += [f"quota used {row['used']}" for row in world.rows(QuotaCounter) if row["used"] > QUOTA]
    found += [f"load {row['held']}" for row in world.rows(OwnerLoad) if row["held"] > CAPACITY]
    with world.backend.writer.engine.connect() as connection:
        found += broken(connection)
    return found


def measure(engine: str, rounds: int) -> dict[str, Any]:
    processes = 3 if engine == "postgresql" else 1
    times: list[float] = []
    problems: Counter[str] = Counter()
    bad: list[str] = []
    claimed = 0
    with database(engine) as url:
        world, tokens, pool = prepare(url)
        try:
            with servers(url, processes) as addresses:
                for _ in range(rounds):
                    ids = [world.make(Customer, name=f"Prize {n}", pool_id=pool) for n in range(CUSTOMERS)]
                    mark = world.mark()
                    some, codes, won = asyncio.run(race(addresses, tokens, [global_id(Customer, id) for id in ids]))
                    times += some
                    problems += codes
                    claimed += won
                    bad += violations(world, ids, mark, codes, won)
                    _clear(world, ids)
        finally:
            world.close()
    return {
        "engine": engine,
        "processes": processes,
        "rounds": rounds,
        "people": PEOPLE,
        "customers": CUSTOMERS,
        "requests": len(times),
        "claimed": claimed,
        "problems": dict(problems),
        "violations": bad,
        "milliseconds": spread(times),
    }


def _clear(world: World, ids: list[int]) -> None:
    """Prepare the next round: delete the customers, start a new day, and clear the quota counters."""
    world.clock.pass_by(days=1)
    for n in range(0, len(ids), 100):
        world.system.do(create_update.delete, Customer, ids[n : n + 100])
    with world.backend.writer.engine.begin() as connection:
        connection.execute(QuotaCounter.__table__.delete())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    asked = parser.parse_args()
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    figures = [measure(engine, asked.rounds) for engine in engines]
    show(figures)
    return 1 if any(figure["violations"] for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
