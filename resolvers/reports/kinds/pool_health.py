"""The health of the pools that the reader administers: what came, what left it and how, and the time to a claim.

Numbers alone: like the page of a pool, they count customers that its administrator may not see, and name none.  A list
stands behind what lies in a pool, which its administrator sees.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func as sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, OwnershipPeriod, Pool
from models.database.bypass import Because, bypass_policy
from models.ownership import Began, Ended

from ...ownership.quota import midnight
from ...reading.clauses import open_to
from ...reading.conditions import Condition
from ...reading.order import order_value
from ...reading.pages import titles_of
from ...runtime.ids import global_id
from ...runtime.scope import Scope
from ..counting import counted
from ..dimensions import Dimension
from ..period import Days, ReportPeriod
from ..report import Figure, Report
from ..result import Cell, Row, Totals
from ..settings import Asked

_COUNTS = bypass_policy(Because.COUNTS_FOR_POOL)
_EVENTS = ("arrived", "released", "claimed", "assigned", "deleted")


@dataclass(frozen=True)
class PoolReport(Report):
    """Figures by pool, of which those about the past are counted from the ownership history."""

    def is_open(self, scope: Scope) -> bool:
        return scope.policy.ever(scope.person, "edit", Pool.module)

    def dimensions(self, scope: Scope) -> list[Dimension]:
        return [x for x in super().dimensions(scope) if x.field.target is Pool]

    def read(self, scope: Scope, db: Session, asked: Asked) -> tuple[list[Row], Totals]:
        """The pools by name.  About ten statements, whatever the number of pools."""
        mine = _pools(scope, db)
        names, periods = titles_of(scope, db, Pool, mine), [_Read(scope, db, days, mine) for days in _both(asked)]
        waiting = _waiting(self, scope, db, asked)
        found = {id: [waiting.get(id, Cell(0, condition=_lying(id))), *_cells(periods, [id])] for id in mine}
        rows = [Row(id, names.get(id), tuple(cells)) for id, cells in found.items()]
        lying = sum(int(cells[0].value or 0) for cells in found.values())
        return rows, (Cell(lying), *_cells(periods, mine))


def _pools(scope: Scope, db: Session) -> list[int]:
    """The pools that the reader administers, by name."""
    asked = select(Pool.id).where(open_to(scope.viewer, "edit", Pool), Pool.deleted_at.is_(None))
    return [*db.execute(asked.order_by(order_value(scope.viewer, Pool, Pool, "name"), Pool.id)).scalars()]


def _both(asked: Asked) -> list[Days]:
    return [days for days in (asked.days, asked.before) if days is not None]


def _waiting(report: Report, scope: Scope, db: Session, asked: Asked) -> Mapping[Any, Cell]:
    """What lies in each pool now, as its list shows it."""
    now = replace(asked, days=None, before=None)
    rows, _ = counted(report.model, report.figures[:1], scope, db, now)
    return {row.key: replace(row.cells[0], condition=_lying(row.key)) for row in rows if row.key is not None}


def _lying(id: int) -> Condition:
    return {"poolId": {"eq": global_id(Pool, id)}}


def _cells(periods: "list[_Read]", pools: list[int]) -> list[Cell]:
    """The figures of some pools together, in both periods."""
    now, before = periods[0], periods[1] if len(periods) > 1 else None
    events = [Cell(now.count(name, pools), before.count(name, pools) if before else None) for name in _EVENTS]
    return [*events, Cell(now.hours(pools), before.hours(pools) if before else None, is_hours=True)]


class _Read:
    """What happened in the pools in one period."""

    def __init__(self, scope: Scope, db: Session, days: Days, pools: list[int]) -> None:
        self.db, self.pools = db, pools
        self.begin = midnight(days.first, scope.person.zone)
        self.end = midnight(days.last + timedelta(days=1), scope.person.zone)
        self.found: dict[str, dict[int, int]] = {name: defaultdict(int) for name in _EVENTS}
        self.waits: dict[int, list[timedelta]] = defaultdict(list)
        self._read()

    def count(self, name: str, pools: list[int]) -> int:
        return sum(self.found[name].get(pool, 0) for pool in pools)

    def hours(self, pools: list[int]) -> float | None:
        """Hours in the pool that half of the claimed customers did not exceed; None without a claim."""
        waits = sorted(wait for pool in pools for wait in self.waits.get(pool, ()))
        return round(waits[(len(waits) - 1) // 2].total_seconds() / 3600, 1) if waits else None

    def _within(self, at: Any) -> Any:
        return (at >= self.begin) & (at < self.end)

    def _add(self, name: str, asked: Any) -> None:
        for pool, count in self.db.execute(asked, execution_options=_COUNTS):
            self.found[name][pool] += count

    def _read(self) -> None:
        period, lying, left = OwnershipPeriod, Customer, OwnershipPeriod.__table__.alias()
        for table in (period, lying):
            pooled: Any = table.pooled_at
            came = select(table.pool_id, sql.count()).where(table.pool_id.in_(self.pools), self._within(pooled))
            self._add("arrived", came.group_by(table.pool_id))
            at_once = (left.c.customer_id == (table.customer_id if table is period else table.id)) & (
                left.c.ended_at == pooled
            )
            released = came.join(left, at_once).where(left.c.ended == Ended.RELEASE)
            self._add("released", released.group_by(table.pool_id))
        gone = select(lying.pool_id, sql.count()).where(lying.pool_id.in_(self.pools), self._within(lying.deleted_at))
        self._add("deleted", gone.where(lying.merged_into_id.is_(None)).group_by(lying.pool_id))
        taken = select(period.pool_id, period.began, period.started_at, period.pooled_at)
        taken = taken.where(period.pool_id.in_(self.pools), period.began.in_((Began.CLAIM, Began.ASSIGN)))
        taken = taken.where(self._within(period.started_at))
        for pool, began, at, since in self.db.execute(taken, execution_options=_COUNTS):
            self._take(pool or 0, began, at, since)

    def _take(self, pool: int, began: Began, at: datetime, since: datetime | None) -> None:
        self.found["claimed" if began is Began.CLAIM else "assigned"][pool] += 1
        if began is Began.CLAIM and since is not None:
            self.waits[pool].append(at - since)


REPORT = PoolReport(
    key="pool-health",
    said=("Pool health", "公海健康度"),
    about=(
        "What lies in the pools that you administer, what came in and what left in a period, and how long it took until it was claimed.",
        "统计您管理的公海：现有客户、时间段内流入与流出的客户，以及从进入公海到被领取的时长。",
    ),
    icon="ripple",
    place=60,
    model=Customer,
    screen="customer",
    figures=(
        Figure("waiting", ("In the pool now", "当前在公海"), {"poolId": {"isNull": False}}),
        Figure("arrived", ("Came in", "流入"), dated="pooledAt", has_list=False),
        Figure("released", ("Released by owners or rules", "其中回收"), dated="pooledAt", has_list=False),
        Figure("claimed", ("Claimed", "领取"), dated="claimedAt", has_list=False),
        Figure("assigned", ("Assigned", "分配"), dated="claimedAt", has_list=False),
        Figure("deleted", ("Deleted", "删除"), dated="deletedAt", has_list=False),
        Figure(
            "hours",
            ("Hours to a claim, half within", "领取时长中位数（小时）"),
            dated="claimedAt",
            is_hours=True,
            has_list=False,
        ),
    ),
    fields=("poolId",),
    period=ReportPeriod.QUARTER,
    periods=tuple(x for x in ReportPeriod if x is not ReportPeriod.ALL),
    has_whose=False,
)
