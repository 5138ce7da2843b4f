"""A program of a user in tests: it has a token, and speaks HTTP with the application, which serves no panel to it."""

from typing import Any

import httpx

from millpond.app import build
from millpond.settings import Settings
from resolvers.people import tokens
from schema.engine import Engine
from tests.support.panel import ORIGIN
from tests.support.world import World


class Program:
    """Sends requests with the token of a user; for None without one."""

    def __init__(self, world: World, login: str | None) -> None:
        engine = Engine(world.backend)
        self.world, self.token = world, ""
        self.app = build(world.backend, Settings(), answer=engine.answer, answer_prepared=engine.answer_prepared)
        if login is not None:
            self.token = world.scope(login).do(tokens.create_token, "test", None).token

    def post(self, address: str, **more: Any) -> httpx.Response:
        headers = ({"authorization": f"Bearer {self.token}"} if self.token else {}) | more.pop("headers", {})

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                return await client.post(address, headers=headers, **more)

        return self.world.run(ask())

    def upload(self, name: str, content: bytes) -> str:
        """The id of a file that was taken."""
        answer = self.post("/files", files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        return id

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def change(self, field: str, kind: str, selection: str, **input: Any) -> dict[str, Any]:
        """Run one mutation whose input has this type; returns its payload."""
        query = f"mutation ($input: {kind}!) {{ {field}(input: $input) {{ {selection} }} }}"
        payload: dict[str, Any] = self.ask(query, input=input)[field]
        return payload
