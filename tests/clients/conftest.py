"""One server for all clients of the API: the small world, with customers in the pool for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.databases import Prepared
from tests.support.terminal import millpond, served
from tests.support.world import World

CLIENTS = ("apollo", "gql", "relay", "urql")
CUSTOMERS = 6
ROLES = ("li", "lead", "ada")


@dataclass(frozen=True)
class Server:
    """Where it is, and the token of Li, who is a member of the pool."""

    address: str
    token: str

    @property
    def graphql(self) -> str:
        return f"{self.address}/graphql"

    def schema(self) -> str:
        """The schema as it is served."""
        answer = httpx.get(f"{self.address}/schema.graphql", headers={"authorization": f"Bearer {self.token}"})
        return answer.raise_for_status().text


@dataclass(frozen=True)
class Hostile:
    """A server that tests may spoil, and a token for each login of ROLES."""

    graphql: str
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def server(small_world: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """In the pool are, for each client, six customers that are called after it and numbered from 1."""
    url = small_world.copy("sqlite", tmp_path_factory.mktemp("clients"))
    world = World(url)
    for client in CLIENTS:
        for number in range(1, CUSTOMERS + 1):
            world.customer(f"{client} {number}", pool="north")
    world.close()
    with served(url, "web") as it:
        yield Server(it.address, _token(url, "li"))


@pytest.fixture(scope="module")
def hostile(small_world: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    url = small_world.copy("sqlite", tmp_path_factory.mktemp("hostile"))
    with served(url, "web", MILLPOND_REQUEST_SECONDS="60") as it:  # a busy machine is no fault
        yield Hostile(f"{it.address}/graphql", {login: _token(url, login) for login in ROLES})


def _token(url: str, login: str) -> str:
    return millpond(url, "token", "create", login, "--name", "clients").stdout.split()[-1]
