"""What the policy costs: one check, one clause, a review, a change until every process has it, and a page of a list.

    python bench/policy.py [--engine sqlite|postgresql|both] [--customers 100000] [--only cells review reload lists]

Lists are of 100,000 customers, 600 people in 121 departments, 40,000 shares; a review is of 250 lines for 200 people.
Prints JSON: times in milliseconds unless it says otherwise, medians of interleaved rounds; a page is fifty rows under a policy
and the same statement without its clause, on one connection.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, text
from stage import ROOT, database, show, spread

from models import Customer, Department, Role, Share, User, UserRole
from models.pool import GranteeKind
from models.share import ShareLevel
from policies import STARTER, Facts, Principal, Snapshot
from resolvers.access import policy_drafts, policy_impact, policy_review
from resolvers.people import tokens
from resolvers.runtime import principals
from resolvers.runtime.backend import Backend
from tests.support.world import World

PEOPLE, REVIEWED, SHARES, TIMES, ACTIVATIONS = 600, 200, 40_000, 31, 50
ROLES = ("sales", "sales_lead", "support", "finance", "auditor", "role_manager")
LINE = "p, r, customer, view, {}, any, allow\n"
POLICIES = {
    "all": LINE.format("all"),
    "own": LINE.format("own"),
    "team": LINE.format("team"),
    "subtree": LINE.format("subtree"),
    "shared": LINE.format("shared"),
    "sales of the starter": STARTER,
    "sales lead of the starter": STARTER,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--only", nargs="*", default=["cells", "review", "reload", "lists"])
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


def took(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


# --- review ----------------------------------------------------------------------------------------------


def review(world: World) -> dict[str, Any]:
    """A text of 250 lines for 200 people, each time another one, so that nothing of the former is known."""
    lines = len([x for x in STARTER.splitlines() if x and not x.startswith("#")])
    more = "".join(f"p, extra{n}, opportunity, view, own, any, allow\n" for n in range(250 - lines))
    roles = [{"code": f"extra{n}", "name": f"Extra {n}"} for n in range(250 - lines)]
    for role in roles:
        world.make(Role, **role)
    base = STARTER + more
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

    def noted(stored: Any) -> None:
        committed.setdefault(stored.number, time.monotonic())
        take(stored)

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


# --- lists -----------------------------------------------------------------------------------------------


def lists(world: World) -> dict[str, Any]:
    """For each policy: rows, one page of fifty, the page without a clause, and how many times as long."""
    found: dict[str, Any] = {}
    with world.backend.writer.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET jit = off"))
        for name, policy in POLICIES.items():
            p = person_for(world, connection, name)
            clause = Snapshot(policy).where(p, "view", Customer, Customer.__table__.c)
            free, bound = page(None), page(clause)
            times: dict[str, list[float]] = {"free": [], "bound": []}
            for n in range(TIMES + 2):
                for which, statement in (("free", free), ("bound", bound)):
                    ms = took(lambda statement=statement: connection.execute(statement).all())
                    if n > 1:
                        times[which].append(ms)
            rows = connection.execute(select(func.count()).select_from(Customer.__table__).where(clause)).scalar_one()
            without, under = (statistics.median(times[which]) for which in ("free", "bound"))
            found[name] = {
                "rows": rows,
                "page": round(under, 2),
                "without policy": round(without, 2),
                "ratio": round(under / without, 2),
            }
    return found


def page(clause: Any) -> Any:
    c = Customer.__table__.c
    asked = (
        select(Customer.__table__).where(c.deleted_at.is_(None)).order_by(c.created_at.desc(), c.id.desc()).limit(50)
    )
    return asked if clause is None else asked.where(clause)


def person_for(world: World, connection: Any, name: str) -> Principal:
    """Somebody in the middle: a team of a leaf; for `subtree` and the lead a head of about a third of the house."""
    wide = name in ("subtree", "sales lead of the starter")
    login = "bench1" if wide else "bench399"
    p = principals.by_login(connection, login, world.clock())
    roles = {"sales of the starter": "sales", "sales lead of the starter": "sales_lead"}
    return replace(p, roles=frozenset({roles.get(name, "r")}))


# --- the house that is measured --------------------------------------------------------------------------


def populate(world: World, people: int, customers: int) -> None:
    """More people in a tree of departments, and, the first time, customers; shares when everybody is there."""
    chance, now = random.Random(people), world.clock()
    stamps = {"version": 1, "created_at": now, "updated_at": now}
    with world.backend.writer.engine.begin() as connection:
        if customers:
            departments = list(tree(world.ids["house"], connection))
            connection.execute(insert(Department.__table__), [{**stamps, **row} for row in departments])  # type: ignore[arg-type]
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('department_id_seq', (SELECT max(id) FROM department))"))
        known = list(
            connection.execute(select(Department.id).where(Department.name.like("D %")).order_by("id")).scalars()
        )
        before = connection.execute(
            select(func.count()).select_from(User).where(User.login.like("bench%"))
        ).scalar_one()
        rows = [
            {"login": f"bench{n}", "name": f"Bench {n}", "department_id": known[n % len(known)], "active": True}
            for n in range(before, before + people)
        ]
        connection.execute(insert(User.__table__), [{**stamps, "language": "en", **row} for row in rows])  # type: ignore[arg-type]
        asked = select(User.id, User.department_id).where(User.login.like("bench%")).order_by(User.id)
        everybody = list(connection.execute(asked).all())
        held = [
            {**stamps, "user_id": id, "role_id": world.ids[ROLES[n % 2 if n % 10 else n // 10 % len(ROLES)]]}
            for n, (id, _) in enumerate(everybody)
            if n >= before
        ]
        connection.execute(insert(UserRole.__table__), held)  # type: ignore[arg-type]
        if customers:
            for part in parts(made_up(world, chance, everybody, customers), 5_000):
                connection.execute(insert(Customer.__table__), part)  # type: ignore[arg-type]
        else:
            share(world, connection, chance, everybody)
            spread_out(connection, everybody)


def tree(root: int, connection: Any) -> Iterator[dict[str, Any]]:
    """A house of 121 departments: three, each with three, each with three, each with three, below the root."""
    id = connection.execute(select(func.max(Department.id))).scalar_one()
    level = [(root, f"/{root}/")]
    for size in (3, 3, 3, 3):
        below = []
        for parent, path in level:
            for _ in range(size):
                id += 1
                below.append((id, f"{path}{id}/"))
                yield {"id": id, "name": f"D {id}", "parent_id": parent, "path": below[-1][1]}
        level = below


def made_up(world: World, chance: random.Random, people: Sequence[Any], count: int) -> Iterator[dict[str, Any]]:
    now = world.clock()
    for n in range(count):
        id, department = chance.choice(people)
        pooled = n % 10 == 0
        at = now - timedelta(minutes=chance.randrange(500_000))
        place = {"owner_id": None if pooled else id, "department_id": None if pooled else department}
        place |= {"pool_id": world.ids["north" if n % 20 else "south"] if pooled else None}
        place |= {
            "locked_by_id": id if n % 33 == 1 and not pooled else None,
            "deleted_at": now if n % 97 == 5 else None,
        }
        yield {"number": f"B{n}", "name": f"Customer {n}", "version": 1, "created_at": at, "updated_at": at, **place}


def share(world: World, connection: Any, chance: random.Random, people: Sequence[Any]) -> None:
    customers = list(connection.execute(select(Customer.id)).scalars())
    now, rows = world.clock(), []
    for n in range(SHARES):
        ends = {0: now - timedelta(days=1), 1: now + timedelta(days=9)}.get(n % 5)
        row = {
            "customer_id": chance.choice(customers),
            "grantee_kind": GranteeKind.USER,
            "level": list(ShareLevel)[n % 2],
        }
        rows.append(
            {**row, "grantee_id": chance.choice(people)[0], "starts_at": now - timedelta(days=2), "ends_at": ends}
        )
    for part in parts(rows, 5_000):
        connection.execute(insert(Share.__table__), part)


def spread_out(connection: Any, people: Sequence[Any]) -> None:
    """Give the people who came later their part of the customers."""
    for n, (id, department) in enumerate(people[REVIEWED:]):
        given = {"id": id, "department": department, "n": n, "of": PEOPLE}
        moved = "UPDATE customer SET owner_id = :id, department_id = :department WHERE owner_id IS NOT NULL AND id % :of = :n"
        connection.execute(text(moved), given)


def parts(rows: Any, size: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


if __name__ == "__main__":
    main()
