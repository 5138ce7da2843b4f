"""Users who claim at the same moment: in one event loop, in threads, or in several processes.

As a program it is one of these processes: `racing.py URL` reads one line of JSON {login: requests}, then one to start.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from models import Customer, Department, PoolMember, QuotaCounter
from models.pool import GranteeKind
from resolvers.pool import claim as claiming
from resolvers.runtime.backend import Backend
from resolvers.runtime.batch import Outcome
from tests.support.claim_checks import change, whole
from tests.support.world import START, World

FULL = {"QUOTA_REACHED", "CAPACITY_REACHED"}
Told = tuple[list[int], list[str]]
"""The answer to one request: the ids of the customers won, and the codes of the problems."""
Plan = dict[str, list[list[int]]]
"""Login -> the requests of a user, each a list of customer ids."""


class Race:
    """Users who may each claim `quota` customers and hold `capacity`, and customers in one pool."""

    def __init__(self, world: World, people: int, customers: int, *, quota: int, capacity: int | None = None) -> None:
        self.world, self.people, self.most = world, people, quota if capacity is None else min(quota, capacity)
        seat = {"grantee_kind": GranteeKind.ROLE, "grantee_id": world.ids["sales"]}
        world.make(PoolMember, pool_id=world.ids["north"], **seat)
        world.rule("north", daily_quota=quota, weekly_quota=quota + 1)
        change(world, Department, world.ids["east"], capacity=capacity)
        for n in range(people):
            world.user(f"p{n:03d}", f"P{n}", "sales", "east")
        self.customers = [world.customer(str(n), pool="north") for n in range(customers)]

    def plans(self, wanted: int | None = None) -> Plan:
        """Every user claims all customers, or `wanted` of them, in an order of their own, one or three at a time."""
        dice, found = random.Random(7), {}
        for n in range(self.people):
            ids, requests = dice.sample(self.customers, wanted or len(self.customers)), []
            while ids:
                size = dice.choice((1, 1, 1, 3))
                requests.append(ids[:size])
                ids = ids[size:]
            found[f"p{n:03d}"] = requests
        return found

    def check(self, answers: list[Told]) -> None:
        """Assert one winner per customer, no user above a limit, and that counters and log match the answers."""
        won = Counter(id for ids, _ in answers for id in ids)
        owners = {row["id"]: row["owner_id"] for row in self.world.rows(Customer, Customer.id.in_(self.customers))}
        each = Counter(owner for owner in owners.values() if owner is not None)
        assert [id for id, count in won.items() if count > 1] == []
        assert sorted(won) == sorted(id for id, owner in owners.items() if owner is not None)
        assert {code for _, codes in answers for code in codes} <= {"ALREADY_CLAIMED", *FULL}
        assert max(each.values()) <= self.most
        assert len(won) == min(
            len(self.customers), self.most * self.people
        )  # no customer was left that a user could still claim
        counted = self.world.rows(QuotaCounter, QuotaCounter.period == "2026-11-24")
        assert {row["user_id"]: row["used"] for row in counted} == dict(each)
        log = [x["record_id"] for x in self.world.log(entity="customer") if x["action"] == "customer.claim"]
        assert sorted(log) == sorted(won)
        assert whole(self.world) == []


# --- ways to run -----------------------------------------------------------------------------------------


async def at_once(backend: Backend, plan: Plan) -> list[Told]:
    """The answers of all users in one event loop, each waiting for an answer before the next request."""

    async def one(login: str, requests: list[list[int]]) -> list[Told]:
        scope, answers = backend.scope(backend.person(login), "race"), []
        for ids in requests:
            answers.append(_told(await scope.run(claiming.claim, ids)))
            if _is_full(answers):
                break
        return answers

    found = await asyncio.gather(*(one(*item) for item in plan.items()))
    return [answer for answers in found for answer in answers]


def in_threads(backend: Backend, plan: Plan, threads: int = 6) -> list[Told]:
    """The answers of all users, each in a thread and in transactions of their own."""

    def one(login: str) -> list[Told]:
        scope, answers = backend.scope(backend.person(login), "race"), []
        for ids in plan[login]:
            answers.append(_told(scope.do(claiming.claim, ids)))
            if _is_full(answers):
                break
        return answers

    with ThreadPoolExecutor(threads) as people:
        return [answer for answers in people.map(one, plan) for answer in answers]


def in_processes(url: str, plan: Plan, processes: int = 3) -> list[Told]:
    """The answers of all users from several processes on one database, which start at the same moment."""
    logins, answers = list(plan), []
    with ExitStack() as running:  # closes their input, which ends them
        racers = [running.enter_context(_process(url)) for _ in range(processes)]
        for n, racer in enumerate(racers):
            _say(racer, json.dumps({login: plan[login] for login in logins[n::processes]}))
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            _say(racer, "go")
        for racer in racers:
            out, errors = racer.communicate(timeout=150)
            assert (racer.returncode, errors) == (0, "")
            answers += [(ids, codes) for ids, codes in json.loads(out)]
    return answers


def _process(url: str) -> "subprocess.Popen[str]":
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, __file__, url], text=True, env=here, **pipes)


def _say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _told(outcome: Outcome) -> Told:
    return outcome.ids, [problem.code() for problem in outcome.problems]


def _is_full(answers: list[Told]) -> bool:
    return not FULL.isdisjoint(answers[-1][1])


def main(url: str, read: Callable[[], str], write: Callable[[str], Any]) -> None:
    backend = Backend(url, clock=lambda: START).open()
    plan = json.loads(read())
    write("ready\n")
    read()

    async def race() -> list[Told]:
        try:
            return await at_once(backend, plan)
        finally:
            await backend.close()

    write(json.dumps(asyncio.run(race())))


if __name__ == "__main__":

    def out(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    main(sys.argv[1], sys.stdin.readline, out)
