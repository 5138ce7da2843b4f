"""Lists while 16,000 shares are given: users who are no administrators beside one without a policy, in one run.

    python bench/shares.py [--engine sqlite|postgresql|both] [--customers 100000] [--shares 16000] [--rounds 41]

Shares go to users, departments and roles, live, ended and planned ones in turn; one user sees shared customers alone.
Answers come by a plan, as those of a second request do, and all users are asked in turn, so that other work falls on
all.  Prints JSON: per question and user the lower quartile of the milliseconds, and the ratio to the administrator's,
whose statements have no policy.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import stats
from sqlalchemy import Connection, insert, text
from stage import database

from models import Contact, Share
from models.pool import GranteeKind
from models.share import ShareLevel
from tests.support.returning_caller import Caller
from tests.support.world import START, World

PEOPLE = ("ada", "lead", "li", "rolf")
"""The administrator, a lead, a sales user, and one who manages roles and sees shared customers alone."""
ASKED = {
    "list": "{ customers(first: 50) { nodes { id name number stage owner { name } } } }",
    "list with contacts": "{ customers(first: 20) { nodes { id name contacts(first: 5) { nodes { name } } } } }",
    "contacts": "{ contacts(first: 50) { nodes { id name customer { name } } } }",
    "count of a stage": '{ customers(filter: {stage: {eq: "won"}}) { totalCount } }',
}


def fill(world: World, customers: int, shares: int) -> None:
    """Customers as in `stats.py` with a contact each, and the shares."""
    stats.fill(world, customers)
    with world.backend.writer.engine.begin() as connection:
        ids, roles, departments = (_ids(connection, table) for table in ("customer", "role", "department"))
        people = [world.ids[login] for login in ("rolf", "li", "mei", "wu")]
        grantees = [(GranteeKind.USER, people), (GranteeKind.DEPARTMENT, departments), (GranteeKind.ROLE, roles)]
        for model, made in ((Contact, [*_contacts(ids)]), (Share, [*_shares(grantees, ids, shares)])):
            for at in range(0, len(made), stats.CHUNK):
                connection.execute(insert(model), made[at : at + stats.CHUNK])
        connection.execute(text("ANALYZE"))


def _contacts(ids: list[int]) -> Iterator[dict[str, Any]]:
    for id in ids:
        made = {"customer_id": id, "name": f"Contact {id}", "name_sort": f"contact {id:07}", "is_primary": False}
        yield {**made, "version": 1, "created_at": START, "updated_at": START}


def _shares(grantees: list[tuple[GranteeKind, list[int]]], ids: list[int], count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        kind, those = grantees[n % 3]
        starts = START + timedelta(days=1 if n % 7 == 0 else -30)
        ends = START - timedelta(days=1) if n % 5 == 0 and n % 7 else None
        given = {"grantee_kind": kind, "grantee_id": those[n // 3 % len(those)], "level": ShareLevel.VIEW}
        yield {"customer_id": ids[n * 7 % len(ids)], "starts_at": starts, "ends_at": ends, **given}


def _ids(connection: Connection, table: str) -> list[int]:
    return [*connection.execute(text(f"SELECT id FROM {table} ORDER BY id")).scalars()]


def measured(engine: str, customers: int, shares: int, rounds: int) -> dict[str, Any]:
    """Question -> user -> milliseconds and ratio."""
    with database(engine) as url:
        World.settle(url)
        world = World(url)
        try:
            fill(world, customers, shares)
            return {name: _question(world, query, rounds) for name, query in ASKED.items()}
        finally:
            world.close()


def _question(world: World, query: str, rounds: int) -> dict[str, Any]:
    callers = {login: Caller(world, login) for login in PEOPLE}
    taken: dict[str, list[float]] = {login: [] for login in PEOPLE}
    for caller in callers.values():
        for _ in range(3):
            answer = caller.long(query, {})
            assert answer is not None, "the token holds"
            assert b'"errors"' not in answer, answer
    for _ in range(rounds):
        for login, caller in callers.items():
            began = time.perf_counter()
            assert caller.short(query, {}) is not None, "answered by a plan"
            taken[login].append(1000 * (time.perf_counter() - began))
    found = {login: statistics.quantiles(each, n=4)[0] for login, each in taken.items()}
    return {login: {"ms": round(ms, 2), "ratio": round(ms / found["ada"], 2)} for login, ms in found.items()}


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="sqlite")
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--shares", type=int, default=16_000)
    given.add_argument("--rounds", type=int, default=41)
    asked = given.parse_args()
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    answers = {x: measured(x, asked.customers, asked.shares, asked.rounds) for x in engines}
    print(json.dumps(answers, indent=1))


if __name__ == "__main__":
    main()
