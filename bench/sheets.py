"""Reading import files: our reader in its child process against openpyxl, and what hostile files cost.

    python bench/sheets.py [--rows 100000] [--rounds 3] [--only speed|hostile|csv]

A workbook of 12 columns (four in five company names Chinese, phones, dates, amounts) with shared strings as Excel writes
them.  In each round openpyxl in read-only mode merely goes over the cells, and then our reader hands the same rows to
this process.  `ratio` is the median of the rounds' quotients, so that other work on the machine weighs on both.  Then
each file of `tests/support/hostile_files.py`: what reading came to, seconds of one reading with the start of the process, the peak of
the child's memory (sampled every 3 ms) and what this process grew by, in MiB.  Prints JSON.
"""

import argparse
import csv
import json
import random
import resource
import statistics
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import structlog

from models.refusal import Refusal
from tasks.sheets import process
from tasks.sheets.limits import Limits
from tasks.sheets.reading import inspect, rows
from tests.support.hostile_files import make_all
from tests.support.workbook_files import as_excel_writes

HEADERS = [
    "客户编号",
    "客户名称",
    "联系人",
    "电话",
    "行业",
    "地址",
    "邮箱",
    "阶段",
    "负责人",
    "来源",
    "额度",
    "创建日期",
]
CITIES, SIGNS = (
    ["北京", "上海", "深圳", "广州", "杭州", "成都", "重庆", "武汉"],
    "华中盛鼎博瑞恒天金远鑫宏嘉正海新安泰德信凯龙兴美汇通",
)
LATIN = [
    "Apex",
    "Nova",
    "Orion",
    "Vertex",
    "Delta",
    "Pacific",
    "Summit",
    "Golden",
    "Harbor",
    "Beacon",
    "Cobalt",
    "Falcon",
]
INDUSTRIES, STAGES = ["制造业", "零售业", "互联网", "金融业"], ["潜在客户", "意向客户", "正式客户"]
DATE_MARK = 0.25
"""What makes a date of a number in `as_excel_writes`."""


def table(count: int) -> Iterator[list[Any]]:
    yield HEADERS
    r = random.Random(7)
    for at in range(count):
        if r.random() < 0.8:
            name = f"{r.choice(CITIES)}{''.join(r.choices(SIGNS, k=3))}科技有限公司"
        else:
            name = f"{r.choice(LATIN)} {r.choice(LATIN)} {at % 977} Ltd"
        phone = f"13{r.randrange(10**9):09}"
        address = f"{r.choice(CITIES)}市{''.join(r.choices(SIGNS, k=2))}路{r.randrange(999)}号"
        yield [
            f"C2026{at:07}", name, "张" + r.choice(SIGNS), phone, r.choice(INDUSTRIES), address, f"u{at}@example.com",
            r.choice(STAGES), f"销售{at % 30:02}", "官网", r.randrange(500) * 1000 + 0.5, 44_000 + r.randrange(2000) + DATE_MARK,
        ]  # fmt: skip


def timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    count = work()
    return time.perf_counter() - began, count


def by_openpyxl(path: Path) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(path, read_only=True).active
    return sum(1 for _ in sheet.iter_rows(values_only=True)) - 1


def speed(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    path = as_excel_writes(folder / "customers.xlsx", table(count))
    theirs, ours, looks = [], [], []
    for _ in range(rounds):
        for taken, work in (
            (theirs, lambda: by_openpyxl(path)),
            (ours, lambda: sum(1 for _ in rows(str(path)))),
            (looks, lambda: inspect(str(path), path.name).rows),
        ):
            seconds, read = timed(work)
            assert read == count, read
            taken.append(seconds)
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    return {
        "rows": count,
        "file_mib": round(path.stat().st_size / 2**20, 1),
        "openpyxl_read_only_seconds": round(statistics.median(theirs), 2),
        "ours_seconds": round(statistics.median(ours), 2),
        "inspect_seconds": round(statistics.median(looks), 2),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "rows_per_second": round(count / statistics.median(ours)),
    }


def start_up(folder: Path, rounds: int = 9) -> float:
    """Milliseconds of the smallest file: what the child process costs by itself."""
    (folder / "small.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return round(
        1000 * statistics.median(timed(lambda: len(list(rows(str(folder / "small.csv")))))[0] for _ in range(rounds)), 1
    )


def csv_speed(folder: Path, count: int) -> dict[str, Any]:
    path = folder / "customers.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(table(count))
    seconds, read = timed(lambda: sum(1 for _ in rows(str(path))))
    assert read == count
    return {"rows": count, "seconds": round(seconds, 2), "rows_per_second": round(count / seconds)}


@contextmanager
def watched(peaks: list[int]) -> Iterator[None]:
    """Adds the peak memory of the child that starts inside, in KiB."""
    start = process.start

    def start_watched(*arguments: Any) -> "subprocess.Popen[bytes]":
        child = start(*arguments)
        threading.Thread(target=watch, args=(child.pid, peaks), daemon=True).start()
        return child

    process.start = start_watched
    try:
        yield
    finally:
        process.start = start


def watch(pid: int, peaks: list[int]) -> None:
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            lines = status.read_text().splitlines()
        except (OSError, ProcessLookupError):
            return
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
        time.sleep(0.003)


def hostile(folder: Path) -> list[dict[str, Any]]:
    told = []
    folder.mkdir()
    for path, _ in make_all(folder):
        peaks = [0]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with watched(peaks):
            seconds, outcome = outcome_of(path)
        told.append(
            {
                "file": path.name,
                "kib": path.stat().st_size // 1024,
                "outcome": outcome,
                "seconds": round(seconds, 2),
                "child_mib": max(peaks) // 1024,
                "grown_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
            }
        )
        path.unlink()
    return told


def outcome_of(path: Path) -> tuple[float, str]:
    """Seconds of the overview or of the rows, whichever takes longer, and the code of the refusal or how many rows."""
    began = time.perf_counter()
    try:
        looked, _ = timed(lambda: inspect(str(path), path.name).rows)
        read, count = timed(lambda: sum(1 for _ in rows(str(path))))
    except Refusal as refusal:
        return time.perf_counter() - began, refusal.code()
    return max(looked, read), f"read, {count} rows"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["speed", "hostile", "csv"])
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    told: dict[str, Any] = {"limits": vars(Limits())}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told["start_milliseconds"] = start_up(folder)
        if asked.only in (None, "speed"):
            told["xlsx"] = speed(folder, asked.rows, asked.rounds)
        if asked.only in (None, "csv"):
            told["csv_gb18030"] = csv_speed(folder, asked.rows)
        if asked.only in (None, "hostile"):
            told["hostile"] = files = hostile(folder / "hostile")
            told["slowest_seconds"] = max(file["seconds"] for file in files)
            told["largest_child_mib"] = max(file["child_mib"] for file in files)
    print(json.dumps(told, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
