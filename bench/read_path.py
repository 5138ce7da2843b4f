"""What the read path gives under load: one process, sixteen connections, sign-in, policy and guards on.

    millpond demo --customers 100000 --only-fill && python bench/crowd.py
    python bench/read_path.py [--database sqlite:///var/demo.db] [--seconds 4] [--rounds 3]

Workloads: `list` (50 customers of a stage and an owner, newest first, 10 fields), `nested` (the same with the owner's name
and three contacts each), `record` (a customer with ten contacts and twenty follow-ups), all by variables, as a front
end asks.  Beside ours stand the floor (`floor.py`: the same by hand) and, on PostgreSQL, the peers that
`make bench-peers` has installed (`peers.py`), over the same rows and indexes.  Every answer to a list is compared before
with ids taken straight from the database.  Rounds are interleaved; prints JSON: requests/s, p50 and p99 in milliseconds,
CPU per request of server and database in microseconds, memory of the server in MiB; with `--markdown` a table.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import peers
from reads import sign_in
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from stage import running, servers, show

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

    def check(self, name: str, given: dict[str, Any], found: list[str]) -> None:
        """What is locked may be left out, nothing else, and nothing may be added."""
        if name == "record":
            assert found == [given["id"]], (found, given)
            return
        expected = self.ids[given["o"], given["s"]]
        assert len(found) == 50, (name, given, found)
        places = [expected.index(id) for id in found]
        assert places == sorted(places), (name, given)


@dataclass(frozen=True)
class Target:
    """A server, how a workload is asked of it, and the ids in its answer."""

    name: str
    address: str
    pid: int
    path: Callable[[str], str]
    body: Callable[[str, dict[str, Any]], dict[str, Any]]
    ids: Callable[[Any], list[str]]
    token: str | None = None

    def request(self, workload: str, given: dict[str, Any]) -> bytes:
        body = json.dumps(self.body(workload, given)).encode()
        head = [f"POST {self.path(workload)} HTTP/1.1", f"Host: {urlsplit(self.address).netloc}"]
        head += [f"Authorization: Bearer {self.token}"] if self.token else []
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(head).encode() + body


def _ids(data: Any) -> list[str]:
    rows = data["customers"]["nodes"] if "customers" in data else [data["customer"]]
    return [row["id"] if "id" in row else f"cus_{row['rowId']}" for row in rows]


@contextmanager
def targets(url: str, login: str) -> Iterator[list[Target]]:
    """Ours, the floor, and every peer that is there; each has one process."""

    def ours(workload: str, given: dict[str, Any]) -> dict[str, Any]:
        return {"query": QUERIES[workload], "variables": given}

    def theirs(workload: str, given: dict[str, Any]) -> dict[str, Any]:
        return {"query": peers.QUERIES[workload], "variables": peers.variables(given)}

    with ExitStack() as stack:
        (address,) = stack.enter_context(servers(url, 1))
        with httpx.Client(base_url=address, timeout=30) as client:
            token = sign_in(client, login)
        floor = stack.enter_context(running([sys.executable, str(Path(__file__).with_name("floor.py")), url, "{port}"]))
        found = [
            Target("ours", address, address.pid, lambda _: "/graphql", ours, _ids, token),
            Target("floor", floor, floor.pid, lambda workload: f"/{workload}", ours, _ids, token),
        ]
        peer = stack.enter_context(peers.postgraphile(url))
        if peer is not None:
            found.append(Target("postgraphile", peer, peer.pid, lambda _: "/graphql", theirs, _ids))
        yield found


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
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
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    known = Known(given.database)
    with targets(given.database, given.login) as found:
        idle = {target.name: memory(target.pid) for target in found}
        for target in found:
            checked(known, target)
        taken = {(target.name, workload): Round() for target in found for workload in QUERIES}
        for _ in range(given.rounds):
            for workload in QUERIES:
                for target in found:
                    measured(known, target, workload, given.seconds, taken[target.name, workload])
        figures_of = {
            target.name: {workload: figures(taken[target.name, workload]) for workload in QUERIES}
            | {"MiB": {"idle": idle[target.name], "after": memory(target.pid)}}
            for target in found
        }
    if given.markdown:
        print(table(figures_of))
    else:
        show({"database": given.database.partition(":")[0], "login": given.login, **figures_of})


def checked(known: Known, target: Target) -> None:
    """Ask everything once, and compare with the database."""
    headers = {"authorization": f"Bearer {target.token}"} if target.token else {}
    with httpx.Client(base_url=target.address, timeout=30, headers=headers) as client:
        for workload in QUERIES:
            for given in known.variables(workload)[:40]:
                answer = client.post(target.path(workload), json=target.body(workload, given)).json()
                assert "errors" not in answer, (target.name, answer)
                known.check(workload, given, target.ids(answer["data"]))


def measured(known: Known, target: Target, workload: str, seconds: float, into: Round) -> None:
    """One round of one workload, after a second to get warm."""
    requests = [target.request(workload, given) for given in known.variables(workload)]
    asyncio.run(loaded(target.address, requests, 1, Round()))
    pids = list(processes(target.pid))
    before = cpu_of(pids)
    asyncio.run(loaded(target.address, requests, seconds, into))
    into.cpu += cpu_of(pids) - before


def table(figures_of: dict[str, Any]) -> str:
    """requests/s, p50/p99 ms, CPU us."""
    lines = [f"| | {' | '.join(QUERIES)} | MiB |", f"|---|{'---|' * (len(QUERIES) + 1)}"]
    for name, found in figures_of.items():
        cells = (f"{x['requests/s']}, {x['p50']}/{x['p99']}, {x['cpu us']}" for x in map(found.get, QUERIES))
        lines.append(f"| {name} | {' | '.join(cells)} | {found['MiB']['idle']}-{found['MiB']['after']} |")
    return "\n".join(lines)


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
