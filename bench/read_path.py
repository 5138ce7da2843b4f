"""Millpond under load beside its peers: one process, sixteen connections, with sign-in, policy, guards and log.

    millpond demo --customers 100000 --only-fill && python bench/crowd.py
    python bench/read_path.py [--database sqlite:///var/demo.db] [--seconds 4] [--rounds 3] [--workloads list claim]

`list` (50 customers of a stage and an owner, newest first, 10 fields), `nested` (the same with the owner's name and three
contacts each), `record` (a customer with ten contacts and twenty follow-ups), `search` (the 20 newest with a word, and
their count), `claim` (claim a customer from the pool), all with variables, as front ends send them.  The peers are the
hand-written baseline (`floor.py`, reads only) and, on PostgreSQL, what `make bench-peers` has installed (`peers.py`,
`directus.py`), over the same rows and indexes in a copy of the database (`ground.py`).  Before a round, answers are
compared with the database.  After each round, claims are counted: one customer and one log line each.

The comparison is not equal: PostGraphile has no sign-in, Directus checks its administrator, who may see everything;
Millpond signs in and applies the policy.  Millpond searches numbers, phones, addresses and contacts too, by its index,
and counts to 1,001; the others search a part of the name without an index and count all.  Millpond's claim is the
mutation with all rules: membership, protection, cooldown, two quotas, capacity, ownership period, event, sealed log,
idempotency key.  PostGraphile's claim is a function with one conditional UPDATE and one log line.  Directus' claim is
an update of the item without a condition, so that the last of two would win, with its activity and revision.

Rounds are interleaved, each starts with another server, and the next server waits until all are idle.  Prints JSON:
requests/s (median of the rounds), p50 and p99 in milliseconds, CPU per request in microseconds of the server, of the
database and of the load itself (`load.py`), MiB of the server, and the ratio of Millpond's requests per second to those
of each peer in the same round; with `--markdown` two tables.
"""

import argparse
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from directus import directus
from ground import Ground, ground
from load import Load
from peers import postgraphile
from stage import show
from target import QUERIES, Target, ours
from usage import Process, postgresql, rest
from workloads import Claim, Workload, reads


@dataclass(frozen=True)
class Round:
    """The result of one server for one workload in one round; CPU in seconds."""

    milliseconds: list[float]
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds


@contextmanager
def targets(on: Ground, login: str) -> Iterator[list[Target]]:
    """Millpond, the baseline, and every installed peer; each has one process."""
    with ExitStack() as stack:
        found = stack.enter_context(ours(on.url, login, on.tokens))
        found += stack.enter_context(postgraphile(on.url))
        yield found + stack.enter_context(directus(on.url))


class Course:
    """The measurement of several servers; results are in `rounds[workload, name]`."""

    def __init__(self, targets: list[Target], database: Process | None) -> None:
        self._targets, self._database = targets, database
        self._servers = {target.name: Process(target.served.pid) for target in targets}
        self._idle = {name: server.memory() for name, server in self._servers.items()}
        self.rounds: dict[tuple[str, str], list[Round]] = {}

    def run(self, workloads: list[Workload], rounds: int, seconds: float) -> None:
        """Measure one workload after the other."""
        with Load() as load:
            for workload in workloads:
                asked = [target for target in self._targets if workload.name in target.workloads]
                for target in asked:
                    workload.check(target)
                for number in range(rounds):
                    turn = number % len(asked)
                    for target in asked[turn:] + asked[:turn]:
                        found = self._round(load, workload, target, seconds)
                        self.rounds.setdefault((workload.name, target.name), []).append(found)

    def _round(self, load: Load, workload: Workload, target: Target, seconds: float) -> Round:
        """One round of one server, after all are idle and this one has warmed up for a second."""
        warm, requests = workload.requests(target)
        rest(lambda: sum(self._cpu(name)["server"] for name in self._servers) + self._cpu(target.name)["database"])
        answers = len(load(target.served, warm, 1, once=workload.once).milliseconds)
        before = self._cpu(target.name)
        taken = load(target.served, requests, seconds, once=workload.once)
        after = self._cpu(target.name)
        workload.confirm(target, answers + len(taken.milliseconds))
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
        """Ratios of Millpond's requests per second to those of each peer: per round, and the median."""
        found: dict[str, Any] = {name: {} for name in self._servers if name != "ours"}
        for (workload, name), theirs in self.rounds.items():
            if name != "ours":
                each = [us.rate / them.rate for us, them in zip(self.rounds[workload, "ours"], theirs, strict=True)]
                middle = round(statistics.median(each), 2)
                found[name][workload] = {"rounds": [round(x, 2) for x in each], "median": middle}
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
    """Two Markdown tables: requests/s, p50 / p99 in ms, CPU of server + database in us; and the ratios to each peer."""
    workloads = [name for name in servers["ours"] if name != "MiB"]

    def cell(found: dict[str, Any] | None) -> str:
        if found is None:
            return "–"
        cpu = found["cpu us"]
        return f"{found['requests/s']}, {found['p50']} / {found['p99']}, {cpu['server']} + {cpu['database']}"

    def ratio(found: dict[str, Any] | None) -> str:
        return "–" if found is None else f"**{found['median']}** ({', '.join(map(str, found['rounds']))})"

    lines = [f"| | {' | '.join(workloads)} | MiB |", f"|---|{'---|' * (len(workloads) + 1)}"]
    for name, found in servers.items():
        cells = " | ".join(cell(found.get(workload)) for workload in workloads)
        lines.append(f"| {name} | {cells} | {found['MiB']['idle']} to {found['MiB']['after']} |")
    lines += ["", f"| ours to | {' | '.join(workloads)} |", f"|---|{'---|' * len(workloads)}"]
    for name, found in ratios.items():
        lines.append(f"| {name} | {' | '.join(ratio(found.get(workload)) for workload in workloads)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--login", default="ada")
    parser.add_argument("--workloads", nargs="+", choices=tuple(QUERIES), default=tuple(QUERIES))
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    with ground(given.database) as on, targets(on, given.login) as found:
        course = Course(found, postgresql(on.url))
        everything: list[Workload] = [*reads(on), Claim(on)]
        course.run([x for x in everything if x.name in given.workloads], given.rounds, given.seconds)
        servers, ratios = course.figures(), course.ratios()
    if given.markdown:
        print(tables(servers, ratios))
    else:
        where = given.database.partition(":")[0]
        show({"database": where, "login": given.login, "servers": servers, "ours to": ratios})


if __name__ == "__main__":
    main()
