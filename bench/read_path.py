"""What the read path gives under load: one process, sixteen connections, sign-in, policy and guards on.

    make demo DEMO_CUSTOMERS=100000      (or any other database of the demo, on either engine)
    python bench/read_path.py [--database sqlite:///var/demo.db] [--seconds 4] [--rounds 3]

Workloads: `list` (50 customers of a stage and an owner, newest first, 10 fields), `nested` (the same with the owner's name
and three contacts each), `record` (a customer with ten contacts and twenty follow-ups), all by variables, as a front
end asks.  Every answer to a list is compared with ids taken straight from the database before.  Rounds are
interleaved; prints JSON: requests/s, p50 and p99 in milliseconds, CPU per request of server and database in
microseconds, memory of the server in MiB.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from reads import sign_in
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from stage import servers, show

CONNECTIONS = 16
FIELDS = "id number name stage industry level ownerId phone locked createdAt"
LIST = f"query ($o: ID, $s: String) {{ customers(first: 50, filter: {{ownerId: {{eq: $o}}, stage: {{eq: $s}}}}) {{ nodes {{ {FIELDS} %s }} }} }}"
QUERIES = {
    "list": LIST % "",
    "nested": LIST % "owner { name } contacts(first: 3) { nodes { id name title } }",
    "record": f"query ($id: ID) {{ customer(id: $id) {{ {FIELDS} contacts(first: 10) {{ nodes {{ id name title }} }} followUps(first: 20) {{ nodes {{ id kind content happenedAt }} }} }} }}",
}
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Round:
    """What one workload did in one round."""

    requests: int = 0
    seconds: float = 0
    milliseconds: list[float] = field(default_factory=list)
    cpu: float = 0


class Known:
    """What the database itself says: sets of variables, and the ids that a list must have."""

    def __init__(self, url: str) -> None:
        at = make_url(url)
        driver = "sqlite" if at.get_backend_name() == "sqlite" else "postgresql+psycopg"
        self._engine = create_engine(at.set(drivername=driver))
        with self._engine.connect() as connection:
            pairs = "SELECT owner_id, stage, count(*) FROM customer WHERE owner_id IS NOT NULL AND deleted_at IS NULL AND locked_by_id IS NULL GROUP BY owner_id, stage HAVING count(*) >= 50"
            found = connection.execute(text(pairs)).all()
            self.lists = [{"o": f"usr_{owner}", "s": stage} for owner, stage, _ in found]
            self.ids = {(x["o"], x["s"]): self._ids(connection, x["o"], x["s"]) for x in self.lists}
            some = connection.execute(text("SELECT id FROM customer WHERE deleted_at IS NULL AND locked_by_id IS NULL"))
            self.records = [{"id": f"cus_{id}"} for id in random.Random(7).sample([row.id for row in some], 2_000)]

    def _ids(self, connection: Any, owner: str, stage: str) -> list[str]:
        statement = "SELECT id FROM customer WHERE owner_id = :o AND stage = :s AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 400"
        rows = connection.execute(text(statement), {"o": int(owner.removeprefix("usr_")), "s": stage})
        return [f"cus_{row.id}" for row in rows]

    def variables(self, name: str) -> list[dict[str, Any]]:
        return self.records if name == "record" else self.lists

    def check(self, name: str, given: dict[str, Any], data: Any) -> None:
        """What is locked may be left out, nothing else, and nothing may be added."""
        if name == "record":
            assert data["customer"]["id"] == given["id"], data
            return
        expected, found = self.ids[given["o"], given["s"]], [node["id"] for node in data["customers"]["nodes"]]
        assert len(found) == 50
        places = [expected.index(id) for id in found]
        assert places == sorted(places), (name, given)


def posted(host: str, token: str, query: str, variables: dict[str, Any]) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return await reader.readexactly(length)


async def loaded(address: str, requests: Sequence[bytes], seconds: float, into: Round) -> None:
    """Keep every connection busy for so long."""
    at = urlsplit(address)
    end = time.perf_counter() + seconds

    async def one(lot: random.Random) -> None:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        while (began := time.perf_counter()) < end:
            answer = await asked(reader, writer, lot.choice(requests))
            assert b'"errors"' not in answer, answer[:300]
            into.milliseconds.append((time.perf_counter() - began) * 1000)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(random.Random(n)) for n in range(CONNECTIONS)))
    into.seconds += time.perf_counter() - began


def cpu_of(pids: Sequence[int]) -> float:
    """CPU seconds of processes so far."""
    total = 0.0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(parts[11]) + int(parts[12])) / _TICK
    return total


def processes(server: int) -> Iterator[int]:
    """The server and every process of PostgreSQL."""
    yield server
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text().strip() == "postgres":
                yield int(entry.name)
        except OSError:
            continue


def memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(x.split()[1]) for x in lines if x.startswith("VmRSS")) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--login", default="ada")
    given = parser.parse_args()
    known, taken = Known(given.database), {name: Round() for name in QUERIES}
    with servers(given.database, 1) as (address,):
        pid, host = address.pid, urlsplit(address).netloc
        idle = memory(pid)
        with httpx.Client(base_url=address, timeout=30) as client:
            token = sign_in(client, given.login)
            for name, query in QUERIES.items():
                for variables in known.variables(name)[:40]:
                    body = {"query": query, "variables": variables}
                    answer = client.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"}).json()
                    known.check(name, variables, answer["data"])
        for _ in range(given.rounds):
            for name, query in QUERIES.items():
                requests = [posted(host, token, query, variables) for variables in known.variables(name)]
                asyncio.run(loaded(address, requests, 1, Round()))
                pids = list(processes(pid))
                before = cpu_of(pids)
                asyncio.run(loaded(address, requests, given.seconds, taken[name]))
                taken[name].cpu += cpu_of(pids) - before
        show(
            {
                "database": given.database.partition(":")[0],
                "login": given.login,
                "MiB": {"idle": idle, "after": memory(pid)},
                **{name: figures(found) for name, found in taken.items()},
            }
        )


def figures(found: Round) -> dict[str, float]:
    ordered = sorted(found.milliseconds)
    return {
        "requests/s": round(len(ordered) / found.seconds),
        "p50": round(statistics.median(ordered), 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "cpu us": round(found.cpu / len(ordered) * 1e6),
    }


if __name__ == "__main__":
    main()
