"""gql, the client for Python, through the story of the other clients."""

import pytest

from tests.clients.conftest import Server
from tests.clients.test_clients import assert_story
from tests.support import python_clients

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_gql_lives_with_the_api(server: Server) -> None:
    assert_story("gql", python_clients.run("drive_gql.py", server.graphql, server.token, "gql"))
