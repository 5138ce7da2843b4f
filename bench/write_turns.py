"""What a user's change waits for beside a job of another process, on SQLite.

    python bench/write_turns.py [--seconds 5] [--chunk 20] [--customers 400]

A user changes one customer after another through the use case, with a pause of 10 ms; a second process changes customers
in chunks, one transaction each, without a pause.  Measured without a job, beside a job that lets users go first, and
beside one that does not.  Prints JSON: p50, p95 and maximum of the user's changes in milliseconds, how many were refused,
and the job's rows per second.
"""

import argparse
import itertools
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from millpond.database import bring_up
from models import Customer, User
from models.errors import Busy
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope
from resolvers.runtime.seal_files import SealFiles

_processes = multiprocessing.get_context("spawn")


def change(scope: Scope, ids: Sequence[int], text: str) -> int:
    """Change the remark of these customers in one transaction."""
    with scope.write("customer.edit"):
        for id in ids:
            create_update.update(scope, Customer, id, {"remark": text})
    return len(ids)


def work(url: str, ids: Sequence[int], chunk: int, yields: bool, begun: Event, stop: Event, told: Any) -> None:
    """Change customers in chunks until told to stop; sends rows per second."""
    backend = Backend(url, yields=yields).open()
    scope, rows, began = backend.system("system:bench"), 0, time.monotonic()
    for number in itertools.count():
        if stop.is_set():
            break
        start = number * chunk % len(ids)
        try:
            rows += scope.do(change, ids[start : start + chunk], f"job {number}")
        except Exception as failure:  # noqa: BLE001  a job that is refused tries again
            print("the job was refused:", failure)
        begun.set()
    told.send(rows / (time.monotonic() - began))
    backend.writer.close()


def user_beside(backend: Backend, ids: Sequence[int], seconds: float) -> dict[str, Any]:
    scope, took, refused, until = backend.system("system:user"), [], 0, time.monotonic() + seconds
    for number in itertools.count():
        began = time.monotonic()
        if began > until:
            break
        try:
            scope.do(change, [ids[number % len(ids)]], f"user {number}")
        except Exception as failure:
            if not isinstance(failure, Busy):
                raise
            refused += 1
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.01)
    took.sort()
    at = {
        name: round(took[min(len(took) - 1, int(len(took) * part))], 1) for name, part in (("p50", 0.5), ("p95", 0.95))
    }
    return {"writes": len(took), **at, "max": round(took[-1], 1), "refused": refused}


def beside_a_job(backend: Backend, ids: Sequence[int], seconds: float, chunk: int, yields: bool) -> dict[str, Any]:
    begun, stop = _processes.Event(), _processes.Event()
    hears, tells = _processes.Pipe(duplex=False)
    job = _processes.Process(target=work, args=(backend.url, ids, chunk, yields, begun, stop, tells), daemon=True)
    job.start()
    try:
        begun.wait(60)
        found = user_beside(backend, ids, seconds)
        stop.set()
        return {**found, "job_rows_per_second": round(hears.recv()) if hears.poll(60) else None}
    finally:
        job.join(30)
        job.kill()


def _fill(scope: Scope, owner: int, count: int) -> list[int]:
    """The ids of new customers; a reason is given, because short invented names look like one another."""
    with scope.write("customer.create"):
        return [
            create_update.create(
                scope,
                Customer,
                {
                    "name": f"Company {n}",
                    "owner_id": owner,
                    "contact_name": "Ann",
                    "contact_phone": f"1380000{n:04d}",
                    "duplicate_reason": "invented",
                },
            ).id
            for n in range(count)
        ]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=5)
    asked.add_argument("--chunk", type=int, default=20)
    asked.add_argument("--customers", type=int, default=400)
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/turns.db"
        bring_up(url, files=SealFiles(Path(folder) / "key", Path(folder) / "anchor"))
        backend = Backend(url).open()
        system = backend.system("system:bench")
        owner = system.do(create_update.create, User, {"login": "li", "name": "Li Na"}).id
        ids = system.do(_fill, owner, chosen.customers)
        print(
            json.dumps(
                {
                    "no_job": user_beside(backend, ids, chosen.seconds),
                    "job_in_turn": beside_a_job(backend, ids, chosen.seconds, chosen.chunk, True),
                    "job_out_of_turn": beside_a_job(backend, ids, chosen.seconds, chosen.chunk, False),
                },
                indent=2,
            )
        )
        backend.writer.close()


if __name__ == "__main__":
    main()
