"""What `kill -9` at random moments does to an import, from the reading of its file to its undoing.

    python bench/import_kill.py sqlite|postgresql [--rows 20000] [--kills 20] [--undo]

Two workers and one web process, each started again as soon as it is killed.  A workbook of customers is read, checked and
applied by the workers, as a user would have it; with `--undo` it is undone afterwards.  Half of the kills fall on the
application, the rest on reading and check; each is of a worker or of the web process.  Afterwards every row must have become
one customer, with one contact, one open period and one log entry each.  Prints JSON: rows lost or done twice, counts that are
wrong, broken promises, and the seconds from each kill of a worker to the next progress.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imports import HEADINGS, begin, write
from killed import Processes
from sqlalchemy import func, select
from stage import database, show

import tasks
from models import AuditEntry, Contact, Customer, ImportBatch, ImportRow, OwnershipPeriod
from models.import_batch import ImportState
from resolvers.imports import applying, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.setup.invariants import broken
from tests.support.world import World

_B: Any = ImportBatch.__table__.c
_R: Any = ImportRow.__table__.c
_C: Any = Customer.__table__.c
_P: Any = OwnershipPeriod.__table__.c
_E: Any = AuditEntry.__table__.c
LONGEST = 900
"""Maximum number of seconds that a step may take."""
SHARES = {ImportState.READ: 0.15, ImportState.CHECKED: 0.35, ImportState.DONE: 0.5, ImportState.UNDONE: 0.5}
"""State that a step ends with -> its share of the kills."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--undo", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(given.engine) as url:
        file = Path(folder) / "customers.xlsx"
        write(file, given.rows)
        show({"engine": given.engine, "rows": given.rows, **measure(url, file, given)})


def measure(url: str, file: Path, given: argparse.Namespace) -> dict[str, Any]:
    tasks.load()
    World.settle(url)
    world = World(url)
    try:
        world.clock.now = datetime.now(UTC)  # by which workers of other processes take its jobs
        killing = Killing(world, given.kills)
        with Processes(url) as processes:
            id = begin(world, file)
            killing.through(processes, id, ImportState.READ)
            world.ada.do(mapping.set_mapping, id, Plan(dict(enumerate(HEADINGS.values()))))
            killing.through(processes, id, ImportState.CHECKED)
            world.ada.do(applying.confirm, id)
            killing.through(processes, id, ImportState.DONE)
            found = after(world, id, given.rows)
            if given.undo:
                world.ada.do(undoing.begin_undoing, id)
                killing.through(processes, id, ImportState.UNDONE)
                found["not_undone"] = given.rows - states(world, id)["UNDONE"] + live(world)
        return {
            "kills_of_workers": len(killing.resumed),
            "kills_of_web": killing.of_web,
            **found,
            "resumed_seconds": {
                "median": round(statistics.median(killing.resumed), 2) if killing.resumed else None,
                "max": round(max(killing.resumed, default=0), 2),
            },
        }
    finally:
        world.close()


class Killing:
    """Kills workers and web at random moments of each step of an import."""

    def __init__(self, world: World, kills: int) -> None:
        self._world, self._kills, self._dice = world, kills, random.Random(11)
        self.resumed: list[float] = []
        self.of_web = 0

    def through(self, processes: Processes, id: int, until: ImportState) -> None:
        """Kill while the step is under way, then wait until the import is in this state.  Raises SystemExit where it never is."""
        left, began = round(self._kills * SHARES[until]), time.monotonic()
        while left and self._progress(id)[0] is not until:
            time.sleep(self._dice.uniform(0.05, 0.8))
            self._kill(processes, id, until)
            left -= 1
        while self._progress(id)[0] is not until:
            if time.monotonic() - began > LONGEST:
                raise SystemExit(f"the import stands still: {self._progress(id)}")
            time.sleep(0.05)

    def _kill(self, processes: Processes, id: int, until: ImportState) -> None:
        name = self._dice.choice(("worker 1", "worker 2", "worker 1", "worker 2", "web"))
        processes.kill(name)
        if name == "web":
            self.of_web += 1
            return
        killed, there = time.monotonic(), self._progress(id)
        while self._progress(id) == there and there[0] is not until and time.monotonic() - killed < LONGEST:
            time.sleep(0.02)
        self.resumed.append(time.monotonic() - killed)

    def _progress(self, id: int) -> tuple[ImportState, int]:
        with self._world.backend.writer.engine.connect() as connection:
            state, position = connection.execute(select(_B.state, _B.position).where(_B.id == id)).one()
            return ImportState(state), position


def states(world: World, id: int) -> Counter[str]:
    with world.backend.writer.engine.connect() as connection:
        return Counter(connection.execute(select(_R.state).where(_R.batch_id == id)).scalars())


def live(world: World) -> int:
    """Number of customers that are not in the bin."""
    with world.backend.writer.engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(_C.deleted_at.is_(None))).scalar_one())


def after(world: World, id: int, rows: int) -> dict[str, Any]:
    """What became of the rows: lost ones, those done twice, and what is missing beside a customer."""
    with world.backend.writer.engine.connect() as connection:
        names = Counter(connection.execute(select(_C.name)).scalars())
        contacts = Counter(connection.execute(select(Contact.__table__.c.customer_id)).scalars())
        periods = Counter(connection.execute(select(_P.customer_id).where(_P.ended_at.is_(None))).scalars())
        entries = Counter(
            connection.execute(
                select(_E.record_id).where(_E.action == "customer.import", _E.entity == "customer")
            ).scalars()
        )
        customers = set(connection.execute(select(_C.id)).scalars())
        written = set(connection.execute(select(_R.record_id).where(_R.batch_id == id)).scalars())
        promises = broken(connection)[:5]
    return {
        "rows_lost": rows - len(names),
        "rows_twice": sum(1 for number in names.values() if number > 1),
        "customers_without_row": len(customers - written),
        "contacts_missing_or_twice": sum(1 for x in customers if contacts[x] != 1),
        "periods_missing_or_twice": sum(1 for x in customers if periods[x] != 1),
        "entries_missing_or_twice": sum(1 for x in customers if entries[x] != 1),
        "states": dict(states(world, id)),
        "broken": promises,
    }


if __name__ == "__main__":
    main()
