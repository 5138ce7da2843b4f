"""How durable and how fast background jobs are.

    python bench/jobs.py sqlite|postgresql://… [--slots 200] [--rows 20000] [--kills 4]

1. A schedule with five workers of their own processes, one of them killed in between and one more in its place: how many
   slots became a job, and how many jobs ran more than once or not at all.
2. What enqueueing adds to a use case: the median of a change with a job less the median of the same change without.
3. `kill -9` of the worker while it runs a job over many rows, several times: rows lost, rows done twice, and the
   times from a kill to the next progress.  A second worker stands by, and a new one is started in place of the killed one.

Each row is counted by an update in the chunk's transaction, so a row that was done twice shows a 2.  Prints JSON.
Give an empty database on PostgreSQL; on SQLite it is a file in a temporary folder.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from millpond.database import bring_up
from models import Event, Job
from models.job import JobState
from models.names import Names
from resolvers.jobs.kinds import Kind, Progress, Work, add_kind
from resolvers.jobs.schedules import Every
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope
from resolvers.runtime.seal_files import SealFiles
from tasks.worker import work_until_stopped

ROOT = Path(__file__).resolve().parents[1]
INTERVAL = timedelta(milliseconds=200)
_EVENTS: Any = Event.__table__
_JOBS: Any = Job.__table__
_TICKS = _JOBS.c.kind == "bench_tick"
_LOOP = asyncio.new_event_loop()


# --- kinds, the same in this process and in workers ------------------------------------------------------


def tick(_scope: Scope, db: Session, _work: Work) -> Progress:
    """Do nothing but be noted."""
    db.execute(insert(_EVENTS).values(at=_scope.now(), topic="tick", action="bench", record_id=None))
    return Progress(0, 1, more=False)


def count(_scope: Scope, db: Session, work: Work) -> Progress:
    """Count each of the next rows once more, in the time of a chunk."""
    ids = db.execute(
        select(_EVENTS.c.id)
        .where(_EVENTS.c.id > work.position, _EVENTS.c.topic == "row")
        .order_by(_EVENTS.c.id)
        .limit(work.size)
    )
    done = [id for (id,) in ids]
    for id in done:
        db.execute(update(_EVENTS).where(_EVENTS.c.id == id).values(record_id=_EVENTS.c.record_id + 1))
    return Progress(done[-1] if done else work.position, len(done), more=len(done) == work.size)


def declare(*, ticks: bool) -> None:
    schedule = Every(INTERVAL) if ticks else None
    add_kind(Kind("bench_tick", Names("Tick", "Ticks", zh="滴答"), "system.tidy", tick, schedule=schedule))
    add_kind(Kind("bench_count", Names("Count", "Counts", zh="计数"), "system.tidy", count))


# --- processes -------------------------------------------------------------------------------------------


def _started(url: str, *, ticks: bool = False, is_awaited: bool = True) -> "subprocess.Popen[bytes]":
    command = [sys.executable, __file__, url, "--be-a-worker", *(["--ticks"] if ticks else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    if is_awaited and process.stdout is not None:
        process.stdout.readline()  # it is ready
        time.sleep(0.3)  # until it has its name
    return process


@contextmanager
def worker(url: str, *, ticks: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    process = _started(url, ticks=ticks)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def schedules(url: str, backend: Backend, slots: int) -> dict[str, Any]:
    """Let five workers fire for a while, and kill one of them in the middle."""
    workers = [worker(url, ticks=True) for _ in range(5)]
    processes = [each.__enter__() for each in workers]
    began, is_killed = time.monotonic(), False
    try:
        while (fired := _count(backend, _JOBS, _TICKS)) < slots:
            time.sleep(0.2)
            if fired > slots / 2 and not is_killed:
                processes[2].kill()
                is_killed = True
                workers.append(replacement := worker(url, ticks=True))
                replacement.__enter__()
        took = time.monotonic() - began
    finally:
        for each in workers:
            each.__exit__(None, None, None)
    fired = _count(backend, _JOBS, _TICKS)
    done = _count(backend, _JOBS, _TICKS, _JOBS.c.state == JobState.DONE)
    times = _slots(backend)
    gaps = sum(1 for a, b in pairwise(times) if b - a != INTERVAL)
    return {
        "slots": fired,
        "twice": fired - len({*times}),
        "gaps": gaps,
        "jobs_done": done,
        "runs": _count(backend, _EVENTS, _EVENTS.c.topic == "tick"),
        "seconds": round(took, 1),
    }


def enqueueing(backend: Backend, tries: int = 150) -> dict[str, float]:
    """Medians of a change with and without a job, in turn, in milliseconds."""
    scope = backend.system("system:bench")
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * tries):
        began = time.perf_counter()
        scope.do(_change, with_job=bool(number % 2))
        took[bool(number % 2)].append(1000 * (time.perf_counter() - began))
    plain, more = statistics.median(took[False]), statistics.median(took[True])
    return {"without_ms": round(plain, 2), "with_ms": round(more, 2), "added_ms": round(more - plain, 2)}


def _change(scope: Scope, *, with_job: bool) -> None:
    with scope.write("system.tidy") as db:
        scope.tell(db, "bench", None)
        if with_job:
            scope.later("bench_nothing", {"number": 1})


def kills(url: str, backend: Backend, rows: int, times: int) -> dict[str, Any]:
    """Kill the one of two workers that runs the job, several times, and count what became of the rows."""
    dice, resumed = random.Random(7), list[float]()
    with backend.writer.engine.begin() as connection:
        row = {"at": backend.clock(), "topic": "row", "action": "bench", "record_id": 0}
        connection.execute(insert(_EVENTS), [row] * rows)
    began, by_name = time.monotonic(), {name: _started(url) for name in ("w0", "w1")}
    job = backend.system("system:bench").do(_enqueue)
    try:
        while not _over(backend, job):
            time.sleep(dice.uniform(0.1, 0.6))
            if len(resumed) < times and (holder := _holder(backend, job)) in by_name and not _over(backend, job):
                by_name[holder].kill()
                by_name[holder].wait()
                killed, before = time.monotonic(), _progress(backend, job)
                by_name[holder] = _started(url, is_awaited=False)
                while _progress(backend, job) == before and not _over(backend, job):
                    time.sleep(0.01)
                resumed.append(time.monotonic() - killed)
    finally:
        for process in by_name.values():
            process.terminate()
            process.wait(30)
    counted = _counted(backend)
    return {
        "rows": rows,
        "kills": len(resumed),
        "lost": counted.get(0, 0),
        "twice": sum(number for times, number in counted.items() if times > 1),
        "done_of_job": _progress(backend, job),
        "resumed_after_seconds": [round(seconds, 2) for seconds in resumed],
        "seconds": round(time.monotonic() - began, 1),
    }


def _enqueue(scope: Scope) -> int:
    with scope.write("system.tidy"):
        return scope.later("bench_count", {})


# --- looking ---------------------------------------------------------------------------------------------


def _all(backend: Backend, statement: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with backend.read_engine.connect() as connection:
            return list((await connection.execute(statement)).all())

    return _LOOP.run_until_complete(read())


def _count(backend: Backend, table: Any, *where: Any) -> int:
    return int(_all(backend, select(func.count()).select_from(table).where(*where))[0][0])


def _slots(backend: Backend) -> list[Any]:
    return [slot for (slot,) in _all(backend, select(_JOBS.c.slot).where(_TICKS).order_by(_JOBS.c.slot))]


def _progress(backend: Backend, job: int) -> int:
    return int(_all(backend, select(_JOBS.c.done).where(_JOBS.c.id == job))[0][0])


def _holder(backend: Backend, job: int) -> str | None:
    row = _all(backend, select(_JOBS.c.worker).where(_JOBS.c.id == job, _JOBS.c.state == JobState.RUNNING))
    return row[0][0] if row else None


def _over(backend: Backend, job: int) -> bool:
    return _all(backend, select(_JOBS.c.ended_at).where(_JOBS.c.id == job))[0][0] is not None


def _counted(backend: Backend) -> dict[int, int]:
    """How often a row was done -> how many rows."""
    by = select(_EVENTS.c.record_id, func.count()).where(_EVENTS.c.topic == "row").group_by(_EVENTS.c.record_id)
    return {int(times): int(number) for times, number in _all(backend, by)}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("url")
    asked.add_argument("--slots", type=int, default=200)
    asked.add_argument("--rows", type=int, default=20_000)
    asked.add_argument("--kills", type=int, default=4)
    asked.add_argument("--be-a-worker", action="store_true")
    asked.add_argument("--ticks", action="store_true")
    chosen = asked.parse_args()
    if chosen.be_a_worker:
        declare(ticks=chosen.ticks)
        work_until_stopped(Backend(chosen.url, yields=True), 1, lambda: print("ready", flush=True))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db" if chosen.url == "sqlite" else chosen.url
        bring_up(url, files=SealFiles(Path(folder) / "key", Path(folder) / "anchor"))
        declare(ticks=False)
        backend = Backend(url).open()
        found = {
            "enqueue": enqueueing(backend),
            "kill": kills(url, backend, chosen.rows, chosen.kills),
            "schedule": schedules(url, backend, chosen.slots),
        }
        print(json.dumps(found, indent=2))
        _LOOP.run_until_complete(backend.close())


if __name__ == "__main__":
    main()
