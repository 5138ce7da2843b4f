"""What the policy costs: one check, one clause, a review, a change until every process has it, and a page of a list.

    python bench/policy.py [--engine sqlite|postgresql|both] [--customers 100000] [--only cells review reload proof lists]

Lists are of 100,000 customers, 600 people in 121 departments, 40,000 shares; a review is of 250 lines for 200 people.
Prints JSON: times in milliseconds unless it says otherwise, medians of interleaved rounds; a page is fifty rows under a policy
and the same statement without its clause, on one connection.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from policy_lists import PEOPLE, REVIEWED, TIMES, lists, populate
from policy_proof import long_text, proofs
from stage import ROOT, database, show, spread, took

from models import Customer, Role
from policies import STARTER, Facts, Snapshot
from resolvers.access import policy_drafts, policy_impact, policy_review
from resolvers.people import tokens
from resolvers.runtime.backend import Backend
from tests.support.world import World

ACTIVATIONS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--only", nargs="*", default=["cells", "review", "reload", "proof", "lists"])
    parser.add_argument("--listen", nargs=2, metavar=("DATABASE", "TOKEN"), help="what the other process runs")
    asked = parser.parse_args()
    if asked.listen:
        asyncio.run(listen(*asked.listen))
        return
    figures: dict[str, Any] = {}
    for engine in ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,):
        with database(engine) as url:
            World.settle(url)
            world = World(url)
            try:
                figures[engine] = measured(world, asked.customers, asked.only)
            finally:
                world.close()
    show(figures)


def measured(world: World, customers: int, only: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "cells" in only:
        found["cells"] = cells(world)
    if "reload" in only:
        found["reload"] = reload(world)
    populate(world, REVIEWED, customers)
    if "review" in only:
        found["review"] = review(world)
    if "proof" in only:
        found["proof"] = proofs(world)
    if "lists" in only:
        populate(world, PEOPLE - REVIEWED, 0)
        found["lists"] = lists(world)
    return found


# --- one check, one clause -------------------------------------------------------------------------------


def cells(world: World) -> dict[str, float]:
    """`may` of the busiest line-up in microseconds; `where` of a fresh snapshot's second clause, and asked again."""
    li, facts = world.principal("li"), Facts(owner_id=7, department_id=3, created_by_id=9)
    policy = world.backend.policy
    policy.may(li, "view", "customer", facts)
    cold = []
    for _ in range(TIMES):
        fresh = Snapshot(STARTER, 1)
        fresh.where(li, "edit", Customer)  # what SQLAlchemy makes once per process is made
        cold.append(took(lambda policy=fresh: policy.where(replace(li), "view", Customer)))
    policy.where(li, "view", Customer)
    return {
        "may, µs": round(best(lambda: policy.may(li, "view", "customer", facts), 20_000) * 1e6, 1),
        "where, cold": round(statistics.median(cold), 3),
        "where, cached, µs": round(best(lambda: policy.where(li, "view", Customer), 20_000) * 1e6, 1),
        "snapshot of the starter": round(statistics.median(took(lambda: Snapshot(STARTER, 1)) for _ in range(9)), 1),
    }


def best(call: Callable[[], Any], times: int) -> float:
    """Seconds per call, the least of five runs."""
    runs = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            call()
        runs.append((time.perf_counter() - began) / times)
    return min(runs)


# --- review ----------------------------------------------------------------------------------------------


def review(world: World) -> dict[str, Any]:
    """A text of 250 lines for 200 people, each time another one, so that nothing of the former is known."""
    base, roles = long_text()
    for code in roles:
        world.make(Role, code=code, name=code.title())
    world.ada.do(policy_drafts.apply_policy, base, "250 lines")
    changed = base.replace("p, sales_lead, customer, view, subtree, any, allow\n", "")
    changed += "p, support, customer, edit, all, !locked, allow\np, sales, customer, export, own, any, allow\n"
    times, counted, found = [], [], None
    for n in range(11):
        text = f"{changed}# {n}\n"
        began = time.perf_counter()
        found = world.run(world.ada.read(policy_review.review_policy, text))
        times.append((time.perf_counter() - began) * 1000)
    assert found is not None
    for _ in range(3):
        began = time.perf_counter()
        for change in found.changes:
            world.run(world.ada.read(policy_impact.effects, found, change))
        counted.append((time.perf_counter() - began) * 1000)
    world.ada.do(policy_drafts.apply_policy, STARTER, "back")
    people = {person.id for group in found.groups.values() for person in group.people}
    return {
        "lines": len(Snapshot(changed).lines),
        "people": len(people),
        "role sets": len(found.groups),
        "changes": len(found.changes),
        "without effects": spread(times[1:]),
        "effects of all changes": round(statistics.median(counted)),
    }


# --- until every process has it --------------------------------------------------------------------------


def reload(world: World) -> dict[str, Any]:
    """From the commit here to the first request there that is judged by the new revision; and the same after silence."""
    token = world.ada.do(tokens.create_token, "bench").token
    command = [sys.executable, __file__, "--listen", world.backend.url, token]
    other = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin is not None
    assert other.stdout is not None
    committed: dict[int, float] = {}
    take = world.backend.take_policy

    def noted(stored: Any, *sets: Any) -> None:
        committed.setdefault(stored.number, time.monotonic())
        take(stored, *sets)

    world.backend.take_policy = noted  # type: ignore[method-assign]
    texts = [STARTER, STARTER + "p, sales, customer, export, own, any, allow\n"]
    found: dict[str, list[float]] = {"asking": [], "idle": []}
    assert other.stdout.readline() == "ready\n"
    for n in range(ACTIVATIONS * 2):
        how = "asking" if n < ACTIVATIONS else "idle"
        if n == ACTIVATIONS:
            other.stdin.write("idle\n")
            other.stdin.flush()
            assert other.stdout.readline() == "idle\n"
        number = world.ada.do(policy_drafts.apply_policy, texts[(n + 1) % 2], f"{n}")
        if how == "idle":
            time.sleep(0.02)
            other.stdin.write("ask\n")
            other.stdin.flush()
        told = json.loads(other.stdout.readline())
        assert told["revision"] == number, told
        found[how].append((told["at"] - committed[number]) * 1000 if how == "asking" else told["ms"])
        time.sleep(0.02)
    other.stdin.close()
    other.wait(10)
    world.backend.take_policy = take  # type: ignore[method-assign]
    return {
        "commit to in force, a process that is asked every 5 ms": spread(found["asking"]),
        "first request of a process that was asked nothing, reload included": spread(found["idle"]),
        "older revision after the commit": "only requests that had begun: each reads the number with its person",
    }


async def listen(url: str, token: str) -> None:
    """The other process: asks who somebody is, as every request does, and says when another revision is in force."""
    backend = Backend(url)
    await backend.start()
    await backend.principal_of(token)
    lines: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().run_in_executor(None, _lines, lines, asyncio.get_running_loop())
    print("ready", flush=True)
    known = backend.policy.revision
    while lines.empty():
        await backend.principal_of(token)
        if backend.policy.revision != known:
            known = backend.policy.revision
            print(json.dumps({"revision": known, "at": time.monotonic()}), flush=True)
        await asyncio.sleep(0.005)
    await lines.get()
    print("idle", flush=True)
    while await lines.get():
        began = time.perf_counter()
        await backend.principal_of(token)
        ms = (time.perf_counter() - began) * 1000
        print(json.dumps({"revision": backend.policy.revision, "ms": ms}), flush=True)
    await backend.close()


def _lines(into: "asyncio.Queue[str]", loop: asyncio.AbstractEventLoop) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(into.put_nowait, line)
    loop.call_soon_threadsafe(into.put_nowait, "")


if __name__ == "__main__":
    main()
