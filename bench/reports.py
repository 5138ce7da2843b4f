"""How fast reports are: each beside a plain COUNT over the records that it counts.

    millpond demo --customers 100000 --only-fill
    python bench/reports.py --url sqlite:///var/demo.db [--times 5]

Each report runs with its usual dimension and period, and over all times or the year, for an administrator and a lead.
Prints JSON: per report and user the median in milliseconds, that of
`SELECT count(*)` over the table of its records, and their ratio.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.database.bypass import Because, bypass_policy
from resolvers.reports.centre import open_reports
from resolvers.reports.period import PeriodKind
from resolvers.reports.report import Report
from resolvers.reports.running import run
from resolvers.reports.settings import Settings
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

PEOPLE = ("ada", "lead")


def plain_count(_scope: Scope, db: Session, report: Report) -> int:
    """The number of rows of the table, in and out of sight."""
    asked = select(func.count(text("*"))).select_from(report.model.__table__)
    return db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()


async def median(times: int, ask: Callable[[], Any]) -> float:
    """The median of the milliseconds of some runs, after one that is not counted."""
    await ask()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


async def measure(url: str, times: int) -> list[dict[str, Any]]:
    """A line for each report, user and period."""
    backend, found = Backend(url), []
    await backend.start()
    try:
        for who in PEOPLE:
            for report in open_reports(backend.scope(backend.person(who), "bench")):
                for period in dict.fromkeys((report.period, report.periods[0], PeriodKind.YEAR)):
                    settings = Settings(period)

                    def scope(who: str = who) -> Scope:
                        return backend.scope(backend.person(who), "bench")

                    counted = await median(times, lambda s=scope, r=report: s().read(plain_count, r))
                    ran = await median(times, lambda s=scope, r=report, x=settings: s().read(run, r.key, x))
                    rows = await scope().read(plain_count, report)
                    line = {"report": report.key, "who": who, "period": period.value, "rows": rows}
                    found.append(
                        line | {"ms": round(ran, 1), "count": round(counted, 1), "ratio": round(ran / counted, 1)}
                    )
    finally:
        await backend.close()
    return found


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--url", required=True)
    given.add_argument("--times", type=int, default=5)
    asked = given.parse_args()
    print(json.dumps(asyncio.run(measure(asked.url, asked.times)), indent=1))


if __name__ == "__main__":
    main()
