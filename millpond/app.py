"""The application of one process: its doors, its life, and headers, ids and figures around them."""

import asyncio
import gzip
import hashlib
import mimetypes
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from policies import Principal
from schema import graphiql

from .http import Answering, GraphQLDoor, Refused, bearer, broke, refusal, request_id, with_cookie
from .settings import Settings

DOORS: dict[str, tuple[str, str]] = {
    "POST /graphql": ("open", "every field and mutation declares its own right"),
    "GET /graphql": ("open", "GraphiQL holds no records; it is shown to people who are signed in"),
    "OPTIONS /graphql": ("open", "tells a browser which front ends may call"),
    "POST /session": ("open", "turns a token that is valid already into a cookie"),
    "GET /healthz": ("open", "says that the process lives, and nothing else"),
    "GET /readyz": ("open", "says whether the database answers, and nothing else"),
    "GET /metrics": ("open", "counts and times without records; keep the port inside"),
    "GET /assets/{hash}/{file:path}": ("open", "scripts and style sheets, the same for everybody"),
}
"""What each route asks for: (module, action), or ("open", why it may be).  The panel adds its own."""

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
}
"""On every answer that does not say otherwise itself."""

ASSETS = Path(__file__).parent / "assets"
READY_SECONDS = 2
RESTART_SECONDS = 5
_QUIET = {"/healthz", "/readyz", "/metrics"}
_log = structlog.get_logger("millpond")

Work = Callable[[], Awaitable[None]]


class Housed(Protocol):
    """What the application needs of the house."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def ready(self) -> bool: ...
    async def principal_of(
        self, token: str, address: str | None = None, agent: str | None = None
    ) -> Principal | None: ...
    def scope(self, principal: Principal | None, door: str, **request: str | None) -> Any: ...


def build(
    house: Housed,
    settings: Settings,
    *,
    answer: Answering,
    background: Sequence[Work] = (),
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application.  `answer` is the GraphQL engine, `background` runs beside it, `routes` are more doors.

    Raises RuntimeError naming the route that has no line in DOORS.
    """
    assets, figures = Assets(ASSETS), Figures()
    served = [
        Route("/graphql", _graphql(house, settings, answer, assets, figures), methods=["GET", "POST", "OPTIONS"]),
        Route("/session", _session(house, settings), methods=["POST"]),
        Route("/healthz", _healthz),
        Route("/readyz", _readyz(house)),
        Route("/metrics", figures.page),
        Route("/assets/{hash}/{file:path}", assets.page),
        *routes,
    ]
    check_doors(served)
    app = Starlette(
        routes=served,
        middleware=[
            Middleware(Shell, figures=figures),
            Middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=_life(house, background),
    )
    app.router.redirect_slashes = False
    return app


def check_doors(routes: Iterable[BaseRoute], above: str = "") -> None:
    """Refuse to serve a route that has not declared what it asks for."""
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            check_doors(route.routes, above + route.path)
            continue
        for door in _doors(route, above):
            if door not in DOORS:
                raise RuntimeError(f"the route {door} declares no (module, action): add it to DOORS")


def _doors(route: BaseRoute, above: str) -> list[str]:
    path = above + getattr(route, "path", repr(route))
    if isinstance(route, Route) and route.methods:
        return [f"{method} {path}" for method in sorted(route.methods - {"HEAD"})]  # HEAD is GET without a body
    return [f"{'WS' if isinstance(route, WebSocketRoute) else '*'} {path}"]


# -- doors ---------------------------------------------------------------------------------------------------


def _graphql(house: Housed, settings: Settings, answer: Answering, assets: "Assets", figures: "Figures") -> GraphQLDoor:
    def page(principal: Principal | None) -> Response:
        headers = {"cache-control": "no-store", "content-security-policy": graphiql.CSP}
        if principal is None:
            return HTMLResponse(graphiql.sign_in_page(assets.address), 401, headers)
        return HTMLResponse(graphiql.page(assets.address, principal.name), headers=headers)

    return GraphQLDoor(
        answer=answer,
        identify=house.principal_of,
        make_scope=house.scope,
        page=page,
        cors_origins=settings.cors_origins,
        secure_cookies=settings.secure_cookies,
        request_seconds=settings.request_seconds,
        count=figures.answered,
    )


def _session(house: Housed, settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def session(request: Request) -> Response:
        """The token of the Authorization header, which no other site can send, becomes the cookie."""
        token = bearer(request.headers)
        if not token or await house.principal_of(token) is None:
            return refusal(Refused(401, "NOT_SIGNED_IN", "Please sign in.", www_authenticate="Bearer"))
        return with_cookie(Response(status_code=204), request, token, settings.secure_cookies)

    return session


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


def _readyz(house: Housed) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                ready = await house.ready()
        except Exception:
            _log.warning("not ready", exc_info=True)
            ready = False
        return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    return readyz


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    response = refusal(Refused(status, status.name, f"{status.phrase}."))
    response.headers.update(error.headers or {})
    return response


class Assets:
    """Files that browsers may keep for ever, since another content has another address.  Held in memory."""

    def __init__(self, root: Path) -> None:
        self._files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.suffix in (".js", ".css")
        }
        self._hashes = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._files.items()}
        self._packed: dict[str, bytes] = {}

    def address(self, name: str) -> str:
        return f"/assets/{self._hashes[name]}/{name}"

    async def page(self, request: Request) -> Response:
        name = request.path_params["file"]
        if self._hashes.get(name) != request.path_params["hash"]:
            raise HTTPException(404)
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "content-type": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "vary": "Accept-Encoding",
        }
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self._files[name], headers=headers)
        if name not in self._packed:
            self._packed[name] = await asyncio.to_thread(gzip.compress, self._files[name])
        return Response(self._packed[name], headers=headers | {"content-encoding": "gzip"})


# -- life ----------------------------------------------------------------------------------------------------


def _life(house: Housed, background: Sequence[Work]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        await house.start()
        tasks = [asyncio.create_task(_kept_up(work)) for work in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await house.close()

    return life


async def _kept_up(work: Work) -> None:
    """Run until it returns or the process stops; what breaks is logged and begun again."""
    while True:
        try:
            return await work()
        except Exception:
            _log.exception("background work broke", work=getattr(work, "__qualname__", repr(work)))
            await asyncio.sleep(RESTART_SECONDS)


# -- around every request ------------------------------------------------------------------------------------


class Figures:
    """What Prometheus may ask for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._doors = {door.split("/", 2)[1] for door in DOORS}
        own: Any = {"namespace": "millpond", "registry": self._registry}
        self._requests = Counter("requests", "Answers by door and status.", ["door", "status"], **own)
        self._seconds = Histogram("request_seconds", "Time to the end of the answer.", ["door"], **own)
        self._answers = Counter("graphql_answers", "GraphQL answers by how they came to be.", ["kind"], **own)
        self._engine = Histogram("graphql_seconds", "Time in the GraphQL engine.", ["kind"], **own)

    def answered(self, kind: str, seconds: float) -> None:
        self._answers.labels(kind).inc()
        self._engine.labels(kind).observe(seconds)

    def served(self, path: str, status: int, seconds: float) -> None:
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        door = first if first in self._doors else "other"  # never the path itself: callers choose it
        self._requests.labels(door, str(status)).inc()
        self._seconds.labels(door).observe(seconds)

    async def page(self, _: Request) -> Response:
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


class Shell:
    """Gives every request an id, every answer its headers, every exception an answer that says nothing."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self.app, self.figures = app, figures

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] != "http":
            await self.app(connection, receive, send)
            return
        id, began, status = request_id(connection), time.perf_counter(), 0

        async def send_dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=id):
            try:
                await self.app(connection, receive, send_dressed)
            except Exception:
                answer = broke(id)
                if status:
                    raise  # half an answer is out: the server cuts the line
                await answer(connection, receive, send_dressed)
            finally:
                self._note(connection, status, time.perf_counter() - began)

    def _note(self, connection: Connection, status: int, seconds: float) -> None:
        path = connection["path"]
        self.figures.served(path, status, seconds)
        level = "debug" if path in _QUIET else "warning" if status >= 500 else "info"
        milliseconds = round(seconds * 1000, 1)
        _log.log(_LEVELS[level], "request", method=connection["method"], path=path, status=status, ms=milliseconds)


_LEVELS = {"debug": 10, "info": 20, "warning": 30}
