"""How fast neglected customers go back to a pool, and what users notice of it meanwhile.

    python bench/releases.py sqlite|postgresql://… [--customers 1000000] [--due 20000]

An installation with 50 owners in one pool and one rule, every customer with a release date of which the given number has
come.  One worker process runs the job; this process is a user beside it: lists of their own customers, and changes of a
remark.  Prints JSON: seconds and customers per second of the job, and the times of reads and changes in milliseconds
without and with it.  Give an empty database on PostgreSQL; on SQLite it is a file in a temporary folder.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from millpond.database import bring_up
from models import Customer, Pool, PoolMember, ReleaseRule, Role, User, UserRole
from models.base import utcnow
from models.pool import GranteeKind, Seat
from resolvers.jobs.kinds import KINDS
from resolvers.reading.pages import ListRequest, page
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from tasks import load
from tasks.engine import Engine

ROOT = Path(__file__).resolve().parents[1]
OWNERS = 50
DAYS = 30
_C: Any = Customer.__table__


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=20_000)
    parser.add_argument("--worker", action="store_true", help="run the job and say how long it took")
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(work(given.database)))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db" if given.database == "sqlite" else given.database
        print(json.dumps(measure(url, given.customers, given.due), indent=1))


def measure(url: str, customers: int, due: int) -> dict[str, Any]:
    began = time.monotonic()
    user = settle(url, customers, due)
    built = time.monotonic() - began
    backend = Backend(url).open()
    try:
        alone = {"reads": reads(backend, user, 40), "changes": changes(backend, user, 40)}
        worker = subprocess.Popen(
            [sys.executable, __file__, url, "--worker"],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
        )
        beside: dict[str, list[float]] = {"reads": [], "changes": []}
        wait_for_progress(backend, due, worker)
        while worker.poll() is None:
            beside["reads"] += reads(backend, user, 4)
            beside["changes"] += changes(backend, user, 1)
        done = json.loads(worker.stdout.read()) if worker.stdout else {}
        left = due_now(backend)
    finally:
        backend.writer.close()
    return {
        "customers": customers,
        "due": due,
        "built_seconds": round(built, 1),
        "job": done,
        "left_due": left,
        "alone": {what: told(times) for what, times in alone.items()},
        "beside": {what: told(times) for what, times in beside.items()},
    }


def told(times: list[float]) -> dict[str, float]:
    """Median, p95, p99 and maximum in milliseconds."""
    if not times:
        return {}
    ordered = sorted(times)
    at = {"p95": 0.95, "p99": 0.99}
    found = {
        "p50": statistics.median(ordered),
        **{name: ordered[int(share * (len(ordered) - 1))] for name, share in at.items()},
    }
    return {
        "count": len(ordered),
        **{name: round(1000 * x, 1) for name, x in found.items()},
        "max": round(1000 * ordered[-1], 1),
    }


# --- the installation ------------------------------------------------------------------------------------


def settle(url: str, customers: int, due: int) -> str:
    """Create everything; returns the login of one owner."""
    bring_up(url)
    backend = Backend(url).open()
    try:
        make_all(backend, customers, due)
    finally:
        backend.writer.close()
    return "owner0"


def make_all(backend: Backend, customers: int, due: int) -> None:
    """The pool, its rule and its members, and their customers."""
    system = backend.system("system:bench")

    def make(model: Any, **values: Any) -> int:
        id: int = system.do(create_update.create, model, values).id
        return id

    pool = make(Pool, name="Bench")
    with backend.writer.engine.connect() as connection:
        sales = connection.execute(select(Role.__table__.c.id).where(Role.__table__.c.code == "sales")).scalar_one()
    owners = []
    for n in range(OWNERS):
        owners.append(make(User, login=f"owner{n}", name=f"Owner {n}"))
        make(UserRole, user_id=owners[-1], role_id=sales)
        make(PoolMember, pool_id=pool, grantee_kind=GranteeKind.USER, grantee_id=owners[-1], seat=Seat.MEMBER)
    rule = make(ReleaseRule, pool_id=pool, name="Bench", days=DAYS, everybody=True)
    with backend.writer.engine.begin() as connection:
        connection.execute(text("UPDATE release_rule SET enabled = :on"), {"on": True})
        connection.execute(text("UPDATE release_book SET edition = 'bench'"))
        fill(connection, customers, due, owners[0], rule)
        connection.execute(text("DELETE FROM job"))


def fill(connection: Connection, customers: int, due: int, first_owner: int, rule: int) -> None:
    """Insert the customers with their open periods, in chunks."""
    now = utcnow()
    late, early = now - timedelta(days=DAYS, minutes=5), now - timedelta(days=DAYS // 2)
    every = customers // due
    loads: dict[int, int] = {}
    for start in range(0, customers, 20_000):
        rows = []
        for n in range(start, min(start + 20_000, customers)):
            claimed = late if n // OWNERS % every == 0 else early
            owner = first_owner + n % OWNERS
            loads[owner] = loads.get(owner, 0) + 1
            rows.append(
                {
                    "id": n + 1,
                    "number": f"B{n:08d}",
                    "number_key": f"b{n:08d}",
                    "number_order": f"b{n:08d}",
                    "name": f"Company {n}",
                    "name_key": f"company {n}",
                    "owner_id": owner,
                    "claimed_at": claimed,
                    "release_due_at": claimed + timedelta(days=DAYS),
                    "release_rule_id": rule,
                    "version": 1,
                    "created_at": claimed,
                    "updated_at": claimed,
                }
            )
        connection.execute(insert(_C), rows)
    connection.execute(
        text(
            "INSERT INTO ownership_period (customer_id, owner_id, began, started_at)"
            " SELECT id, owner_id, 'CREATE', claimed_at FROM customer"
        )
    )
    connection.execute(text("DELETE FROM owner_load"))
    for owner, held in loads.items():
        connection.execute(text("INSERT INTO owner_load (user_id, held) VALUES (:u, :h)"), {"u": owner, "h": held})


# --- what is measured ------------------------------------------------------------------------------------


def due_now(backend: Backend) -> int:
    with backend.writer.engine.connect() as connection:
        asked = select(func.count()).where(_C.c.release_due_at <= utcnow(), _C.c.deleted_at.is_(None))
        found: int = connection.execute(asked).scalar_one()
        return found


def wait_for_progress(backend: Backend, due: int, worker: Any) -> None:
    while worker.poll() is None and due_now(backend) >= due:
        time.sleep(0.05)


_LOOP = asyncio.new_event_loop()


def reads(backend: Backend, login: str, times: int) -> list[float]:
    """Times of a page of one's own customers."""
    scope = backend.scope(backend.person(login), "bench")
    wanted = ListRequest(
        Customer, ("number", "name", "stage", "release_due_at"), {"owner_id": {"eq": scope.me}}, size=50, counts=False
    )
    found = []
    for _ in range(times):
        began = time.perf_counter()
        _LOOP.run_until_complete(scope.read(page, wanted))
        found.append(time.perf_counter() - began)
    return found


def changes(backend: Backend, login: str, times: int) -> list[float]:
    """Times of a change of a remark of one's own customers that are not due."""
    scope = backend.scope(backend.person(login), "bench")
    with backend.writer.engine.connect() as connection:
        mine = select(_C.c.id).where(_C.c.owner_id == scope.me, _C.c.release_due_at > utcnow()).limit(200)
        ids = list(connection.execute(mine).scalars())
    found = []
    for n in range(times):
        id = ids[(n * 7 + int(time.time() * 1000)) % len(ids)]
        began = time.perf_counter()
        scope.do(create_update.update, Customer, id, {"remark": f"seen {time.time()}"})
        found.append(time.perf_counter() - began)
    return found


def work(url: str) -> dict[str, Any]:
    """Run the release job as a worker does; returns its seconds."""
    load()
    for other in [name for name in KINDS if name != "release_due_customers"]:
        del KINDS[other]
    backend = Backend(url, yields=True).open()
    engine = Engine(backend, "w0")
    began = time.monotonic()
    engine.run_due(20)
    seconds = time.monotonic() - began
    backend.writer.close()
    return {"seconds": round(seconds, 1)}


if __name__ == "__main__":
    main()
