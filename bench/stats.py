"""Statistics of 100,000 customers through GraphQL, beside a plain GROUP BY that was written by hand, in one run.

    python bench/stats.py [--engine sqlite|postgresql|both] [--customers 100000] [--rounds 21]

The answers come by a plan, as those of a second request do, for an administrator and for a user who sees a sixth of the
customers.  The statement by hand counts all rows outside the bin, without rights and without JSON.  The two are asked in
turn, so that other work falls on both.  Prints JSON: the lower quartile of the milliseconds, and the ratio.
"""

import argparse
import json
import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, text
from stage import database

from models import Customer
from models.keys import with_keys
from tests.support.returning_caller import Caller
from tests.support.world import START, World

CHUNK = 5_000
ASKED = "{ customerStats(groupBy: [%s], first: 200) { rows { key { value label } count } total { count } } }"
MONTH = {"sqlite": "strftime('%Y-%m', created_at)", "postgresql": "to_char(created_at, 'YYYY-MM')"}
BY_HAND = {
    "STAGE": "SELECT stage, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY stage ORDER BY 2 DESC",
    "OWNER": "SELECT owner_id, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY owner_id ORDER BY 2 DESC",
    "CREATED_MONTH": "SELECT {month}, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 2 DESC",
    "OWNER CREATED_MONTH": (
        "SELECT owner_id, {month}, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY 1, 2 ORDER BY 3 DESC"
    ),
}


def fill(world: World, count: int) -> None:
    """Customers of six owners over two years, in two stages or none."""
    people, stages = [world.ids[x] for x in ("li", "mei", "wu", "lead", "ada", "sam")], ("early", "won", None)
    with world.backend.writer.engine.begin() as connection:
        for start in range(0, count, CHUNK):
            rows = [
                _row(n, people[n % len(people)], stages[n % 7 % 3]) for n in range(start, min(count, start + CHUNK))
            ]
            connection.execute(insert(Customer), rows)
        connection.execute(text("ANALYZE"))


def _row(n: int, owner: int, stage: str | None) -> dict[str, Any]:
    made = START - timedelta(minutes=n * 11 % 1_000_000)
    values = {"number": f"B{n:06}", "name": f"Customer {n}", "stage": stage, "owner_id": owner, "claimed_at": START}
    values |= {"extensions": 0, "has_open_opportunity": False, "version": 1}
    return with_keys(Customer, {**values, "created_at": made, "updated_at": made})


def measured(engine: str, count: int, rounds: int) -> dict[str, Any]:
    with database(engine) as url:
        World.settle(url)
        world = World(url)
        try:
            fill(world, count)
            return {by: compared(world, engine, by, rounds) for by in BY_HAND}
        finally:
            world.close()


def compared(world: World, engine: str, by: str, rounds: int) -> dict[str, float]:
    """The milliseconds of one grouping: by hand, for an administrator and for a user."""
    query, plain = ASKED % by, BY_HAND[by].format(month=MONTH[engine])
    callers = {login: Caller(world, login) for login in ("ada", "li")}
    for caller in callers.values():
        for _ in range(2):
            answer = caller.long(query, {})
            assert answer is not None, "the token holds"
            assert b'"errors"' not in answer, answer
    times: dict[str, list[float]] = {"by hand": [], "ada": [], "li": []}
    with world.backend.writer.engine.connect() as connection:
        for _ in range(rounds):
            began = time.perf_counter()
            connection.exec_driver_sql(plain).all()
            times["by hand"].append((time.perf_counter() - began) * 1000)
            for login, caller in callers.items():
                began = time.perf_counter()
                assert caller.short(query, {}) is not None, "answered by a plan"
                times[login].append((time.perf_counter() - began) * 1000)
    found = {name: round(statistics.quantiles(taken, n=4)[0], 1) for name, taken in times.items()}
    return {**found, "ratio": round(found["ada"] / found["by hand"], 2)}


def main() -> None:
    """Read the command line, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=21)
    given = parser.parse_args()
    engines = ["sqlite", "postgresql"] if given.engine == "both" else [given.engine]
    print(json.dumps({x: measured(x, given.customers, given.rounds) for x in engines}, indent=2))


if __name__ == "__main__":
    main()
