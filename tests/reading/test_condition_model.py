"""Random conditions find what an independent evaluation over the rows that each person sees says."""

import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity, Organisation
from resolvers.records import create_update
from schema.engine import Engine
from tests.support.condition_model import Sight
from tests.support.secrecy import SECRET
from tests.support.world import START, World

ROUNDS, PEOPLE = 12, ("ada", "li", "lead", "mei", "fin")
FIELDS: dict[str, dict[str, str]] = {
    "customer": {
        "name": "text",
        "phone": "text",
        "stage": "text",
        "ownerId": "user",
        "poolId": "pool",
        "departmentId": "department",
        "createdAt": "moment",
        "claimedAt": "moment",
    },
    "follow_up": {"happenedAt": "moment", "ownerId": "user", "kind": "kind"},
    "opportunity": {"name": "text", "amount": "amount", "expectedClose": "day", "ownerId": "user"},
    "contact": {"name": "text", "isPrimary": "yes", "ownerId": "user", "birthday": "day"},
    "app_user": {"name": "text", "login": "text"},
}
RELATED = {
    "customer": (
        ("followUps", "follow_up"),
        ("opportunities", "opportunity"),
        ("contacts", "contact"),
        ("owner", "app_user"),
    ),
    "follow_up": (("customer", "customer"),),
    "opportunity": (("customer", "customer"),),
    "contact": (("customer", "customer"), ("owner", "app_user")),
    "app_user": (),
}
PERIODS = (
    "today",
    "last 7 days",
    "next 30 days",
    "more than 30 days ago",
    "this month",
    "last week",
    "never",
    "from 2026-11-01",
)


def operators(kind: str, chance: random.Random, world: World) -> dict[str, Any]:
    pick = chance.choice
    some = {
        "text": lambda: pick([{pick(["eq", "ne", "contains", "startsWith"]): pick(["Acme", "a", "13", "won", "mei", "zzz"])}, {"in": ["won", "Bolt", "Deal"]}]),
        "user": lambda: {pick(["eq", "ne"]): pick(["me", "my-team", f"usr_{world.ids['mei']}"])} if chance.random() < 0.6 else {"in": chance.sample(["me", "my-team", f"usr_{world.ids['wu']}"], 2)},
        "pool": lambda: {pick(["eq", "ne"]): f"poo_{world.ids['north']}"},
        "department": lambda: {"in": [pick(["my-team", f"dep_{world.ids['west']}"])]},
        "kind": lambda: {"in": [pick(["CALL", "VISIT"])]},
        "yes": lambda: {"eq": pick([True, False])},
        "amount": lambda: {pick(["gt", "gte", "lt", "lte"]): Decimal(pick(["0", "100", "100000"]))},
        "moment": lambda: {"during": pick(PERIODS)},
        "day": lambda: {"during": pick(PERIODS)},
    }  # fmt: skip
    return {"isNull": pick([True, False])} if chance.random() < 0.1 else some[kind]()


def condition(table: str, chance: random.Random, world: World, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(chance.randint(1, 2)):
        kind = chance.random()
        if depth and kind < 0.3:
            parts = [condition(table, chance, world, depth - 1) for _ in range(chance.randint(1, 3))]
            made |= {"not": parts[0]} if kind < 0.1 else {"or" if kind < 0.2 else "and": parts}
        elif depth and kind < 0.6 and RELATED[table]:
            name, target = chance.choice(RELATED[table])
            how = ("is", "isNot") if name in ("customer", "owner") else ("some", "none")
            made[name] = {chance.choice(how): condition(target, chance, world, depth - 1)}
        else:
            field = chance.choice([*FIELDS[table]])
            made[field] = operators(FIELDS[table][field], chance, world)
    return made


def settle(world: World, chance: random.Random) -> None:
    world.system.do(create_update.update, Organisation, 1, {"time_zone": "America/New_York"})
    owners = [{"owner": login} for login in ("li", "wu", "mei", "lead")] + [{"pool": "north"}, {"pool": "south"}]
    for n in range(24):
        world.clock.now = START - timedelta(hours=chance.randint(0, 24 * 60))
        name = chance.choice(["Acme", "Bolt", "Ceres"]) + f" {n}"
        id = world.customer(name, **chance.choice(owners), phone=chance.choice([None, SECRET, "13800138000"]), stage=chance.choice([None, "won", "early"]))  # fmt: skip
        world.clock.now = START
        for _ in range(chance.randint(0, 3)):
            at = START - timedelta(hours=chance.randint(0, 24 * 60))
            world.make(FollowUp, customer_id=id, kind=chance.choice(["CALL", "VISIT"]), content="said", happened_at=at)
        for _ in range(chance.randint(0, 2)):
            close = chance.choice([None, date(2026, 11, 20) + timedelta(days=chance.randint(0, 60))])
            world.make(Opportunity, customer_id=id, name=chance.choice(["Deal", "Acme"]), amount=chance.choice([None, Decimal(5), Decimal(150_000)]), expected_close=close)  # fmt: skip
        for _ in range(chance.randint(0, 2)):
            world.make(Contact, customer_id=id, name=chance.choice(["Ann", "Mei"]), birthday=chance.choice([None, date(2026, 11, 24)]))  # fmt: skip
    world.clock.now = START


QUERY = """{
  customer: customers(first: 200) { nodes { id name phone stage ownerId poolId departmentId createdAt claimedAt } }
  follow_up: followUps(first: 200) { nodes { id customerId happenedAt ownerId kind } }
  opportunity: opportunities(first: 200) { nodes { id customerId name amount expectedClose ownerId } }
  contact: contacts(first: 200) { nodes { id customerId name isPrimary ownerId birthday } }
  app_user: users(first: 200) { nodes { id name login departmentId } }
}"""


def value(name: str, given: Any) -> Any:
    if given is None:
        return None
    if name == "id" or name.endswith("Id"):
        return int(given.partition("_")[2])
    if name.endswith("At"):
        return datetime.fromisoformat(given)
    if name in ("birthday", "expectedClose"):
        return date.fromisoformat(given)
    return Decimal(given) if name == "amount" else given


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def sight(world: World, engine: Engine, login: str) -> Sight:
    """The rows as this person reads them without a condition."""
    answer = json.loads(world.run(engine.answer(world.scope(login, "graphql"), QUERY, None, None)).body)
    tables = {
        table: [
            {snake(name): value(name, x) for name, x in node.items()} | {"deleted_at": None} for node in found["nodes"]
        ]
        for table, found in answer["data"].items()
    }
    person = world.principal(login)
    assert person.id is not None
    return Sight(tables, person.id, set(person.subtree), world.clock.now, "America/New_York")


@pytest.mark.long
def test_random_conditions_find_what_the_model_says(world: World) -> None:
    from tests.reading.test_conditions import as_written, found_ids

    chance = random.Random(16)
    settle(world, chance)
    engine = Engine(world.backend, plan_at=10**9)
    told = 0
    for login in PEOPLE:
        seen = sight(world, engine, login)
        for _ in range(ROUNDS):
            asked = condition("customer", chance, world, 3)
            expected = sorted(x["id"] for x in seen.tables["customer"] if seen.holds("customer", x, asked))
            assert found_ids(world, login, Customer, as_written(asked), engine) == expected, (login, asked)
            told += 0 < len(expected) < len(seen.tables["customer"])
    assert told > ROUNDS, "most conditions must tell rows apart"
