"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.engine import Dialect

from models.reads import TooNested, driven
from resolvers.find import Look
from resolvers.house import House
from resolvers.lifted import Misfit
from resolvers.scope import Scope
from resolvers.sought import Searches

from . import inplace
from .compile import Compiler
from .dialect import DIALECTS, Value
from .documents import Document
from .plans import Plan, Plans, Request, texts_of
from .selection import Asked
from .shape import Kind

Make = Callable[[Compiler], Mapping[str, Value]]
Root = Callable[[Compiler, Sequence[FieldNode], Mapping[str, Any]], Value]
"""What compiles one root field: its nodes and its arguments."""


class TooMany(Exception):
    """A search leads to so many records that the statement has not looked among them."""


IDS = "~ids"
"""Among the variables of a statement that reads records: which."""


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(self, house: House, scope: Scope, asked: Asked, plans: Plans, document: Document) -> None:
        self.house, self.scope = house, scope
        self.asked, self.plans, self.document = asked, plans, document
        self.planned = 0

    async def again(self, place: str, variables: Mapping[str, Any], make: Make) -> dict[str, str]:
        """The values that `make` compiles, by the plan of an earlier request of this kind, or by a new one.

        `make` takes the variables from the compiler, and nothing that depends on the request from anywhere else.
        """
        wanted = Request(self.scope.person, self.scope.language, variables)
        nested, walking = (0 if place in self.document.gathered else inplace.MOST_NESTED), False
        while True:
            try:
                return await self._again(place, wanted, make, nested, walking=walking)
            except TooNested:
                if not nested:
                    raise
                self.document.gathered.add(place)
                nested = 0
            except TooMany:
                walking = True

    async def _again(self, place: str, wanted: Request, make: Make, nested: int, *, walking: bool) -> dict[str, str]:
        broad = ", broad" if wanted.person.is_broad else ""
        form = f"{place}{'' if nested else ', gathered'}{', walking' if walking else ''}{broad}"
        key = (self.document, form, self.scope.policy)

        def compile(wanted: Request) -> tuple[Select[Any], tuple[str, ...]]:
            look = Look(wanted.person, self.scope.policy, wanted.language)
            asked = self.asked.with_values(wanted.variables)
            searches = Searches(self.house.dialect, walking=walking)
            values = make(Compiler(look, DIALECTS[self.house.dialect], asked, searches, nested))
            columns: list[Any] = [cast(value, Text).label(f"r{n}") for n, value in enumerate(values.values())]
            columns += [or_(*searches.too_many)] if searches.too_many else []
            return select(*columns), tuple(values)

        try:
            plan = self.plans.find(*key, wanted)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        except Misfit:
            pass  # compiled below, for itself
        self.document.asked[form] += 1
        if self.document.asked[form] >= self.plans.made_at:
            plan = self.plans.make(*key, wanted, self.dialect, compile)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        statement, names = compile(wanted)
        sql, parameters = driven(statement, self.dialect)
        rows = await self.house.reads.rows(sql, [each.driven for each in parameters])
        return _told(names, rows[0])

    async def _by_plan(self, plan: Plan, wanted: Request) -> dict[str, str]:
        rows = await self.house.reads.rows(plan.sql, plan.values(wanted))
        self.planned += 1
        return _told(plan.names, rows[0])

    @property
    def dialect(self) -> Dialect:
        """How the driver of the read engine wants its text."""
        return self.house.read_engine.dialect

    async def root(self, name: str, nodes: Sequence[FieldNode], compile: Root) -> str:
        """The JSON of one root field of an operation that the executor puts together."""
        place = f"{name} at {nodes[0].loc.start if nodes[0].loc else 0}"

        def make(compiler: Compiler) -> dict[str, Value]:
            return {name: compile(compiler, nodes, compiler.asked.arguments("Query", nodes[0]))}

        return (await self.again(place, self.asked.variables_of(nodes), make))[name]

    async def records(self, kind: Kind, nodes: Sequence[FieldNode], ids: Sequence[int]) -> list[dict[str, Any]]:
        """The records that may be seen, in the order of `ids`, as dictionaries by response key."""
        if not ids:
            return []
        place = f"{kind.name} at {nodes[0].loc.start if nodes[0].loc else 0}"
        variables = {**self.asked.variables_below(nodes), IDS: list(ids)}

        def make(compiler: Compiler) -> dict[str, Value]:
            return {"all": compiler.records(kind, nodes, compiler.asked.variables.coerced[IDS])}

        texts = await self.again(place, variables, make)
        found = {record["~id"]: record for record in orjson.loads(texts["all"])}
        return [found[id] for id in ids if id in found]


def _told(names: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    """The values of a row by their names.  Raises TooMany when it says so behind them."""
    if any(row[len(names) :]):
        raise TooMany
    return texts_of(names, row[: len(names)])
