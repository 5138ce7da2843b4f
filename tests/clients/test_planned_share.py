"""Whatever the example app, the recipes of the clients and GraphiQL ask for is answered by a cached plan."""

import re
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, OperationType, get_introspection_query, parse

from schema.engine import Engine
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "docs/examples/pool-page/src/api.ts",
    "tests/clients/recipes/queries.mjs",
    "tests/clients/recipes/gql_client.py",
)
QUERY = re.compile(r'`\s*((?:query|\{)[^`]+)`|"""\s*((?:query|\{).+?)"""|"(\{ \w[^"]+\})"', re.DOTALL)
PLANNED = {"planned", "constant"}
"""How an answer is made that costs no compilation."""


def operations() -> list[str]:
    """The queries in the sources, with the texts that they are put together of."""
    found = [get_introspection_query()]
    for name in SOURCES:
        source = (ROOT / name).read_text(encoding="utf-8")
        for part, text in re.findall(r'const (\w+) = "([^"]+)"', source):
            source = source.replace(f"${{{part}}}", text)
        found += ["".join(texts) for texts in QUERY.findall(source)]
    return found


def kind_of_warm_answer(world: World, engine: Engine, query: str, given: dict[str, Any]) -> str:
    (operation,) = (x for x in parse(query).definitions if isinstance(x, OperationDefinitionNode))
    assert operation.operation is OperationType.QUERY
    names = {x.variable.name.value for x in operation.variable_definitions or ()}
    variables = {key: value for key, value in given.items() if key in names}
    for _ in range(3):
        answer = world.run(engine.answer(world.scope("lead", "graphql"), query, variables, None))
        assert b'"errors"' not in answer.body, answer.body
    return answer.kind


@at_length_on_postgresql
def test_95_per_cent_of_our_own_operations_are_planned(world: World) -> None:
    engine = Engine(world.backend)
    given = {"pool": f"poo_{world.ids['north']}", "id": f"cus_{world.customer('Acme', 'li')}", "first": 10}

    kinds = [kind_of_warm_answer(world, engine, query, given) for query in operations()]

    assert len(kinds) >= 5
    assert sum(kind in PLANNED for kind in kinds) >= 0.95 * len(kinds), kinds
