"""How long the duplicate check takes while a user types, over a million names.

    python bench/duplicate_check.py [--engine sqlite|postgresql|both] [--docs 1000000] [--names 60]

The customers and contacts are those of `search_data.py`.  A sales user who owns 1 in 50 types names of companies, half
of which are there: the check runs for each beginning of four characters and more, as the form asks for it, then with a
phone.  Prints JSON: number of checks, and p50 and p95 of a check in milliseconds, whole use case in process, answers
included; and p50 and p95 of `duplicateCheckMany`'s use case with 200 rows.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

from search_data import Names, fill
from sqlalchemy import text
from stage import database, show

from models import Customer
from resolvers.duplicates.check import check, check_many
from resolvers.duplicates.key_index import rebuild
from tests.support.world import World

BEGINNING = 4
"""Minimum number of characters of a name for which the form asks."""
ROWS = 200


def typed(names: int) -> Iterator[dict[str, str]]:
    """What the form sends: every other name is one that `search_data.py` has made."""
    there, others = Names(), Names(77)
    for n in range(names):
        name = there.company() if n % 2 else others.company()
        phone = there.phone() if n % 2 else others.phone()
        yield from ({"name": name[:end]} for end in range(BEGINNING, len(name) + 1))
        yield {"name": name, "phone": phone}


def measure(world: World, names: int) -> dict[str, Any]:
    world.backend.budgets.check = world.backend.budgets.spend = lambda *_: None  # type: ignore[method-assign]
    world.backend.budgets.take = lambda *_: None  # type: ignore[method-assign]
    asked = [*typed(names)]
    for given in asked[:20]:  # the first compile statements
        world.run(world.li.read(check, Customer, given))
    singles = [_timed(world, check, given) for given in asked]
    many = [_timed(world, check_many, asked[n : n + ROWS]) for n in range(0, len(asked) - ROWS + 1, ROWS)]
    return {"checks": len(asked), "one": _spread(singles), f"{ROWS} at once": _spread(many)}


def _timed(world: World, reading: Any, given: Any) -> float:
    scope = world.li
    began = time.perf_counter()
    world.run(scope.read(reading, Customer, given))
    return (time.perf_counter() - began) * 1000


def _spread(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95)], 2)}


def prepare(world: World) -> None:
    """Fill the keys, and let the default rules hold."""
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
        rebuild(connection)
    with world.backend.writer.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--docs", type=int, default=1_000_000)
    parser.add_argument("--names", type=int, default=60)
    given = parser.parse_args()
    figures = {}
    for engine in ("sqlite", "postgresql") if given.engine == "both" else (given.engine,):
        with database(engine) as url:
            world, _ = fill(url, given.docs)
            prepare(world)
            figures[engine] = measure(world, given.names)
            world.close()
    show(figures)


if __name__ == "__main__":
    main()
