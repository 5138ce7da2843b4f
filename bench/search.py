"""Searches over a million docs: how long the database takes, by how common a text is, and how long LIKE would.

    python bench/search.py [--engine sqlite|postgresql|both] [--docs 1000000] [--rounds 3]

Makes customers and contacts with skewed names (`search_data.py`), then searches as an administrator and as a sales user
who owns 1 in 50 customers: the first page of the panel with its count, and the same through GraphQL, whole engine in
process.  Prints JSON: per class of texts the number of texts, and p50 and p95 in milliseconds of the statements of the
panel in the database, of the answer of GraphQL, and of LIKE (ILIKE on PostgreSQL) over the names alone.
"""

import argparse
import json
import random
import re
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from search_data import Names, fill
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from stage import database, show

from models import Customer
from resolvers.reading.pages import ListRequest, page
from resolvers.runtime.scope import Scope
from schema.engine import Engine
from tests.support.world import World

TEXTS = 8
"""Number of texts of a class."""
PEOPLE = {"ada": "administrator", "li": "sales, 1 in 50"}
QUERY = "query ($q: String) { customers(first: 20, search: $q) { nodes { id name } countUpTo(limit: 1001) } }"
LIKE = (
    "SELECT id FROM customer WHERE name {like} :part AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 20"
)


def texts(parts: Counter[str], docs: int) -> Iterator[tuple[str, list[str]]]:
    """(class, its texts): parts of names of one to four characters, pinyin, and ends of phones."""
    some = random.Random(7)

    def chosen(known: list[str]) -> list[str]:
        return some.sample(sorted(known), min(TEXTS, len(known)))

    for length in (1, 2, 3, 4):
        of_length = [(part, count) for part, count in parts.most_common() if len(part) == length]
        yield (
            f"{length} characters, rare",
            chosen([part for part, count in of_length if count <= max(20, docs // 50_000)]),
        )
        medium = [part for part, count in of_length if docs // 2_000 <= count <= docs // 200]
        yield f"{length} characters, medium", chosen(medium)
        yield f"{length} characters, commonest", [part for part, _ in of_length[:TEXTS]]
    yield "2 characters, none", ["曜骊", "骊曜", "鱻龘", "龘鱻", "丁曜", "曜丁", "骊丁", "丁骊"]
    yield "initials of pinyin", ["hxkj", "xdmy", "hsdz", "rfjx", "taky", "bykj", "hxdz", "zxkj"]
    yield "full pinyin", ["huaxing", "xindamaoyi", "hongsheng", "ruifeng", "taian", "boyuan", "dacheng", "dongfang"]
    names = Names(1)
    yield "ends of phones", [names.phone()[-4:] for _ in range(TEXTS)]


class Measured:
    """The times of searches in one filled database."""

    def __init__(self, world: World) -> None:
        self.world, self.engine = world, Engine(world.backend, plan_at=1)
        self.statements: list[tuple[str, Any]] = []
        self.file = (
            sqlite3.connect(path) if (path := world.backend.read_engine.url.database or "").endswith(".db") else None
        )
        if self.file is not None:
            self.file.execute(f"PRAGMA mmap_size = {1 << 32}")
        on = world.backend.read_engine.sync_engine
        event.listen(on, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, said: str, given: Any, *_: Any) -> None:
        if said.startswith(("SELECT", "WITH")):
            self.statements.append((said, given))

    def panel(self, who: str, typed: str) -> float:
        """Milliseconds that the database takes for the statements of a page with its count."""
        self.statements.clear()
        self.world.run(self.world.scope(who).read(page, ListRequest(Customer, ("name",), search=typed)))
        if self.file is None:
            return self.world.run(self.world.scope(who).read(_explained, list(self.statements)))
        began = time.perf_counter()
        for said, given in self.statements:
            self.file.execute(said, given).fetchall()
        return (time.perf_counter() - began) * 1000

    def graphql(self, who: str, typed: str) -> float:
        scope = self.world.scope(who, "graphql")
        began = time.perf_counter()
        body = self.world.run(self.engine.answer(scope, QUERY, {"q": typed}, None)).body
        taken = time.perf_counter() - began
        assert "errors" not in json.loads(body), body
        return taken * 1000

    def like(self, typed: str) -> float:
        on = self.world.backend.writer.engine
        with on.connect() as connection:
            word = "LIKE" if connection.dialect.name == "sqlite" else "ILIKE"
            began = time.perf_counter()
            connection.execute(text(LIKE.format(like=word)), {"part": f"%{typed}%"}).all()
            return (time.perf_counter() - began) * 1000


def _explained(_scope: Scope, db: Session, statements: Sequence[tuple[str, Any]]) -> float:
    """Milliseconds of these statements as PostgreSQL measures them, planning included."""
    connection, total = db.connection(), 0.0
    for said, given in statements:
        lines = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {said}", tuple(given)).scalars()
        total += sum(float(found[1]) for line in lines if (found := _TIME.match(line)))
    return total


_TIME = re.compile(r"(?:Planning|Execution) Time: ([\d.]+) ms")


def measure(engine: str, docs: int, rounds: int) -> dict[str, Any]:
    with database(engine) as url:
        began = time.perf_counter()
        world, parts = fill(url, docs)
        figures: dict[str, Any] = {"seconds to fill": round(time.perf_counter() - began)}
        measured = Measured(world)
        for name, typed in texts(parts, docs):
            if typed:
                figures[name] = of_class(measured, typed, rounds)
        world.close()
    return figures


def of_class(measured: Measured, typed: list[str], rounds: int) -> dict[str, Any]:
    taken: dict[str, list[float]] = {}
    for n in range(rounds + 1):  # the first round compiles, and is not counted
        for each in typed:
            for who, role in PEOPLE.items():
                times = {"panel": measured.panel(who, each), "GraphQL": measured.graphql(who, each)}
                for way, milliseconds in times.items():
                    taken.setdefault(f"{way}, {role}", []).extend([milliseconds] if n else [])
            if n == 1:
                taken.setdefault("LIKE", []).append(measured.like(each))
    figures: dict[str, Any] = {way: _spread(each) for way, each in taken.items()}
    ours = [each for way, times in taken.items() if way.startswith("panel") for each in times]
    figures["times as fast as LIKE"] = round(statistics.median(taken["LIKE"]) / statistics.median(ours), 1)
    return {"texts": len(typed), **figures}


def _spread(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95)], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--docs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    show({engine: measure(engine, given.docs, given.rounds) for engine in engines})


if __name__ == "__main__":
    main()
