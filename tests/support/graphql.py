"""GraphQL requests of the users of the small world, without HTTP."""

import json
from typing import Any

from schema.engine import Engine
from tests.support.world import World


class Api:
    """The GraphQL engine over a world."""

    def __init__(self, world: World) -> None:
        self.world, self.engine = world, Engine(world.backend)

    def answer(self, login: str | None, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer with its errors and its `kind`."""
        scope = self.world.scope(login, "graphql") if login else self.world.backend.scope(None, "graphql")
        answered = self.world.run(self.engine.answer(scope, query, variables or None, None))
        found: dict[str, Any] = json.loads(answered.body)
        return found | {"kind": answered.kind}

    def ask(self, login: str | None, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.answer(login, query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def change(self, login: str, field: str, input: dict[str, Any], selection: str) -> dict[str, Any]:
        """Run one mutation by its field name; returns its payload."""
        kind = self.engine.schema.mutation_type.fields[field].args["input"].type  # type: ignore[union-attr]  there is one
        query = f"mutation ($input: {kind}) {{ {field}(input: $input) {{ {selection} }} }}"
        payload: dict[str, Any] = self.ask(login, query, input=input)[field]
        return payload

    def code(self, login: str | None, query: str, **variables: Any) -> str:
        """The code of the one error of a request that is refused as a whole."""
        answer = self.answer(login, query, **variables)
        (error,) = answer["errors"]
        code: str = error["extensions"]["code"]
        return code
