"""How fast exports are written, and what they cost who reads meanwhile.

    python bench/exports.py sqlite|postgresql://… [--customers 100000] [--rounds 1]

1. Rows per second of an export of all customers, 12 columns, as .xlsx and as .csv: from the first id to the finished file,
   by the job as a worker runs it, with the rights and guarded fields of a sales lead's administrator.  Beside it, in the
   same run, what openpyxl alone needs to write as many rows of the same cells, which bounds .xlsx.
2. The p95 of a page of the customers' list in another process, alone and while the export is written.
3. The largest memory of the process that writes.

Prints JSON.  Give an empty database on PostgreSQL; on SQLite it is a file in a temporary folder.
"""

import argparse
import asyncio
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import openpyxl

import tasks
from millpond import demo
from models import Customer
from models.export import ExportFormat, ExportRange, ExportState
from resolvers.exports import exports
from resolvers.exports.exports import Order
from resolvers.exports.listing import Listing
from resolvers.reading.pages import ListRequest, page
from resolvers.runtime.backend import Backend
from resolvers.runtime.file_store import FileStore
from resolvers.runtime.seal_files import SealFiles
from tasks.engine import Engine

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = (
    "number",
    "name",
    "stage",
    "level",
    "industry",
    "region",
    "source",
    "owner_id",
    "phone",
    "email",
    "created_at",
    "last_follow_up_at",
)


def main() -> None:
    asked = _arguments()
    if asked.read:
        print(json.dumps(_reads(asked.database, Path(asked.read))))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/it.db" if asked.database == "sqlite" else asked.database
        files = SealFiles(Path(folder, "key"), Path(folder, "anchor"))
        demo.prepare(url, asked.customers, lambda text: print(text, file=sys.stderr), files)
        backend = Backend(url, files=FileStore(Path(folder, "files")), yields=True).open()
        tasks.load()
        found: dict[str, Any] = {"database": backend.dialect, "customers": asked.customers, "columns": len(COLUMNS)}
        Engine(backend, "bench").run_due()  # what a schedule is due for already
        found["page alone"] = _beside(url, Path(folder, "alone"), lambda: time.sleep(5))
        for format in ExportFormat:
            rounds = [_export(backend, format, url, Path(folder, f"{format}{n}")) for n in range(asked.rounds)]
            found[format.value] = sorted(rounds, key=lambda each: each["rows per second"])[len(rounds) // 2]
        found["openpyxl alone, rows per second"] = round(_openpyxl(found["XLSX"]["rows"]))
        found["largest memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        asyncio.run(backend.close())
    print(json.dumps(found, indent=1))


def _export(backend: Backend, format: ExportFormat, url: str, flag: Path) -> dict[str, Any]:
    """One export of all customers that the administrator sees, and the reads beside it."""
    ada = backend.scope(backend.person("ada"), "bench")
    order = Order(Customer, Listing(order=(("name", False),)), ExportRange.ALL, COLUMNS, format)
    id, engine, spent = ada.do(exports.start, order), Engine(backend, "bench"), [0.0]

    def write() -> None:
        began = time.perf_counter()
        engine.run_one()
        spent[0] = time.perf_counter() - began

    reads = _beside(url, flag, write)
    made = asyncio.run(_made(backend, ada, id))
    assert made.state is ExportState.DONE, made
    rows, size = made.row.done, made.row.size
    ada.do(exports.delete, id)
    return {
        "rows": rows,
        "seconds": round(spent[0], 1),
        "rows per second": round(rows / spent[0]),
        "MB": round((size or 0) / 1e6, 1),
        "page meanwhile": reads,
    }


async def _made(backend: Backend, scope: Any, id: int) -> Any:
    try:
        return await scope.read(exports.export, id)
    finally:
        await backend.stop_reading()


def _beside(url: str, flag: Path, work: Any) -> dict[str, float]:
    """Do `work` while another process reads pages; its milliseconds."""
    command = [sys.executable, __file__, url, "--read", str(flag)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as reader:
        while not flag.exists():
            time.sleep(0.05)
        work()
        flag.unlink()
        said: dict[str, float] = json.loads(reader.communicate()[0])
    return said


def _reads(url: str, flag: Path) -> dict[str, float]:
    """Pages of the customers' list, ten a second, until the flag is gone."""
    backend = Backend(url).open()
    request = ListRequest(Customer, COLUMNS, order=(("name", False),), size=50, counts=False)

    async def read() -> list[float]:
        scope, taken = backend.scope(backend.person("ada"), "bench"), list[float]()
        for _ in range(20):
            await scope.read(page, request)
        flag.touch()  # noqa: ASYNC240  nothing else waits for this loop
        while flag.exists():  # noqa: ASYNC240  as above
            began = time.perf_counter()
            await scope.read(page, request)
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.1)
        await backend.close()
        return taken

    taken = asyncio.run(read())
    return {
        "p50 ms": round(statistics.median(taken), 1),
        "p95 ms": round(sorted(taken)[int(len(taken) * 0.95) - 1], 1),
        "reads": len(taken),
    }


def _openpyxl(rows: int) -> float:
    """Rows per second of a write-only workbook of 12 texts a row, without styles."""
    began, book = time.perf_counter(), openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for n in range(rows):
        sheet.append([f"text {n} {column}" for column in range(len(COLUMNS))])
    book.save(io.BytesIO())
    return rows / (time.perf_counter() - began)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--read", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
