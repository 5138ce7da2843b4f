"""Clients of the API: each lists, pages both ways, claims, meets a conflict and refetches a node, and none warns."""

import json
import shutil
from typing import Any

import pytest

from tests.clients.conftest import CUSTOMERS, Server
from tests.support import node

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize("client", ["apollo", "urql"])
def test_a_client_from_npm_lives_with_the_api(client: str, server: Server) -> None:
    assert_story(client, node.run("drive.mjs", f"./recipes/{client}.mjs", server.graphql, server.token, client))


def test_relay_compiles_the_schema_and_lives_with_the_api(server: Server) -> None:
    folder = node.installed() / "recipes" / "relay"
    shutil.rmtree(folder / "__generated__", ignore_errors=True)
    (folder / "schema.graphql").write_text(server.schema())
    said = node.tool("relay-compiler", "relay.config.json", under="recipes/relay")
    assert "Compilation completed" in said
    assert [word for word in ("WARN", "ERROR") if word in said] == []
    words = ("--bundle", "--platform=node", "--format=esm", "--outfile=built/relay.mjs")
    node.tool("esbuild", "recipes/relay.mjs", *words)
    assert_story("relay", node.run("drive.mjs", "./built/relay.mjs", server.graphql, server.token, "relay"))


def test_codegen_makes_types_that_typescript_accepts(server: Server) -> None:
    said = node.tool("graphql-codegen", under="recipes/codegen", MILLPOND=server.address, MILLPOND_TOKEN=server.token)
    assert [word for word in ("warn", "⚠", "✖") if word in said] == []
    assert node.tool("tsc", "--noEmit", "--project", "tsconfig.json", under="recipes/codegen") == ""


def test_the_schema_is_served_as_it_is_committed(server: Server) -> None:
    assert server.schema() == (node.ROOT / "schema.graphql").read_text()


def assert_story(client: str, told: str) -> None:
    """Raises AssertionError where the story of a client went differently from everybody's."""
    names = [f"{client} {number}" for number in range(1, CUSTOMERS + 1)]
    story: dict[str, Any] = json.loads(told)
    assert story["forward"] == [[names[:2], True], [names[:4], True], [names, False]]
    assert story["backward"] == [[names[4:], True], [names[2:], True], [names, False]]

    (claimed,) = story["claim"]["customers"]
    assert (claimed["owner"]["name"], story["claim"]["problems"]) == ("Li Na", [])
    assert [x["code"] for x in story["again"]["problems"]] == ["NOT_IN_POOL"]
    assert story["renamed"]["problems"] == []
    (conflict,) = story["conflict"]["problems"]
    assert (conflict["code"], conflict["path"]) == ("CONFLICT", ["version"])
    assert story["conflict"]["customer"] == story["renamed"]["customer"]  # as it is now, to edit again
    assert story["node"]["name"] == f"{client} renamed"
    assert (story["node"]["owner"], story["node"]["version"]) == (claimed["owner"], claimed["version"] + 1)
    assert story["said"] == []
