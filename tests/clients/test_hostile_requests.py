"""Requests that schemathesis invents from the schema, as three roles: none breaks the server, and all are answered in order."""

import json

import pytest

from tests.clients.conftest import Hostile
from tests.support import python_clients
from tests.support.terminal import ROOT

OPERATIONS, EXAMPLES, SEED = 50, 2, 20
EXPECTED = {"200", "401"}
"""The statuses that may occur: `signOut` and its like end the use of the token that asks."""


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.sampled(sqlite=1, postgresql=0)
@pytest.mark.parametrize("login", ["li", "lead", "ada"])
def test_no_invented_request_breaks_the_server(login: str, hostile: Hostile) -> None:
    numbers = (str(x) for x in (SEED, OPERATIONS, EXAMPLES))
    told = json.loads(
        python_clients.run("hostile.py", str(ROOT / "schema.graphql"), hostile.graphql, hostile.tokens[login], *numbers)
    )
    assert told["broken"] == []
    assert told["operations"] == OPERATIONS
    assert told["requests"] >= OPERATIONS
    assert told["statuses"].keys() <= EXPECTED
    assert told["statuses"]["200"] > told["requests"] / 2
