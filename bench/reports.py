"""How fast reports are on 100,000 customers: each beside a plain COUNT of its records by groups, in one run.

    python bench/reports.py [--engine sqlite|postgresql|both] [--customers 100000] [--rounds 7]

There is a follow-up for each customer and an opportunity for every fifth.  Each report runs with its usual dimension,
over its usual period and over a year beside the year before, for an administrator and for a lead who sees two thirds of
the customers.  The plain statement counts all rows outside the
bin by the same column, without rights and once.  Prints JSON: the lower quartile of the
milliseconds, and the ratio.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import stats
from sqlalchemy import insert, text
from stage import database

from models import Base, FollowUp, Opportunity
from resolvers.reports.centre import open_reports
from resolvers.reports.period import ReportPeriod
from resolvers.reports.running import run
from resolvers.reports.settings import Settings
from tests.support.world import START, World

PEOPLE = ("ada", "lead")
COLUMNS = {"customers": "stage", "new-and-lost": "source", "follow-ups": "owner_id", "forecast": "expected_close"}
"""Report -> the column by which the plain statement counts; `pool_id` for any other."""


def fill(world: World, count: int) -> None:
    """Customers as in `stats.py`, with follow-ups and opportunities of their owners."""
    stats.fill(world, count)
    with world.backend.writer.engine.begin() as connection:
        owners = [(row.id, row.owner_id) for row in connection.execute(text("SELECT id, owner_id FROM customer"))]
        for model, rows in ((FollowUp, _calls(owners)), (Opportunity, _deals(owners))):
            made = [*rows]
            for at in range(0, len(made), stats.CHUNK):
                connection.execute(insert(model), made[at : at + stats.CHUNK])
        connection.execute(text("ANALYZE"))


def _calls(owners: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for n, (customer, owner) in enumerate(owners):
        at = START - timedelta(minutes=n * 11 % 1_000_000)
        call = {"customer_id": customer, "owner_id": owner, "kind": ("CALL", "EMAIL")[n % 2], "content": "Call"}
        yield {**call, "happened_at": at, "counts": n % 3 > 0, "version": 1, "created_at": at, "updated_at": at}


def _deals(owners: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for n, (customer, owner) in enumerate(owners[::5]):
        money = {"amount": Decimal(100 * n % 99_999), "currency": ("CNY", "EUR")[n % 2], "probability": n % 10 * 10}
        day = (START + timedelta(days=n % 300)).date()
        deal = {"customer_id": customer, "owner_id": owner, "name": "Deal", "state": "OPEN"}
        yield {**deal, **money, "expected_close": day, "version": 1, "created_at": START, "updated_at": START}


def measured(engine: str, count: int, rounds: int) -> list[dict[str, Any]]:
    """A line for each report, user and period."""
    with database(engine) as url:
        World.settle(url)
        world = World(url)
        try:
            fill(world, count)
            return [*_lines(world, rounds)]
        finally:
            world.close()


def _lines(world: World, rounds: int) -> Iterator[dict[str, Any]]:
    for login in PEOPLE:
        for report in open_reports(world.scope(login)):
            for period in dict.fromkeys((report.period, ReportPeriod.YEAR)):

                def ask(login: str = login, key: str = report.key, period: ReportPeriod = period) -> object:
                    return world.run(world.scope(login).read(run, key, Settings(period)))

                by = COLUMNS.get(report.key, "pool_id")
                counted = quartile(rounds, lambda model=report.model, by=by: _counted(world, model, by))
                ran = quartile(rounds, ask)
                line = {"report": report.key, "who": login, "period": period.value}
                yield {**line, "ms": ran, "count": counted, "ratio": round(ran / counted, 1)}


def _counted(world: World, model: type[Base], by: str) -> object:
    asked = f"SELECT {by}, count(*) FROM {model.__tablename__} WHERE deleted_at IS NULL GROUP BY {by}"
    with world.backend.writer.engine.connect() as connection:
        return connection.execute(text(asked)).all()


def quartile(rounds: int, ask: Callable[[], object]) -> float:
    """The lower quartile of the milliseconds of some runs, after one that is not counted."""
    ask()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - began))
    return round(statistics.quantiles(taken, n=4)[0], 1)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="sqlite")
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--rounds", type=int, default=7)
    asked = given.parse_args()
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    print(json.dumps({x: measured(x, asked.customers, asked.rounds) for x in engines}, indent=1))


if __name__ == "__main__":
    main()
