"""Lists of 100,000 customers by custom fields, beside the same lists by real columns with the same values.

    python bench/custom_fields.py [--engine sqlite|postgresql|both] [--customers 100000] [--rounds 41]

Each list is a page of fifty through GraphQL, whole engine in process, answered by a plan as a second request is.  The
custom fields are searchable, which means indexed; `bare` is the same list before that.  Prints JSON: the lower
quartile of the milliseconds per list, the ratio of custom to real, and a page with ten custom fields beside the page without.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, text
from stage import database, servers

from models import Customer
from models.base import time_text
from models.custom_field import CustomKind
from models.custom_sql import create_index
from models.keys import with_keys
from tests.support.custom_fields import define, options
from tests.support.returning_caller import Caller
from tests.support.world import START, World

CHUNK = 5_000
PAGE = "query ($f: CustomerFilter, $o: [CustomerOrder!]) { customers(first: 50, filter: $f, orderBy: $o) { nodes { %s } } }"
SINCE = time_text(START - timedelta(hours=2_000))
LISTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "equality": (
        {"f": {"stage": {"eq": "won"}}},
        {"f": {"custom": [{"key": "state", "eq": "won"}]}},
    ),
    "order": (
        {"f": {"lastFollowUpAt": {"isNull": False}}, "o": [{"field": "LAST_FOLLOW_UP_AT", "direction": "DESC"}]},
        {"f": {"custom": [{"key": "visited", "isNull": False}]}, "o": [{"custom": "visited", "direction": "DESC"}]},
    ),
    "range and order": (
        {
            "f": {"lastFollowUpAt": {"lt": SINCE, "isNull": False}},
            "o": [{"field": "LAST_FOLLOW_UP_AT", "direction": "DESC"}],
        },
        {
            "f": {"custom": [{"key": "visited", "lt": SINCE, "isNull": False}]},
            "o": [{"custom": "visited", "direction": "DESC"}],
        },
    ),
}
"""List -> (by a real column, by a custom field with the same values)."""
TEN = {
    "note": CustomKind.TEXT,
    "code": CustomKind.TEXT,
    "score": CustomKind.NUMBER,
    "budget": CustomKind.MONEY,
    "founded": CustomKind.DATE,
    "visited": CustomKind.MOMENT,
    "listed": CustomKind.YES_NO,
    "site": CustomKind.LINK,
    "hotline": CustomKind.PHONE,
    "state": CustomKind.SINGLE_CHOICE,
}
VALUES = (
    "... on CustomText { text } ... on CustomNumber { number } ... on CustomAmount { amount } ... on CustomDate { date }"
    " ... on CustomMoment { at } ... on CustomYesNo { yes } ... on CustomWord { word }"
)
USUAL = (
    "id version number name stage stageLabel industry industryLabel level levelLabel phone email owner { id name }"
    " pool { id name } locked lastFollowUpAt nextFollowUpAt updatedAt"
)
"""What a list of a front end shows."""


def rows(world: World, count: int) -> Iterator[dict[str, Any]]:
    """Customers whose columns and custom fields hold the same values."""
    stages, li = ("early", "won", None, None, None), world.ids["li"]
    for n in range(count):
        at, stage = START - timedelta(minutes=n * 7 % 300_000), stages[n % 5] if n % 50 < 5 else None
        custom = {
            "note": f"Note {n}",
            "code": f"K{n:06}",
            "score": f"{Decimal(n % 1000) / 8:f}",
            "budget": f"{n % 9973}.50",
            "founded": (START - timedelta(days=n % 9000)).date().isoformat(),
            "visited": time_text(at),
            "listed": n % 3 == 0,
            "site": f"https://example.com/{n}",
            "hotline": f"021-{n:08}",
        }
        yield with_keys(
            Customer,
            {
                "number": f"B{n:06}",
                "name": f"Customer {n}",
                "stage": stage,
                "owner_id": li,
                "department_id": world.ids["east"],
                "claimed_at": START,
                "last_follow_up_at": at,
                "extensions": 0,
                "has_open_opportunity": False,
                "custom": custom | ({"state": stage} if stage else {}),
                "created_at": START - timedelta(seconds=n),
                "updated_at": START,
                "version": 1,
            },
        )


def fill(world: World, count: int) -> None:
    made = list(rows(world, count))
    with world.backend.writer.engine.begin() as connection:
        for at in range(0, count, CHUNK):
            connection.execute(insert(Customer), made[at : at + CHUNK])


def index(world: World) -> float:
    """Make the compared fields searchable; returns the seconds it took for both."""
    began = time.perf_counter()
    with world.backend.writer.engine.begin() as connection:
        for key in ("state", "visited"):
            custom = world.backend.policy.book.find("customer", f"custom.{key}")
            assert custom is not None
            connection.execute(text(create_index(connection.dialect.name, "customer", custom)))
        connection.execute(text("ANALYZE"))
    return round(time.perf_counter() - began, 2)


def quick(caller: Caller, query: str, variables: dict[str, Any], rounds: int) -> float:
    """The lower quartile of the milliseconds of the prepared answer: other work on the machine only adds to the others."""
    caller.long(query, variables)
    caller.long(query, variables)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = caller.short(query, variables)
        times.append((time.perf_counter() - began) * 1000)
        assert answer is not None, "answered by a plan"
        assert b'"errors"' not in answer, answer
    return _quartile(times)


def ready(caller: Caller, *queries: str) -> Sequence[str]:
    """The queries, each with its plan."""
    for query in queries * 2:
        caller.long(query, {})
    return queries


def connected(address: str, token: str) -> Callable[[str], bytes]:
    """What asks a serving process over one connection."""
    connection = HTTPConnection(urlsplit(address).netloc)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(query: str) -> bytes:
        connection.request("POST", "/graphql", json.dumps({"query": query, "variables": {}}), headers)
        return connection.getresponse().read()

    return ask


def in_turn(rounds: int, without: Callable[[], Any], with_ten: Callable[[], Any]) -> dict[str, float]:
    """The lower quartiles of two questions that are asked in turn, so that other work falls on both."""
    times: tuple[list[float], list[float]] = ([], [])
    for n in range(rounds + 5):
        for ask, taken in zip((without, with_ten), times, strict=True):
            began = time.perf_counter()
            answer = ask()
            if not answer or b'"errors"' in answer:
                raise SystemExit(answer)
            if n >= 5:
                taken.append((time.perf_counter() - began) * 1000)
    one, other = map(_quartile, times)
    return {"without": one, "with ten custom fields": other, "ratio": round(other / one, 2)}


def _quartile(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=4)[0], 2)


def measured(engine: str, count: int, rounds: int) -> dict[str, Any]:
    with database(engine) as url:
        World.settle(url)
        world = World(url)
        try:
            options(world)
            for position, (key, kind) in enumerate(TEN.items()):
                define(world, key, kind, position=position)
            fill(world, count)
            caller, found = Caller(world, "ada"), dict[str, Any]()
            query = PAGE % "id number name stage owner { name }"
            bare = {name: quick(caller, query, custom, 5) for name, (_, custom) in LISTS.items()}
            found["seconds to index two fields"] = index(world)
            caller = Caller(world, "ada")
            for name, (real, custom) in LISTS.items():
                one, other = quick(caller, query, real, rounds), quick(caller, query, custom, rounds)
                found[name] = {"real": one, "custom": other, "ratio": round(other / one, 2), "bare": bare[name]}
            page, ten = PAGE % USUAL, PAGE % f"{USUAL} custom {{ {VALUES} }}"
            found["page in process"] = in_turn(
                rounds, *(lambda x=x: caller.short(x, {}) for x in ready(caller, page, ten))
            )
            with servers(url, 1) as [address]:
                ask = connected(address, caller.token)
                found["page over HTTP"] = in_turn(rounds, *(lambda x=x: ask(x) for x in (page, ten)))
            return found
        finally:
            world.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    arguments.add_argument("--customers", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=41)
    asked = arguments.parse_args()
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    print(json.dumps({x: measured(x, asked.customers, asked.rounds) for x in engines}, indent=1))


if __name__ == "__main__":
    main()
