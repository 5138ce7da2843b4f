"""Asking GraphQL as somebody of the small world, without HTTP around it."""

import json
from typing import Any

from schema.engine import Engine
from tests.support.world import World


class Api:
    """`api.li("{ me { user { name } } }")` gives the data; mistakes and refusals of the whole request raise."""

    def __init__(self, world: World) -> None:
        self.world, self.engine = world, Engine(world.backend)

    def answer(self, login: str | None, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors included."""
        scope = self.world.scope(login, "graphql") if login else self.world.backend.scope(None, "graphql")
        answered = self.world.run(self.engine.answer(scope, query, variables or None, None))
        found: dict[str, Any] = json.loads(answered.body)
        return found | {"kind": answered.kind}

    def ask(self, login: str | None, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.answer(login, query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def change(self, login: str, field: str, input: dict[str, Any], selection: str) -> dict[str, Any]:
        """Run one mutation by its field name; gives its payload."""
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
