"""What bulk writes cost: customers with a contact, a phone and an owner, in chunks, against single saves and mere reading.

    python bench/bulk.py [--engine sqlite|postgresql|both] [--rows 4000] [--chunk 100]

Each row becomes a customer, its contact with a phone, an ownership period, two entries of the log with their proof, two
search docs, and duplicate keys; the duplicate rules are the defaults.  `reading` is openpyxl, read-only, which merely reads
the same rows from a workbook of 12 columns; `plain` the single use case, one row in one transaction; `check` judges and
writes nothing; `changes` are those of two fields.  Prints JSON: microseconds of CPU of this process per row (the server of
PostgreSQL has its own), rows per second of wall time, and the longest chunk in milliseconds, during which other writes of
SQLite wait; `stages`: microseconds of CPU per row, some inside others.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from search_data import Names
from sqlalchemy import text
from stage import database, show

from models import Customer
from resolvers.bulk import creating, customers, many
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.support.world import World

STAGES: tuple[tuple[Any, str], ...] = (
    (creating, "_judge"),
    *((creating, name) for name in ("completed", "put", "_are_allowed", "_log", "split", "require", "check_words")),
    *(
        (customers, name)
        for name in ("in_doubt", "begin_all", "put_docs", "put_keys", "rows_of", "doc_of_customer", "put")
    ),
    *(
        (customers.Customers, name)
        for name in ("prepare", "check", "complete", "follow", "fit", "_write_contacts", "_index")
    ),
)


def measure(engine: str, rows: int, chunk: int) -> dict[str, Any]:
    with database(engine) as url:
        World.settle(url)
        world, names = World(url), Names(5)
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text("DELETE FROM duplicate_rule"))
        given = list(_rows(names, rows))
        gc.freeze()  # as a process of the server does
        gc.set_threshold(2_000, 10, 50)
        figures = {"reading": _reading(given), "plain": _plain(world, list(_rows(names, 300)))}
        figures["bulk"] = _bulk(world, given, chunk)
        figures["check"] = _check(world, list(_rows(names, 1_200)), chunk)
        figures["changes"] = _changes(world, chunk)
        figures["stages"] = _stages(world, list(_rows(names, 2_000)), chunk)
        figures["bulk"]["times plain"] = round(figures["plain"]["cpu_us"] / figures["bulk"]["cpu_us"], 1)
        figures["bulk"]["times reading"] = round(figures["bulk"]["cpu_us"] / figures["reading"]["cpu_us"], 2)
        with world.backend.writer.engine.connect() as connection:
            assert broken(connection) == []
        world.close()
    return figures


def _rows(names: Names, count: int) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        n = next(_COUNT)
        yield {
            "name": f"{names.company()}{n}",
            "industry": "steel",
            "stage": "early",
            "source": "web",
            "region": "east",
            "phone": names.phone(),
            "email": f"a{n}@example{n}.com",
            "address": f"Street {n}",
            "remark": "read from a sheet",
            "contact_name": f"Ann {n}",
            "contact_phone": names.phone(),
            "contact_title": "Boss",
        }


_COUNT = iter(range(10**9))


def _reading(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.xlsx"
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
        book.save(path)

        def read() -> None:
            for _ in openpyxl.load_workbook(path, read_only=True).active.iter_rows(values_only=True):
                pass

        return _figures(len(rows), read)


def _plain(world: World, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    for row in rows[:50]:  # the first compile statements
        world.ada.do(create_update.create, Customer, row)

    def save() -> None:
        for row in rows[50:]:
            world.ada.do(create_update.create, Customer, row)

    return _figures(len(rows) - 50, save)


def _bulk(world: World, rows: Sequence[dict[str, Any]], chunk: int) -> dict[str, float]:
    waits: list[float] = []

    def write(rows: Sequence[dict[str, Any]]) -> None:
        for first in range(0, len(rows), chunk):
            began = time.perf_counter()
            verdicts = world.ada.do(many.create_many, Customer, rows[first : first + chunk], action="customer.import")
            waits.append((time.perf_counter() - began) * 1000)
            assert all(verdict.is_done for verdict in verdicts), next(x.refusal for x in verdicts if x.refusal)

    write(rows[:chunk])
    waits.clear()
    figures = _figures(len(rows) - chunk, lambda: write(rows[chunk:]))
    return figures | {"chunk_ms_p50": round(statistics.median(waits), 1), "chunk_ms_max": round(max(waits), 1)}


def _check(world: World, rows: Sequence[dict[str, Any]], chunk: int) -> dict[str, float]:
    """The judgement of new rows alone."""

    def judge() -> None:
        for first in range(0, len(rows), chunk):
            assert all(x.is_done for x in world.ada.do(many.check_many, Customer, rows[first : first + chunk]))

    return _figures(len(rows), judge)


def _changes(world: World, chunk: int) -> dict[str, float]:
    """The same for changes of the industry and of the phone, which is compared and searched."""
    ids = [row["id"] for row in world.rows(Customer, Customer.phone.is_not(None))][:1_200]
    phones = Names(7)

    def change() -> dict[str, Any]:
        return {"industry": "retail", "phone": phones.phone()}

    def save() -> None:
        for id in ids[:150]:
            world.ada.do(create_update.update, Customer, id, change())

    def write(ids: Sequence[int]) -> None:
        for first in range(0, len(ids), chunk):
            verdicts = world.ada.do(many.update_many, Customer, [(id, change()) for id in ids[first : first + chunk]])
            assert all(verdict.is_done for verdict in verdicts), next(x.refusal for x in verdicts if x.refusal)

    plain = _figures(150, save)
    write(ids[150:300])
    found = _figures(len(ids) - 300, lambda: write(ids[300:]))
    return found | {"plain_cpu_us": plain["cpu_us"], "times plain": round(plain["cpu_us"] / found["cpu_us"], 1)}


def _stages(world: World, rows: Sequence[dict[str, Any]], chunk: int) -> dict[str, float]:
    spent: dict[str, float] = defaultdict(float)
    before = [(where, name, getattr(where, name)) for where, name in STAGES]
    for where, name, call in before:
        setattr(where, name, _timed(call, f"{where.__name__.rpartition('.')[2]}.{name}", spent))
    try:
        _bulk(world, rows, chunk)
    finally:
        for where, name, call in before:
            setattr(where, name, call)
    return {name: round(seconds * 1e6 / len(rows), 1) for name, seconds in spent.items()}


def _timed(call: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return call(*args, **kwargs)
        finally:
            spent[name] += time.thread_time() - began

    return timed


def _figures(rows: int, work: Callable[[], None]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_us": round(cpu * 1e6 / rows), "rows_per_second": round(rows / wall)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--chunk", type=int, default=100)
    given = parser.parse_args()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    show({engine: measure(engine, given.rows, given.chunk) for engine in engines})


if __name__ == "__main__":
    main()
