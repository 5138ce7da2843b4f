"""What a save costs: CPU time of creating and of updating a customer with a phone and an address, one after the other.

    python bench/saves.py [--engine sqlite|postgresql|both] [--saves 300]

All of a save is included: policy, rules, duplicate check, search docs, duplicate keys and log.  Names come from
`search_data.py`; no two are duplicates.  Prints JSON: median and 95th percentile of the CPU milliseconds of the process
per create, per update of the name, and per update of another field.  To compare two versions, run it in both trees in turn.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from search_data import Names
from sqlalchemy import text
from stage import database, show

from models import Customer
from resolvers.records import create_update
from tests.support.world import World


def measure(engine: str, saves: int) -> dict[str, Any]:
    with database(engine) as url:
        World.settle(url)
        world, names = World(url), Names(5)
        _rules_in_force(world)
        ids: list[int] = []

        def create(n: int) -> None:
            values = {"name": f"{names.company()}{n}", "phone": names.phone(), "email": f"a{n}@example{n}.com"}
            ids.append(world.ada.do(create_update.create, Customer, values).id)

        def rename(n: int) -> None:
            world.ada.do(create_update.update, Customer, ids[n], {"name": f"{names.company()}{n}"})

        def edit(n: int) -> None:
            world.ada.do(create_update.update, Customer, ids[n], {"industry": "steel"})

        figures = {
            name: _spread(saves, save)
            for name, save in {"create": create, "update of the name": rename, "update of the industry": edit}.items()
        }
        world.close()
    return figures


def _rules_in_force(world: World) -> None:
    """The world lets everything pass as no duplicate; here the defaults hold."""
    with world.backend.writer.engine.begin() as connection:
        if connection.dialect.has_table(connection, "duplicate_rule"):
            connection.execute(text("DELETE FROM duplicate_rule"))


def _spread(saves: int, save: Callable[[int], None]) -> dict[str, float]:
    taken = []
    for n in range(saves):
        began = time.process_time()
        save(n)
        taken.append((time.process_time() - began) * 1000)
    ordered = sorted(taken[saves // 10 :])  # the first compile statements
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95)], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--saves", type=int, default=300)
    given = parser.parse_args()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    show({engine: measure(engine, given.saves) for engine in engines})


if __name__ == "__main__":
    main()
