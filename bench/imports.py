"""How long an import takes from its file to records, beside openpyxl that merely reads the file.

    python bench/imports.py sqlite|postgresql [--rows 100000] [--compared]

An .xlsx of 12 columns with customers, their contacts and words of dictionaries, brought in as a user would: uploaded, read,
mapped, checked, confirmed, and undone in the end.  Customers get their numbers, owner, ownership periods, contacts, log entries with proof, search docs and
duplicate keys.  Prints JSON: seconds of openpyxl and of each step, the ratio of the whole to that reading, the ratio of the undoing
to the whole, and what is broken afterwards.
"""

import argparse
import hashlib
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import text
from stage import database, show

import tasks
from models import ImportBatch
from resolvers.audit.verification import verify
from resolvers.imports import applying, batches, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.setup.invariants import broken
from tasks.engine import Engine
from tests.support.world import World

HEADINGS = {
    "客户名称": "name",
    "行业": "industry",
    "客户来源": "source",
    "地区": "region",
    "客户级别": "level",
    "电话": "phone",
    "电子邮箱": "email",
    "地址": "address",
    "最新需求": "latest_need",
    "备注": "remark",
    "联系人": "contact_name",
    "联系人手机": "contact_phone",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--compared", action="store_true", help="under the duplicate rules of a new installation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(given.engine) as url:
        file = Path(folder) / "customers.xlsx"
        write(file, given.rows)
        show({**vars(given), **measure(url, file, is_compared=given.compared)})


def write(file: Path, rows: int) -> None:
    """A workbook as a person has it: names of companies, mobile numbers as numbers, words as labels."""
    dice, book = random.Random(7), openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([*HEADINGS])
    for n in range(rows):
        name = f"杭州{dice.choice('远华鑫盛天海')}{dice.choice('帆达通源利')}{n}科技有限公司"
        phone, mobile = f"0571-{dice.randrange(10**8):08d}", 13_000_000_000 + dice.randrange(10**9)
        words = [
            "Internet",
            "",
            "",
            "",
            phone,
            f"info{n}@example{n % 977}.cn",
            f"文三路{n}号",
            f"采购 {n} 台",
            "展会认识",
        ]
        sheet.append([name, *words, f"王{n}", mobile])
    book.save(file)


def measure(url: str, file: Path, *, is_compared: bool = False) -> dict[str, Any]:
    yardstick = read_with_openpyxl(file)
    tasks.load()
    World.settle(url)
    world = World(url)
    if is_compared:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text("DELETE FROM duplicate_rule"))
    try:
        seconds: dict[str, float] = {}
        id = begin(world, file)
        engine = Engine(world.backend, "bench", kinds=(batches.READ, batches.CHECK, batches.APPLY, batches.UNDO))

        def step(name: str) -> None:
            began = time.perf_counter()
            engine.run_due()
            seconds[name] = round(time.perf_counter() - began, 2)

        step("read")
        world.ada.do(mapping.set_mapping, id, Plan(dict(enumerate(HEADINGS.values()))))
        step("check")
        world.ada.do(applying.confirm, id)
        step("apply")
        row = world.row(ImportBatch, id)
        total = sum(seconds.values())
        wrong, states = _found(world)
        world.ada.do(undoing.begin_undoing, id)
        step("undo")
        wrong_then, states_then = _found(world)
        return {
            "openpyxl_reading": round(yardstick, 2),
            "seconds": seconds,
            "total": round(total, 2),
            "ratio": round(total / yardstick, 2),
            "rows_per_second_applied": round(row["rows"] / seconds["apply"]),
            "undo_ratio": round(seconds["undo"] / total, 2),
            "states": states,
            "states_undone": states_then,
            "broken": [*wrong, *wrong_then],
        }
    finally:
        world.close()


def _found(world: World) -> tuple[list[Any], dict[str, int]]:
    """(what is broken, state of rows -> their number)."""
    with world.backend.writer.engine.connect() as connection:
        wrong = [*broken(connection)[:5], *verify(connection).problems[:5]]
        states = connection.execute(text("SELECT state, count(*) FROM import_row GROUP BY state"))
        return wrong, {state: number for state, number in states}  # noqa: C416  rows, not pairs


def read_with_openpyxl(file: Path) -> float:
    began = time.perf_counter()
    book = openpyxl.load_workbook(file, read_only=True)
    for _ in book.active.iter_rows(values_only=True):  # type: ignore[union-attr]
        pass
    return time.perf_counter() - began


def begin(world: World, file: Path) -> int:
    content, stored = file.read_bytes(), batches.stored_name("xlsx")
    with world.backend.files.opened(stored) as kept:
        kept.write(content)
    id: int = world.ada.do(batches.begin, "customer", file.name, stored, hashlib.sha256(content).hexdigest())
    return id


if __name__ == "__main__":
    main()
