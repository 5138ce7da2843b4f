"""What users notice of an import, and how much memory it takes.

    python bench/import_beside.py sqlite|postgresql [--rows 20000] [--seconds 60]

A web process and two workers, each a process of its own.  This process is a user at the API: pages of customers, and changes
of a remark, with pauses of 20 ms; for some seconds alone, then from the check to the end of the import.  Prints JSON: the times
of reads and changes in milliseconds without and with the import, refused changes, rows per second of the application, and the
largest memory of the workers and of the processes that read the file, and the largest write-ahead log, in MiB.
"""

import argparse
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from import_kill import states
from imports import HEADINGS, begin, write
from killed import Processes
from releases import told
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from stage import database, show
from usage import children

import tasks
from models import Customer, ImportBatch
from models.import_batch import ImportState
from resolvers.imports import applying, mapping
from resolvers.imports.mapping import Plan
from resolvers.people import tokens
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.world import World

READ = "{ customers(first: 50) { nodes { id number name owner { name } contacts(first: 3) { nodes { name } } } } }"
CHANGE = (
    "mutation($id: ID!, $version: Int!, $text: String!) "
    "{ updateCustomer(input: {id: $id, version: $version, remark: $text}) { customer { id } problems { code } } }"
)
VERSION = "query($id: ID!) { customer(id: $id) { version } }"
LONGEST = 7200
"""Maximum number of seconds that a step may take."""
_B: Any = ImportBatch.__table__.c


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60, help="how long the user is alone before")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(given.engine) as url:
        file = Path(folder) / "customers.xlsx"
        write(file, given.rows)
        show({"engine": given.engine, "rows": given.rows, **measure(url, file, given.seconds)})


def measure(url: str, file: Path, seconds: float) -> dict[str, Any]:
    tasks.load()
    World.settle(url)
    world = World(url)
    try:
        world.clock.now = datetime.now(UTC)  # by which workers of other processes take its jobs
        token = world.ada.do(tokens.create_token, "bench").token
        mine = [world.ada.do(create_update.create, Customer, _customer(n)).id for n in range(20)]
        with Processes(url) as processes:
            memory = Memory(
                [processes.running[f"worker {n}"].pid for n in (1, 2)], Path(f"{make_url(url).database}-wal")
            )
            memory.start()
            alone = User(processes.port, token, mine)
            alone.wait_for_server()
            alone.start()
            time.sleep(seconds)
            alone.stop()
            beside, took = _imported(world, file, User(processes.port, token, mine))
            memory.stop()
        return {
            "alone": alone.told(),
            "beside": beside.told(),
            "seconds": took,
            "memory_mib": memory.largest,
            "states": dict(states(world, 1)),
        }
    finally:
        world.close()


def _imported(world: World, file: Path, user: "User") -> tuple["User", dict[str, float]]:
    """The user beside check and application, and the seconds of each step."""
    took: dict[str, float] = {}
    id = begin(world, file)
    took["read"] = _until(world, id, ImportState.READ)
    user.start()
    world.ada.do(mapping.set_mapping, id, Plan(dict(enumerate(HEADINGS.values()))))
    took["check"] = _until(world, id, ImportState.CHECKED)
    world.ada.do(applying.confirm, id)
    took["apply"] = _until(world, id, ImportState.DONE)
    user.stop()
    return user, took


def _until(world: World, id: int, wanted: ImportState) -> float:
    began, ada = time.monotonic(), world.ada  # looked up once, because that takes the write lock
    while time.monotonic() - began < LONGEST:
        if world.run(ada.read(_state, id)) == wanted:
            return round(time.monotonic() - began, 1)
        time.sleep(0.5)
    raise SystemExit(f"the import is not {wanted}")


def _state(_scope: Scope, db: Session, id: int) -> ImportState:
    return db.execute(select(_B.state).where(_B.id == id)).scalar_one()


def _customer(n: int) -> dict[str, Any]:
    return {
        "name": f"Standing {n}",
        "contact_name": "Ann",
        "contact_phone": f"1390000{n:04d}",
        "duplicate_reason": "invented",
    }


class User(threading.Thread):
    """Reads three pages and changes one customer, again and again, until told to stop."""

    def __init__(self, port: int, token: str, customers: list[int]) -> None:
        super().__init__(daemon=True)
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {token}"}, timeout=60
        )
        self._customers, self._stopping = customers, threading.Event()
        self._times: dict[str, list[float]] = {"reads": [], "changes": []}
        self._refused = 0

    def stop(self) -> None:
        self._stopping.set()
        self.join(120)

    def told(self) -> dict[str, Any]:
        return {**{what: told(times) for what, times in self._times.items()}, "refused": self._refused}

    def run(self) -> None:
        for _ in range(5):
            self._ask(READ, {})
        number = 0
        while not self._stopping.is_set():
            number += 1
            for _ in range(3):
                self._timed("reads", READ, {})
            id = f"cus_{self._customers[number % len(self._customers)]}"
            version = self._version(id)
            answer = self._timed("changes", CHANGE, {"id": id, "version": version, "text": f"change {number}"})
            self._refused += "data" not in answer or answer["data"]["updateCustomer"]["problems"] != []

    def _version(self, id: str) -> int:
        while "data" not in (answer := self._ask(VERSION, {"id": id})):
            self._refused += 1
        version: int = answer["data"]["customer"]["version"]
        return version

    def wait_for_server(self) -> None:
        while True:
            try:
                self._ask("{ me { name } }", {})
                return
            except (httpx.HTTPError, ValueError):
                time.sleep(0.2)

    def _timed(self, what: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        answer = self._ask(query, variables)
        self._times[what].append(time.perf_counter() - began)
        time.sleep(0.02)
        return answer

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.post("/graphql", json={"query": query, "variables": variables}).json()
        return answer


class Memory(threading.Thread):
    """The largest resident memory of some processes and of their children, looked at five times a second.

    Beside it, as `log`, the largest size of the write-ahead log of SQLite, in MiB as well.
    """

    def __init__(self, workers: list[int], log: Path) -> None:
        super().__init__(daemon=True)
        self._workers, self._log, self._stopping = workers, log, threading.Event()
        self.largest = {"worker": 0, "reader": 0, "log": 0}

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)

    def run(self) -> None:
        while not self._stopping.wait(0.2):
            with suppress(FileNotFoundError):
                self.largest["log"] = max(self.largest["log"], self._log.stat().st_size // 2**20)
            for worker in self._workers:
                self._look("worker", worker)
                for child in children(worker):
                    self._look("reader", child)

    def _look(self, what: str, pid: int) -> None:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:  # it has ended meanwhile
            return
        largest = next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)
        self.largest[what] = max(self.largest[what], largest)


if __name__ == "__main__":
    main()
