"""What the read path gives under load: one process, sixteen connections, sign-in, policy and guards on.

    millpond demo --customers 100000 --only-fill && python bench/crowd.py
    python bench/read_path.py [--database sqlite:///var/demo.db] [--seconds 4] [--rounds 3]

Workloads: `list` (50 customers of a stage and an owner, newest first, 10 fields), `nested` (the same with the owner's name
and three contacts each), `record` (a customer with ten contacts and twenty follow-ups), all by variables, as a front
end asks.  Beside ours stand the floor (`floor.py`: the same by hand) and, on PostgreSQL, the peers that
`make bench-peers` has installed (`peers.py`, `directus.py`), over the same rows and indexes.  Every answer to a list is compared before
with ids taken straight from the database.

Rounds are interleaved, each begins with another server, and the next one waits until everybody rests.  Prints JSON:
requests/s (median of the rounds), p50 and p99 in milliseconds, CPU per request in microseconds of the server, of the
database and of the load itself (`load.py`), MiB of the server, and how many times as many requests per second ours
answered as each other one in the same round; with `--markdown` two tables.
"""

import argparse
import random
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from directus import directus
from load import Load
from peers import postgraphile
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from stage import show
from target import QUERIES, Target, ours
from usage import Process, postgresql, rest

ROWS = "deleted_at IS NULL AND locked_by_id IS NULL"
PAIRS = f"SELECT owner_id, stage FROM customer WHERE owner_id IS NOT NULL AND {ROWS} GROUP BY owner_id, stage HAVING count(*) >= 50"


class Known:
    """What the database itself says: sets of variables, and the ids that a list must have."""

    def __init__(self, url: str) -> None:
        at = make_url(url)
        driver = "sqlite" if at.get_backend_name() == "sqlite" else "postgresql+psycopg"
        engine = create_engine(at.set(drivername=driver))
        with engine.connect() as connection:
            self.lists = [{"o": f"usr_{owner}", "s": stage} for owner, stage in connection.execute(text(PAIRS))]
            self.ids = {(x["o"], x["s"]): self._ids(connection, x["o"], x["s"]) for x in self.lists}
            some = connection.execute(text(f"SELECT id FROM customer WHERE {ROWS}")).scalars().all()
            self.records = [{"id": f"cus_{id}"} for id in random.Random(7).sample(some, min(2_000, len(some)))]
        engine.dispose()

    def _ids(self, connection: Any, owner: str, stage: str) -> list[str]:
        statement = "SELECT id FROM customer WHERE owner_id = :o AND stage = :s AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 400"
        rows = connection.execute(text(statement), {"o": int(owner.removeprefix("usr_")), "s": stage})
        return [f"cus_{row.id}" for row in rows]

    def variables(self, name: str) -> list[dict[str, Any]]:
        return self.records if name == "record" else self.lists

    def check(self, target: Target) -> None:
        """Ask for much once.  What is locked may be left out of a list, nothing else, and nothing may be added."""
        for workload in QUERIES:
            for given in self.variables(workload)[:40]:
                found = target.ask(workload, given)
                if workload == "record":
                    assert found == [given["id"]], (target.name, found, given)
                    continue
                expected = self.ids[given["o"], given["s"]]
                assert len(found) == 50, (target.name, workload, given, found)
                places = [expected.index(id) for id in found]
                assert places == sorted(places), (target.name, workload, given)


@dataclass(frozen=True)
class Round:
    """What one server did with one workload in one round; CPU in seconds."""

    milliseconds: list[float]
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds


@contextmanager
def targets(url: str, login: str) -> Iterator[list[Target]]:
    """Ours, the floor, and every peer that is there; each has one process."""
    with ExitStack() as stack:
        copying = stack.enter_context(directus(url))  # first: a database can be copied while nobody is in it
        yield stack.enter_context(ours(url, login)) + stack.enter_context(postgraphile(url)) + copying


class Course:
    """Who is measured, and what has come of it: `rounds[workload, name]`."""

    def __init__(self, targets: list[Target], database: Process | None) -> None:
        self._targets, self._database = targets, database
        self._servers = {target.name: Process(target.served.pid) for target in targets}
        self._idle = {name: server.memory() for name, server in self._servers.items()}
        self.rounds: dict[tuple[str, str], list[Round]] = {}

    def run(self, known: Known, rounds: int, seconds: float) -> None:
        with Load() as load:
            for number in range(rounds):
                for workload in QUERIES:
                    turn = number % len(self._targets)
                    for target in self._targets[turn:] + self._targets[:turn]:
                        requests = [target.request(workload, given) for given in known.variables(workload)]
                        found = self._round(load, target, requests, seconds)
                        self.rounds.setdefault((workload, target.name), []).append(found)

    def _round(self, load: Load, target: Target, requests: list[bytes], seconds: float) -> Round:
        """After everybody has come to rest, and this one has got warm for a second."""
        rest(lambda: sum(self._cpu(name)["server"] for name in self._servers) + self._cpu(target.name)["database"])
        load(target.served, requests, 1)
        before = self._cpu(target.name)
        taken = load(target.served, requests, seconds)
        after = self._cpu(target.name)
        used = {who: after[who] - before[who] for who in after} | {"load": taken.cpu}
        return Round(taken.milliseconds, taken.seconds, used)

    def _cpu(self, name: str) -> dict[str, float]:
        database = self._database.cpu() if self._database else 0.0
        return {"server": self._servers[name].cpu(), "database": database}

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: {} for name in self._servers}
        for (workload, name), rounds in self.rounds.items():
            found[name][workload] = figures(rounds)
        for name, server in self._servers.items():
            found[name]["MiB"] = {"idle": self._idle[name], "after": server.memory()}
        return found

    def ratios(self) -> dict[str, Any]:
        """Requests per second, ours to theirs, of each round and the median."""
        found: dict[str, Any] = {name: {} for name in self._servers if name != "ours"}
        for (workload, name), theirs in self.rounds.items():
            if name != "ours":
                each = [us.rate / them.rate for us, them in zip(self.rounds[workload, "ours"], theirs, strict=True)]
                found[name][workload] = {
                    "rounds": [round(x, 2) for x in each],
                    "median": round(statistics.median(each), 2),
                }
        return found


def figures(rounds: list[Round]) -> dict[str, Any]:
    ordered = sorted(milliseconds for found in rounds for milliseconds in found.milliseconds)
    micro = {who: round(sum(found.cpu[who] for found in rounds) / len(ordered) * 1e6) for who in rounds[0].cpu}
    return {
        "requests/s": round(statistics.median(found.rate for found in rounds)),
        "p50": round(statistics.median(ordered), 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "cpu us": micro,
    }


def tables(servers: dict[str, Any], ratios: dict[str, Any]) -> str:
    """requests/s, p50 / p99 in milliseconds, CPU of server + database in microseconds; and what ours is to them."""
    workloads = [name for name in servers["ours"] if name != "MiB"]
    lines = [f"| | {' | '.join(workloads)} | MiB |", f"|---|{'---|' * (len(workloads) + 1)}"]
    for name, found in servers.items():
        cells = []
        for x in map(found.get, workloads):
            cpu = x["cpu us"]
            cells.append(f"{x['requests/s']}, {x['p50']} / {x['p99']}, {cpu['server']} + {cpu['database']}")
        lines.append(f"| {name} | {' | '.join(cells)} | {found['MiB']['idle']} to {found['MiB']['after']} |")
    lines += ["", f"| ours to | {' | '.join(workloads)} |", f"|---|{'---|' * len(workloads)}"]
    for name, found in ratios.items():
        cells = [f"**{x['median']}** ({', '.join(map(str, x['rounds']))})" for x in map(found.get, workloads)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


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
        for target in found:
            known.check(target)
        course = Course(found, postgresql(given.database))
        course.run(known, given.rounds, given.seconds)
        servers, ratios = course.figures(), course.ratios()
    if given.markdown:
        print(tables(servers, ratios))
    else:
        where = given.database.partition(":")[0]
        show({"database": where, "login": given.login, "servers": servers, "ours to": ratios})


if __name__ == "__main__":
    main()
