"""The GraphQL door over a backend and an engine that only note what they are asked."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from millpond import app
from millpond.graphql_request import PLAIN
from millpond.settings import Settings
from policies import Principal
from schema import limits, query_cost
from schema.answers import NotSafe

BASE = "http://127.0.0.1:8000"
QUERY = {"query": "{ me { user { name } } }"}
LI = Principal(id=1, login="li", name='Li <b>"Na"</b>', now=datetime(2026, 11, 24, tzinfo=UTC))


@dataclass
class Answered:
    body: bytes = b'{"data":{"me":null}}'
    kind: str = "planned"
    invalid: bool = False
    is_stranger: bool = False
    may_hold_secrets: bool = False


@dataclass
class StandIn:
    """A house with one person, whose key is `li-key`, and an engine that notes what it is asked."""

    answer_with: Answered | Exception | float = field(default_factory=Answered)
    alive: bool | Exception = True
    spoilt: str | None = None
    wrote: float = 0
    life: list[str] = field(default_factory=list)
    identified: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def start(self) -> None:
        self.life.append("start")

    async def close(self) -> None:
        self.life.append("close")

    async def policy_state(self) -> str | None:
        return self.spoilt

    async def ready(self) -> bool:
        if isinstance(self.alive, Exception):
            raise self.alive
        return self.alive

    async def write_age(self) -> float:
        return self.wrote

    async def principal_of(self, token: str, address: str | None = None, agent: str | None = None) -> Principal | None:
        self.identified.append((token, address, agent))
        return LI if token == "li-key" else None

    def scope(self, principal: Principal | None, door: str, **request: str | None) -> dict[str, Any]:
        return {"principal": principal, "door": door, **request}

    async def answer(
        self,
        scope: Any,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        *,
        is_safe: bool = False,
    ) -> Answered:
        if is_safe and query.startswith("mutation"):
            raise NotSafe
        self.asked.append((scope, query, variables, operation_name))
        if isinstance(self.answer_with, float):
            await asyncio.sleep(self.answer_with)
            return Answered()
        if isinstance(self.answer_with, Exception):
            raise self.answer_with
        query_cost.check(limits.parse(query), variables)
        return self.answer_with

    def costs(self, query: str, variables: dict[str, Any] | None) -> dict[str, Any]:
        return {"requested": query_cost.measure(limits.parse(query), variables).cost}


def application(backend: StandIn, routes: tuple[BaseRoute, ...] = (), **choices: Any) -> ASGIApp:
    return app.build(backend, Settings(**choices), answer=backend.answer, routes=routes, costs=backend.costs)


def send(asgi: ASGIApp, method: str, path: str, *, base: str = BASE, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(asgi, client=("192.0.2.7", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


def post(backend: StandIn, body: object = QUERY, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    """POST to /graphql: bytes as they are, everything else as JSON."""
    choices = {name: more.pop(name) for name in list(more) if name in Settings.model_fields}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": PLAIN} | (headers or {})
    return send(application(backend, **choices), "POST", "/graphql", content=content, headers=headers, **more)


def get(backend: StandIn, headers: dict[str, str] | None = None, **parameters: str) -> httpx.Response:
    """GET /graphql with these parameters in the address."""
    return send(application(backend), "GET", "/graphql", params=parameters, headers=headers)


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


def message(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["message"])
