"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Select, Text, cast, select
from sqlalchemy.engine import Dialect

from resolvers.find import Look
from resolvers.house import House
from resolvers.scope import Scope

from .compile import Compiler
from .dialect import DIALECTS, Value
from .plans import Request, texts_of
from .selection import Asked
from .shape import Kind


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(self, house: House, scope: Scope, asked: Asked) -> None:
        self.house, self.scope = house, scope
        self.asked = asked
        self.compiler = self._compiler(Look(scope.person, scope.policy, scope.language))

    async def texts(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The JSON text of each value, all read in one statement."""
        if not values:
            return {}
        async with self.house.read_engine.connect() as connection:
            row = (await connection.execute(self.statement(values))).one()
        return texts_of(values, row)

    async def row(self, sql: str, parameters: tuple[Any, ...]) -> Sequence[str | None]:
        """The one row of a planned statement."""
        return (await self.house.reads.rows(sql, parameters))[0]

    @staticmethod
    def statement(values: Mapping[str, Value]) -> Select[Any]:
        columns: list[Any] = [cast(value, Text).label(f"r{n}") for n, value in enumerate(values.values())]
        return select(*columns)

    @property
    def dialect(self) -> Dialect:
        """How the driver of the read engine wants its text."""
        return self.house.read_engine.dialect

    def for_request(self, request: Request) -> Compiler:
        """A compiler for a person and arguments that are not those of this request."""
        return self._compiler(Look(request.person, self.scope.policy, request.language))

    def _compiler(self, look: Look) -> Compiler:
        return Compiler(look, DIALECTS[self.house.dialect], self.asked)

    async def records(self, kind: Kind, nodes: Sequence[FieldNode], ids: Sequence[int]) -> list[dict[str, Any]]:
        """The records that may be seen, in the order of `ids`, as dictionaries by response key."""
        if not ids:
            return []
        texts = await self.texts({"all": self.compiler.records(kind, nodes, ids)})
        found = {record["~id"]: record for record in orjson.loads(texts["all"])}
        return [found[id] for id in ids if id in found]
