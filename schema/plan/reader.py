"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Text, cast, select

from resolvers.find import Look
from resolvers.house import House
from resolvers.scope import Scope

from .compile import Compiler
from .dialect import DIALECTS, Value
from .selection import Asked
from .shape import Kind


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(self, house: House, scope: Scope, asked: Asked) -> None:
        self.house, self.scope = house, scope
        look = Look(scope.person, scope.policy, scope.language)
        self.compiler = Compiler(look, DIALECTS[house.dialect], asked)

    async def texts(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The JSON text of each value, all read in one statement."""
        if not values:
            return {}
        statement = select(*(cast(value, Text).label(f"r{n}") for n, value in enumerate(values.values())))
        async with self.house.read_engine.connect() as connection:
            row = (await connection.execute(statement)).one()
        return {name: text if text is not None else "null" for name, text in zip(values, row, strict=True)}

    async def records(self, kind: Kind, nodes: Sequence[FieldNode], ids: Sequence[int]) -> list[dict[str, Any]]:
        """The records that may be seen, in the order of `ids`, as dictionaries by response key."""
        if not ids:
            return []
        texts = await self.texts({"all": self.compiler.records(kind, nodes, ids)})
        found = {record["~id"]: record for record in orjson.loads(texts["all"])}
        return [found[id] for id in ids if id in found]
