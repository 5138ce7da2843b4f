"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Select, Text, cast, select
from sqlalchemy.engine import Dialect

from resolvers.find import Look
from resolvers.house import House
from resolvers.lifted import Misfit
from resolvers.scope import Scope

from .compile import Compiler
from .dialect import DIALECTS, Value
from .plans import Document, Plan, Plans, Request, texts_of
from .selection import Asked
from .shape import Kind

IDS = "~ids"
"""Among the variables of a statement that reads records: which."""


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(self, house: House, scope: Scope, asked: Asked, plans: Plans, document: Document) -> None:
        self.house, self.scope = house, scope
        self.asked, self.plans, self.document = asked, plans, document
        self.compiler = self._compiler(Look(scope.person, scope.policy, scope.language))
        self.planned = 0

    async def again(
        self, place: str, variables: Mapping[str, Any], make: Callable[[Compiler], Mapping[str, Value]]
    ) -> dict[str, str]:
        """The values that `make` compiles, by the plan of an earlier request of this kind, or by a new one.

        `make` takes the variables from the compiler, and nothing that depends on the request from anywhere else.
        """
        wanted = Request(self.scope.person, self.scope.language, variables)
        key = (self.document, place, self.scope.policy)

        def values(wanted: Request) -> Mapping[str, Value]:
            compiler = self._compiler(Look(wanted.person, self.scope.policy, wanted.language))
            compiler.asked = self.asked.with_values(wanted.variables)
            return make(compiler)

        def compile(wanted: Request) -> tuple[Select[Any], tuple[str, ...]]:
            found = values(wanted)
            return self.statement(found), tuple(found)

        try:
            plan = self.plans.find(*key, wanted)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        except Misfit:
            pass  # compiled below, for itself
        self.document.asked[place] += 1
        if self.document.asked[place] >= self.plans.made_at:
            plan = self.plans.make(*key, wanted, self.dialect, compile)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        return await self.texts(values(wanted))

    async def _by_plan(self, plan: Plan, wanted: Request) -> dict[str, str]:
        rows = await self.house.reads.rows(plan.sql, plan.values(wanted))
        self.planned += 1
        return texts_of(plan.names, rows[0])

    async def texts(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The JSON text of each value, all read in one statement."""
        if not values:
            return {}
        async with self.house.read_engine.connect() as connection:
            row = (await connection.execute(self.statement(values))).one()
        return texts_of(values, row)

    @staticmethod
    def statement(values: Mapping[str, Value]) -> Select[Any]:
        columns: list[Any] = [cast(value, Text).label(f"r{n}") for n, value in enumerate(values.values())]
        return select(*columns)

    @property
    def dialect(self) -> Dialect:
        """How the driver of the read engine wants its text."""
        return self.house.read_engine.dialect

    def _compiler(self, look: Look) -> Compiler:
        return Compiler(look, DIALECTS[self.house.dialect], self.asked)

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
