"""Growth of read times with the data: the same queries over a database and over one ten times as large.

    millpond demo --customers 100000 --only-fill && python bench/crowd.py
    python bench/multiply.py sqlite:///var/demo.db --times 1      (the search index learns what crowd.py made)
    cp var/demo.db var/demo10.db && python bench/multiply.py sqlite:///var/demo10.db
    python bench/growth.py --small sqlite:///var/demo.db --large sqlite:///var/demo10.db [--times 25]

The whole engine in process, without HTTP, with cached plans, rounds interleaved.  Prints JSON: per query and user the
median in milliseconds over both databases, and their ratio.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reads import ROW
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from stage import show
from target import QUERIES as TYPICAL

from models import User
from resolvers.runtime.backend import Backend
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope
from schema.engine import Engine

PEOPLE = ("ada", "lead", "li", "crowd1", "li without pools")
"""Administrator, lead, sales user, an owner of `crowd.py`, and a sales user who sees only what is shared with them."""
OWNER, COLLEAGUE = "crowd1", "crowd2"
PAGE = f"query ($after: String) {{ customers(first: 50, after: $after) {{ nodes {{ {ROW} }} pageInfo {{ hasNextPage endCursor }} }} }}"
QUESTIONS = {
    "list": PAGE,
    "list of an owner's stage": TYPICAL["list"],
    "list of a colleague's stage": TYPICAL["list"],
    "nested list": TYPICAL["nested"],
    "nested list of all": f"{{ customers(first: 50) {{ nodes {{ {ROW} contacts(first: 3) {{ nodes {{ id name title }} }} }} }} }}",
    "record": TYPICAL["record"],
    "page at 80 %": PAGE,
    "contacts": "{ contacts(first: 50) { nodes { id name title customer { name } } } }",
    "opportunities": "{ opportunities(first: 50) { nodes { id name amount customer { name } } } }",
    "follow-ups": "{ followUps(first: 50) { nodes { id kind content customer { name } } } }",
    "capped total": "{ customers(first: 1) { countUpTo } }",
    "capped total, filtered": '{ customers(first: 1, filter: {stage: {eq: "early"}}) { countUpTo } }',
    "search, rare": f'{{ customers(first: 20, search: "博远电子 77") {{ nodes {{ {ROW} }} countUpTo }} }}',
    "search, common": f'{{ customers(first: 20, search: "科技") {{ nodes {{ {ROW} }} countUpTo }} }}',
}


class Measured:
    """One database with its engine, and the variables of the queries for each user."""

    def __init__(self, url: str) -> None:
        self.url, self.backend = url, Backend(url)
        self.engine = Engine(self.backend, plan_at=1)

    async def prepare(self) -> None:
        await self.backend.start()
        engine = create_engine(
            make_url(self.url).set(drivername="sqlite" if "sqlite" in self.url else "postgresql+psycopg")
        )
        order = "FROM customer WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET"
        with engine.connect() as connection:
            count = connection.execute(text("SELECT count(*) FROM customer WHERE deleted_at IS NULL")).scalar_one()
            at = connection.execute(text(f"SELECT created_at {order} {count * 8 // 10}")).scalar_one()
            self.at = at if isinstance(at, str) else at.isoformat()
        engine.dispose()
        self.variables = {who: await self._variables(who) for who in PEOPLE}

    async def _variables(self, who: str) -> dict[str, dict[str, Any]]:
        """Query -> its variables for this user."""
        first = await self.ask(who, "{ customers(first: 7) { nodes { id } } }", {})
        some = first["customers"]["nodes"]
        at = f'{{ customers(first: 1, filter: {{createdAt: {{lte: "{self.at}"}}}}) {{ edges {{ cursor }} }} }}'
        deep = (await self.ask(who, at, {}))["customers"]["edges"]
        found: dict[str, dict[str, Any]] = {name: {} for name in QUESTIONS}
        owner, colleague = (global_id(User, self.backend.person(login).id or 0) for login in (OWNER, COLLEAGUE))
        found["list of an owner's stage"] = found["nested list"] = {"o": owner, "s": "won"}
        found["list of a colleague's stage"] = {"o": colleague, "s": "won"}
        found["record"] = {"id": some[-1]["id"] if some else "cus_1"}
        found["page at 80 %"] = {"after": deep[0]["cursor"] if deep else None}
        return found

    async def scope(self, who: str) -> Scope:
        person, _, narrowed = who.partition(" ")
        found = self.backend.person(person)
        if narrowed:
            found = replace(found, pools=frozenset(), member_pools=frozenset(), admin_pools=frozenset())
        await self.backend.selectivity.look(found, self.backend.policy)
        return self.backend.scope(found, "graphql")

    async def ask(self, who: str, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        scope = await self.scope(who)
        answer = json.loads((await self.engine.answer(scope, query, variables, None)).body)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def time(self, who: str, name: str) -> float:
        """The milliseconds of one answer."""
        scope = await self.scope(who)
        began = time.perf_counter()
        await self.engine.answer(scope, QUESTIONS[name], self.variables[who][name], None)
        return (time.perf_counter() - began) * 1000


async def measure(small: str, large: str, times: int, names: Sequence[str]) -> dict[str, Any]:
    both = Measured(small), Measured(large)
    for measured in both:
        await measured.prepare()
    figures: dict[str, dict[str, Any]] = {}
    for name in names:
        figures[name] = {}
        for who in PEOPLE:
            taken: tuple[list[float], list[float]] = ([], [])
            for n in range(times + 3):
                for measured, into in zip(both, taken, strict=True):
                    milliseconds = await measured.time(who, name)
                    if n > 2:
                        into.append(milliseconds)
            one, ten = (statistics.median(x) for x in taken)
            figures[name][who] = {"small": round(one, 2), "large": round(ten, 2), "times": round(ten / one, 2)}
    for measured in both:
        await measured.backend.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", default="sqlite:///var/demo.db")
    parser.add_argument("--large", default="sqlite:///var/demo10.db")
    parser.add_argument("--times", type=int, default=25)
    parser.add_argument("--only", nargs="*", default=[""], help="questions with one of these words in their names")
    given = parser.parse_args()
    names = [name for name in QUESTIONS if any(word in name for word in given.only)]
    show({"milliseconds": asyncio.run(measure(given.small, given.large, given.times, names))})


if __name__ == "__main__":
    main()
