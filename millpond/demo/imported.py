"""Imports of the demo, all of the lead's: one that is done, one that waits to be corrected, one that was undone.

The file that waits holds what real ones hold: an industry that the dictionary does not know, an empty name, a bad phone and a
number that is there already.
"""

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

import tasks
from models import Customer, User
from resolvers.imports import applying, batches, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope
from tasks.engine import Engine

KINDS = (batches.READ, batches.CHECK, batches.APPLY, batches.UNDO)
ROWS = 50
_NAMES = ("晨光", "远帆", "金桥", "百川", "云杉", "长汀", "启明", "瑞禾", "海岳", "北辰")
_TRADES = ("办公用品", "食品", "家居", "电子")
_PEOPLE = ("王敏", "陈立", "赵妍", "孙浩", "周倩")
_INDUSTRIES = ("零售业", "互联网", "制造业", "电商")
_DEALS = ("办公家具年度框架", "会议室改造", "物流合同续签", "门店照明", "叉车租赁", "包装设计")


def add(backend: Backend, now: datetime) -> None:
    """Bring three files in, as the lead would in the panel."""
    lead = backend.scope(backend.person("lead"), "demo")
    numbers = _numbers(backend)
    done = _checked(backend, lead, "opportunity", "商机汇总.xlsx", _deals(numbers[:6]))
    lead.do(applying.confirm, done)
    _run(backend)
    undone = _checked(backend, lead, "follow_up", "拜访记录.xlsx", _visits(numbers[6:12], now))
    lead.do(applying.confirm, undone)
    _run(backend)
    lead.do(undoing.begin_undoing, undone)
    _run(backend)
    _checked(backend, lead, "customer", "展会客户 Trade fair.xlsx", customers(numbers[0]))


# --- files -----------------------------------------------------------------------------------------------


def _deals(numbers: Sequence[str]) -> list[Sequence[Any]]:
    rows = zip(numbers, _DEALS, range(1, len(numbers) + 1), strict=True)
    return [["客户编号", "商机名称", "金额"], *([number, deal, 12_500 * n] for number, deal, n in rows)]


def _visits(numbers: Sequence[str], now: datetime) -> list[Sequence[Any]]:
    days = [(now - timedelta(days=n + 2)).strftime("%Y-%m-%d") for n in range(len(numbers))]
    rows = zip(numbers, days, strict=True)
    return [
        ["客户编号", "跟进方式", "跟进时间", "跟进内容"],
        *([n, "拜访", f"{day} 10:30", "现场沟通了明年的采购计划。"] for n, day in rows),
    ]


def customers(number: str, mark: str = "") -> list[Sequence[Any]]:
    """The rows of the file that waits: 50 customers below their headings, four kinds of mistakes among them.

    `number`: that of a customer who is there.  `mark` tells names and phones of two files apart.
    """
    rows: list[list[Any]] = [
        [
            None,
            f"{_NAMES[n % 10]}{mark}{_TRADES[n // 10 % 4]}{'' if n < 40 else '东区'}有限公司",
            _PEOPLE[n % 5],
            f"139{7_100_0000 + 137 * n + 7_919 * sum(map(ord, mark)):08d}",
            _INDUSTRIES[3 if n % 12 == 4 else n % 3],
            None,
        ]
        for n in range(ROWS)
    ]
    rows[7][1], rows[15][3], rows[22][0] = None, "12", number
    return [["客户编号", "客户名称", "联系人", "联系电话", "行业", "传真"], *rows]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows as an .xlsx."""
    import openpyxl

    book, held = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([*row])
    book.save(held)
    return held.getvalue()


# --- steps -----------------------------------------------------------------------------------------------


def _checked(backend: Backend, lead: Scope, target: str, name: str, rows: Sequence[Sequence[Any]]) -> int:
    """The id of an import whose columns are matched as proposed, and whose rows are checked."""
    content, stored = workbook(rows), batches.stored_name("xlsx")
    with backend.files.opened(stored) as file:
        file.write(content)
    id: int = lead.do(batches.begin, target, name, stored, hashlib.sha256(content).hexdigest())
    _run(backend)
    lead.do(_match, id)
    _run(backend)
    return id


def _match(scope: Scope, id: int) -> None:
    with scope.write("user.imports") as db:
        row = batches.own(scope, db, id)
        columns = zip((row.overview or {})["columns"], mapping.proposals(scope, db, row), strict=True)
        chosen = {column["index"]: each.field.key for column, each in columns if each.field is not None}
    mapping.set_mapping(scope, id, Plan(chosen))


def _run(backend: Backend) -> None:
    tasks.load()
    Engine(backend, "demo", kinds=KINDS).run_due()


def _numbers(backend: Backend) -> list[str]:
    """Numbers of customers of two sales people whom the lead leads."""
    owners = select(User.id).where(User.login.in_(("li", "wu")))
    asked = select(Customer.number).where(
        Customer.owner_id.in_(owners), Customer.locked_at.is_(None), Customer.deleted_at.is_(None)
    )
    with backend.writer.engine.connect() as connection:
        return [str(number) for number in connection.execute(asked.order_by(Customer.id).limit(12)).scalars()]
