"""Whether the life of customers goes as an oracle says, over very many steps.

    python bench/lifecycle.py [--steps 20000] [--walk 60] [--seed 1000]

Walks by successive seeds, each from the beginning of the furnished small world of the tests, on SQLite.  Prints JSON: steps, walks, customers that fell, steps per second, and the differences: the
seed of each, the way to it, and what the oracle and the product say.  Exits with 1 if there is one.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from millpond.migrate import migrate
from models.database.engines import writing_engine
from tests.support import dialects, snapshots
from tests.support.life_walk import Walk, furnish, rewind
from tests.support.seal_files import copy_seal_files
from tests.support.sign_in import hash_cheaply
from tests.support.world import World


def template(folder: Path) -> str:
    """A database with the furnished small world in it."""
    url = f"sqlite:///{folder}/template.db"
    engine = writing_engine(url)
    migrate(engine)
    engine.dispose()
    World.settle(url)
    world = World(url)
    furnish(world)
    world.close()
    return url


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--steps", type=int, default=20_000)
    given.add_argument("--walk", type=int, default=60)
    given.add_argument("--seed", type=int, default=1_000)
    args = given.parse_args()
    dialects.share()
    snapshots.share()
    hash_cheaply()
    steps, walks, fallen, differences, answers = 0, 0, 0, [], Counter[str]()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        original = template(folder)
        copy = f"sqlite:///{shutil.copy(original.removeprefix('sqlite:///'), folder / 'walk.db')}"
        copy_seal_files(original, copy)
        world = World(copy)
        began, cpu = time.perf_counter(), time.process_time()
        while steps < args.steps:
            rewind(world, original)
            way = Walk(world, args.seed + walks)
            found = way.run(min(args.walk, args.steps - steps))
            steps, walks, fallen = steps + way.taken, walks + 1, fallen + way.fallen
            answers += way.answers
            differences += [found] if found else []
        world.close()
    seconds = time.perf_counter() - began
    figures: dict[str, Any] = {
        "steps": steps,
        "walks": walks,
        "fallen": fallen,
        "differences": len(differences),
        "seconds": round(seconds, 1),
        "cpu_ms_per_step": round(1_000 * (time.process_time() - cpu) / steps, 2),
        "steps_per_second": round(steps / seconds, 1),
        "answers": dict(answers.most_common()),
        "first": differences[:5],
    }
    print(json.dumps(figures, indent=1))
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
