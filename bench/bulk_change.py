"""How fast a bulk change of many customers is, and its undoing.

    python bench/bulk_change.py sqlite|postgresql [--rows 20000] [--edited 500]

Customers with two fields to change are changed by the job, some are edited by their owner, and all is undone.  Prints JSON: rows a
second of both, the longest and the median chunk in milliseconds without its commit, the three lists of the undoing, and what is broken afterwards.
"""

import argparse
import random
import statistics
import time
from typing import Any

from sqlalchemy import select
from stage import database, show

import tasks
from models import Customer
from models.bulk_change import ItemState
from resolvers.audit.verification import verify
from resolvers.bulk import changes, changing, undoing
from resolvers.bulk.many import create_many
from resolvers.exports.listing import Listing
from resolvers.jobs.kinds import Progress
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tasks.engine import Engine
from tests.support.world import World

CHUNK = 100


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--edited", type=int, default=500)
    given = parser.parse_args()
    with database(given.engine) as url:
        show({**vars(given), **measure(url, given.rows, given.edited)})


def measure(url: str, rows: int, edited: int) -> dict[str, Any]:
    tasks.load()
    World.settle(url)
    world = World(url)
    try:
        fill(world, rows)
        began = time.monotonic()
        id = world.scope("li").do(changing.begin, Customer, Listing(), {"stage": "won", "remark": "Reviewed"}, "Bench")
        chunks = run(world)
        changed = time.monotonic() - began
        edit(world, edited)
        batch = world.run(world.scope("li").read(changes.bulk_change, id)).row.batch_id
        began = time.monotonic()
        undone = world.scope("li").do(undoing.undo, batch)
        chunks_of_undo = run(world)
        taken = time.monotonic() - began
        made = world.run(world.scope("li").read(changes.bulk_change, undone))
        with world.backend.writer.engine.connect() as connection:
            problems = [*broken(connection), *verify(connection).problems]
        return {
            "changed_per_second": round(rows / changed),
            "undone_per_second": round(rows / taken),
            "change": told(chunks),
            "undo": told(chunks_of_undo),
            "lists": {
                state.value: made.counts.get(state, 0) for state in (ItemState.DONE, ItemState.KEPT, ItemState.REFUSED)
            },
            "broken": problems,
        }
    finally:
        world.close()


def fill(world: World, rows: int) -> None:
    for start in range(0, rows, CHUNK):
        some = [
            {"name": f"Company {n}", "stage": "early", "owner_id": world.ids["li"], "remark": f"Note {n}"}
            for n in range(start, min(start + CHUNK, rows))
        ]
        refused = [x for x in world.scope("ada").do(create_many, Customer, some) if x.refusal is not None]
        assert not refused, refused[0].refusal


def edit(world: World, number: int) -> None:
    with world.backend.writer.engine.connect() as connection:
        ids = [*connection.execute(select(Customer.id)).scalars()]
    for id in random.Random(7).sample(ids, min(number, len(ids))):
        world.scope("li").do(create_update.update, Customer, id, {"stage": "early"})


def run(world: World) -> list[float]:
    """Carry the job out; returns the seconds of each chunk."""
    seconds: list[float] = []
    original = changing.carry_on

    def timed(*args: Any) -> Progress:
        began = time.monotonic()
        try:
            return original(*args)
        finally:
            seconds.append(time.monotonic() - began)

    changing.carry_on = timed
    try:
        Engine(world.backend, "bench").run_due()
    finally:
        changing.carry_on = original
    return seconds


def told(seconds: list[float]) -> dict[str, Any]:
    return {
        "chunks": len(seconds),
        "median_ms": round(1000 * statistics.median(seconds), 1),
        "longest_ms": round(1000 * max(seconds), 1),
    }


if __name__ == "__main__":
    main()
