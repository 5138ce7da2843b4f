"""The audits of GraphQL over HTTP that `graphql-http` brings, as a user who is signed in, against a server."""

import json

import pytest

from tests.clients.conftest import Server
from tests.support import node

AUDITS = 61


@pytest.mark.long
@pytest.mark.timeout(600)
def test_all_audits_pass(server: Server):
    results = json.loads(node.run("audits.mjs", server.graphql, server.token))

    assert len(results) == AUDITS
    assert [(x["id"], x["name"], x["status"], x["reason"]) for x in results if x["status"] != "ok"] == []
