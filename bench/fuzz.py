"""A hundred thousand distinct GraphQL requests, most of them broken, through all paths of the engine, and its memory.

    nice -n 19 python bench/fuzz.py [--texts 100000] [--engine sqlite] [--seed 0]

Every text goes to the compiled path and to the executor, for the users of the tests' small world in turn; every
twentieth is repeated, so that plans are made.  Every fourth that is answered without errors also takes the prepared
path with a token: repeatedly, after something was taken from its user and after they got it back.  Stops at the first
answer that differs or is an internal error.  Prints JSON: numbers of answers with data, with errors, too complex and on
the prepared path, cached documents and plans at the end, and the memory of the process in MiB after each tenth.  Takes
an hour beside other work.
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from typing import Any

from stage import database, show

# What the tests ask with; `stage` has put it on the path.
from tests.support.returning_caller import Caller, TAKEN  # isort: skip
from tests.support.query_corpus import Corpus  # isort: skip
from tests.support.broken_queries import Mutants  # isort: skip
from tests.graphql.test_fuzz import ask_again  # isort: skip
from tests.graphql.test_read_corpus import EVERYBODY, Executing, asked, populate  # isort: skip
from tests.support.world import World  # isort: skip

from schema.engine import Engine
from schema.plan import documents, plans

AGAIN, WITH_KEY = 20, 4
WHOLE, IN_VARIABLES = 0.02, 0.06
"""Shares of valid requests, lower than in the tests, because each of them takes a tenth of a second."""
_MIB = 2**20 // os.sysconf("SC_PAGE_SIZE")


def fuzz(world: World, texts: int, seed: int) -> dict[str, Any]:
    ids = populate(world)
    world.clock.pass_by(minutes=1)  # what began just now has lasted a while
    executing, planning = Executing(world.backend), Engine(world.backend)
    roots = planning.schema.query_type
    assert roots is not None
    mutants = Mutants(Corpus(planning.schema, list(roots.fields), ids, seed), seed, WHOLE, IN_VARIABLES)
    callers = {login: Caller(world, login, planning) for login in EVERYBODY}
    seen: Counter[str] = Counter()
    memory: list[int] = []
    began = time.perf_counter()
    for n in range(texts):
        operation, login = mutants.operation(), EVERYBODY[n % len(EVERYBODY)]
        executed = asked(world, executing, login, operation)
        for _ in range(2 if n % AGAIN == 0 else 1):
            if asked(world, planning, login, operation) != executed or '"INTERNAL"' in executed:
                raise SystemExit(f"text {n} of seed {seed}, asked by {login}: {operation}")
        seen.update(word for word in ("data", "errors", "TOO_COMPLEX") if f'"{word}"' in executed)
        if '"errors"' not in executed and seen["data"] % WITH_KEY == 0:
            seen["short"] += ask_again(callers[login], executing, operation, [*TAKEN][n % len(TAKEN)])
        assert planning.documents.count <= documents.MAX_DOCUMENTS
        assert planning.plans.count <= plans.MAX_PLANS
        if (n + 1) % max(1, texts // 10) == 0:
            gc.collect()
            memory.append(_resident())
            told = (
                f"{n + 1:,} texts, {planning.plans.count} plans, {memory[-1]} MiB, {time.perf_counter() - began:.0f} s"
            )
            print(told, file=sys.stderr, flush=True)
    return {
        "texts": texts,
        "answered": dict(seen),
        "documents": planning.documents.count,
        "plans": planning.plans.count,
        "resident MiB after each tenth": memory,
        "seconds": round(time.perf_counter() - began),
    }


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) // _MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--engine", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with database(given.engine) as url:
        World.settle(url)
        world = World(url)
        try:
            show({"database": given.engine, **fuzz(world, given.texts, given.seed)})
        finally:
            world.close()


if __name__ == "__main__":
    main()
