"""Claims per second of one process over HTTP, with sign-in, policy, rules, counters, log, event and idempotency key.

    python bench/claim_rate.py [--engine sqlite|postgresql|both] [--writers 5 50] [--seconds 5] [--rounds 3]

Every writer is a user who claims the next customer of a full pool as soon as the last answer is there.  No writer loses
a race; all are under a daily quota, a weekly quota, a capacity and a cooldown.  Databases are durable.
Prints JSON: claims/s, p50 and p99 in milliseconds, CPU per claim of server and of database in microseconds.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from load import Taken
from sqlalchemy import Connection, insert, select
from stage import database, servers, show, spread
from usage import Process, postgresql

from models import Customer, IdempotencyKey, OwnershipPeriod, Pool, PoolMember, User, UserRole
from models.keys import keys_of, with_keys
from models.ownership import Began, Ended
from models.pool import GranteeKind
from resolvers.audit.verification import verify
from resolvers.people import tokens as token_cases
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from resolvers.setup.indexes import rebuild_indexes
from resolvers.setup.invariants import broken
from tests.support.world import World

PEOPLE, CUSTOMERS, NO_LIMIT = 50, 30_000, 1_000_000
CLAIM = """mutation ($input: RecordsInput!) { claimCustomers(input: $input) {
    ids customers { id number name owner { name } } problems { code message recordId } } }"""


@dataclass
class Round:
    """One round of claims: how many, their times, and the CPU seconds of server and database."""

    claims: int
    taken: Taken
    cpu: float
    database_cpu: float


def prepare(url: str) -> tuple[World, list[str]]:
    """(world, tokens of fifty sales users who are members of a pool with every kind of claim rule)."""
    World.settle(url)
    world = World(url)
    system = world.system
    pool = system.do(create_update.create, Pool, {"name": "Rate"}).id
    seat = {"pool_id": pool, "grantee_kind": GranteeKind.ROLE, "grantee_id": world.ids["sales"]}
    system.do(create_update.create, PoolMember, seat)
    world.ids["rate"] = pool
    world.rule("rate", daily_quota=NO_LIMIT, weekly_quota=NO_LIMIT, capacity=NO_LIMIT, cooldown_days=7)
    tokens = []
    for n in range(PEOPLE):
        who = {"login": f"writer{n}", "name": f"Writer {n}", "department_id": world.ids["east"]}
        id = system.do(create_update.create, User, who).id
        system.do(create_update.create, UserRole, {"user_id": id, "role_id": world.ids["sales"]})
        tokens.append(world.scope(f"writer{n}").do(token_cases.create_token, "rate").token)
    return world, tokens


def fill(world: World) -> list[int]:
    """The ids of CUSTOMERS new customers in the pool, inserted by plain SQL without log entries."""
    first, table = world.customer("The first", pool="rate"), Customer.__table__
    with world.backend.writer.engine.begin() as connection:
        row = dict(connection.execute(select(table).where(table.c.id == first)).mappings().one())
        for key, *_ in keys_of(Customer):
            del row[key]
        year = row["number"][:5]
        named = ({"id": first + n, "number": f"{year}X{n}", "name": f"Prize {n}"} for n in range(1, CUSTOMERS))
        copies = [with_keys(Customer, row | each) for each in named]
        connection.execute(insert(table), copies)
        rebuild_indexes(connection)
        _add_past(connection, world, first)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT setval('customer_id_seq', {first + CUSTOMERS})")
        connection.exec_driver_sql("ANALYZE")
    return list(range(first + 1, first + CUSTOMERS))


def _add_past(connection: Connection, world: World, first: int) -> None:
    """Insert former ownership periods and idempotency keys, because PostgreSQL caches plans for empty tables."""
    now, owner = world.clock(), world.ids["ada"]
    began, ended = now - timedelta(days=90), now - timedelta(days=60)
    was = {"owner_id": owner, "began": Began.CREATE, "started_at": began, "ended": Ended.RELEASE, "ended_at": ended}
    connection.execute(insert(OwnershipPeriod), [was | {"customer_id": first + n} for n in range(1, CUSTOMERS)])
    key = {"action": "claimCustomers", "fingerprint": "f" * 64, "answer": {"ids": [], "problems": []}, "at": now}
    people = [world.ids["ada"], world.ids["li"], world.ids["wu"]]
    keys = [key | {"user_id": people[n % 3], "key": f"past {n}"} for n in range(CUSTOMERS)]
    connection.execute(insert(IdempotencyKey), keys)


async def claim(address: str, tokens: list[str], ids: Iterator[int], seconds: float, into: Taken) -> int:
    """The number of customers won, after every user has claimed for `seconds`; times go to `into`."""
    at, end, won = urlsplit(address), time.perf_counter() + seconds, 0

    async def one(token: str) -> None:
        nonlocal won
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        while (began := time.perf_counter()) < end:
            id = next(ids)
            writer.write(_request(at.netloc, token, id))
            answer = await _answer(reader)
            into.milliseconds.append((time.perf_counter() - began) * 1000)
            assert f'"ids":["{global_id(Customer, id)}"]'.encode() in answer, answer
            won += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(token) for token in tokens))
    into.seconds += time.perf_counter() - began
    return won


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


def _request(host: str, token: str, id: int) -> bytes:
    given = {"ids": [global_id(Customer, id)], "idempotencyKey": f"rate-{id}"}
    body = json.dumps({"query": CLAIM, "variables": {"input": given}}).encode()
    head = [f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}"]
    head += [f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"]
    return "\r\n".join(head).encode() + body


def measure(engine: str, crowds: list[int], seconds: float, rounds: int) -> list[dict[str, Any]]:
    with database(engine) as url:
        world, tokens = prepare(url)
        try:
            supply = iter(fill(world))
            with servers(url, 1) as (address,):
                server, beside = Process(address.pid), postgresql(url)
                asyncio.run(claim(address, tokens, supply, 1, Taken()))  # a warm-up
                found: dict[int, list[Round]] = {crowd: [] for crowd in crowds}
                for _, crowd in itertools.product(range(rounds), crowds):
                    taken, before, around = Taken(), server.cpu(), beside.cpu() if beside else 0
                    claims = asyncio.run(claim(address, tokens[:crowd], supply, seconds, taken))
                    database_cpu = beside.cpu() - around if beside else 0
                    found[crowd].append(Round(claims, taken, server.cpu() - before, database_cpu))
            bad = violations(world)
        finally:
            world.close()
    return [_summary(engine, crowd, found[crowd], bad) for crowd in crowds]


def violations(world: World) -> list[str]:
    """Broken invariants and problems of the log."""
    with world.backend.writer.engine.connect() as connection:
        return broken(connection) + verify(connection).problems


def _summary(engine: str, crowd: int, rounds: list[Round], bad: list[str]) -> dict[str, Any]:
    claims = sum(one.claims for one in rounds)
    return {
        "engine": engine,
        "writers": crowd,
        "claims": claims,
        "per_second": [round(one.claims / one.taken.seconds) for one in rounds],
        "milliseconds": spread([x for one in rounds for x in one.taken.milliseconds]),
        "server_cpu_us": round(sum(one.cpu for one in rounds) / claims * 1e6),
        "database_cpu_us": round(sum(one.database_cpu for one in rounds) / claims * 1e6)
        if engine == "postgresql"
        else None,
        "violations": bad,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--writers", type=int, nargs="+", default=[5, 50])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    figures = [each for engine in engines for each in measure(engine, asked.writers, asked.seconds, asked.rounds)]
    show(figures)
    return 1 if any(figure["violations"] for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
