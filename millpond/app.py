"""The ASGI application of one process: routes, start and stop, and the middleware around them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

import admin
from admin.panel import Panel
from policies import Principal
from resolvers.runtime.file_store import FileStore
from schema import graphiql
from tasks.restarting import restarting

from .body_limit import BodyLimitMiddleware
from .caller import Secure, bearer, with_cookie
from .cors import Origins
from .csrf import CsrfMiddleware
from .downloads import downloads, personal_data, pictures, templates, thumbnails
from .files import Assets
from .graphql_request import Refused
from .http import AnswerPrepared, AnswerRequest, Costs, GraphQLDoor, Stream
from .request_middleware import Metrics, RequestMiddleware
from .responses import refusal
from .schema_file import SchemaFile
from .settings import Settings
from .uploads import uploads

DOORS: dict[str, tuple[str, str]] = {
    "POST /graphql": ("open", "every field and mutation declares its own right"),
    "GET /graphql": ("open", "every field declares its own right; GraphiQL is shown to people who are signed in"),
    "OPTIONS /graphql": ("open", "tells a browser which front ends may call"),
    "POST /session": ("open", "turns a token that is valid already into a cookie"),
    "OPTIONS /session": ("open", "tells a browser which front ends may use the cookie"),
    "WS /graphql": ("open", "every subscription declares its own right, and asks again at each event"),
    "GET /files/templates/{target}": ("open", "a template holds no record; the use case asks for the right to import"),
    "GET /files/{id}": ("open", "an export is its maker's alone; a file asks for the right to see its record"),
    "GET /files/personal/{id}": ("contact", "disclose"),
    "GET /files/{id}/picture": ("open", "a picture asks for the right to see its record"),
    "GET /files/{id}/thumbnail": ("open", "a thumbnail asks for the right to see its record"),
    "POST /files": ("open", "a file becomes its sender's alone; the use case asks for the right to use one"),
    "GET /schema.graphql": ("open", "holds no record; shown to callers who are signed in"),
    "GET /healthz": ("open", "says that the process lives, and nothing else"),
    "GET /readyz": (
        "open",
        "says whether the database answers and takes writes, whether the policy is sound, and nothing else",
    ),
    "GET /metrics": ("open", "counts and times without records; keep the port inside"),
    "GET /": ("open", "leads to the panel"),
    "GET /assets/{hash}/{file:path}": ("open", "scripts and style sheets, the same for everybody"),
}
"""Route -> the right that it asks for, (module, action), or ("open", why none is needed).  The panel adds its own."""

ASSETS = Path(__file__).parent / "assets"
PANEL_FILES = Path(admin.__file__).parent / "static"
READY_SECONDS = 3
MAX_WRITE_AGE = 8
"""Seconds since the last successful write after which the process is not ready; a write is tried every five."""
_log = structlog.get_logger("millpond")

Work = Callable[[], Awaitable[None]]


class ServedBackend(Protocol):
    """The members of `Backend` that the application uses."""

    files: FileStore

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def ready(self) -> bool: ...
    async def write_age(self) -> float: ...
    async def policy_state(self) -> str | None: ...
    async def principal_of(
        self, token: str, address: str | None = None, agent: str | None = None
    ) -> Principal | None: ...
    def scope(self, principal: Principal | None, door: str, **request: str | None) -> Any: ...


def build(
    backend: ServedBackend,
    settings: Settings,
    *,
    answer: AnswerRequest,
    answer_prepared: AnswerPrepared | None = None,
    background: Sequence[Work] = (),
    routes: Sequence[BaseRoute] = (),
    panel: Callable[[Callable[[str], str]], Panel] | None = None,
    stream: Stream | None = None,
    costs: Costs | None = None,
) -> Starlette:
    """The application.

    `answer` is the GraphQL engine, `answer_prepared` its fast path for prepared operations.  `background` are jobs that
    run while it serves, `routes` further routes.  `panel` makes the panel from a function that returns the address of
    a static file.  `stream` answers a subscription as server-sent events.  `costs` says what a query costs.  Raises
    RuntimeError that names a route without a declared right.
    """
    assets = Assets(ASSETS, PANEL_FILES)
    shown = panel(assets.address) if panel is not None else None
    doors = DOORS | (shown.doors if shown is not None else {})
    figures = Metrics(doors)
    door = _graphql(backend, settings, answer, answer_prepared or _never_prepared, assets, figures, stream, costs)
    served = [*_own_routes(backend, settings, door, figures, assets), *_to_panel(shown), *routes]
    check_doors(served, doors)
    app = Starlette(
        routes=served,
        middleware=_middleware(settings, figures),
        exception_handlers={HTTPException: _http_error},
        lifespan=_lifespan(backend, background),
    )
    app.router.redirect_slashes = False
    return app


def _own_routes(
    backend: ServedBackend, settings: Settings, door: GraphQLDoor, figures: Metrics, assets: Assets
) -> list[BaseRoute]:
    return [
        Route("/graphql", door, methods=["GET", "POST", "OPTIONS"]),
        Route("/session", _session(backend, settings), methods=["POST", "OPTIONS"]),
        Route("/schema.graphql", SchemaFile(backend.principal_of, settings.secure_cookies).page),
        *_files(backend, settings.secure_cookies),
        Route("/healthz", _healthz),
        Route("/readyz", _readyz(backend, figures)),
        Route("/metrics", figures.page),
        Route("/assets/{hash}/{file:path}", assets.page),
    ]


def _to_panel(shown: Panel | None) -> list[BaseRoute]:
    return [Route("/", _to_the_panel), shown.mount] if shown is not None else []


def _files(backend: ServedBackend, secure: Secure) -> list[BaseRoute]:
    return [
        Route("/files", uploads(backend, secure), methods=["POST"]),
        Route("/files/templates/{target}", templates(backend, secure)),
        Route("/files/personal/{id}", personal_data(backend, secure)),
        Route("/files/{id}", downloads(backend, secure)),
        Route("/files/{id}/picture", pictures(backend, secure)),
        Route("/files/{id}/thumbnail", thumbnails(backend, secure)),
    ]


def _middleware(settings: Settings, figures: Metrics) -> list[Middleware]:
    return [
        Middleware(RequestMiddleware, figures=figures),
        Middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False),
        Middleware(CsrfMiddleware, secure_cookies=settings.secure_cookies),
        Middleware(BodyLimitMiddleware, file_bytes=settings.import_file_mib << 20),
    ]


def check_doors(routes: Iterable[BaseRoute], declared: Mapping[str, tuple[str, str]] = DOORS, above: str = "") -> None:
    """Raise RuntimeError for a route that declares neither a right nor why it is open."""
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            check_doors(route.routes, declared, above + route.path)
            continue
        for door in _doors(route, above):
            if door not in declared:
                raise RuntimeError(f"the route {door} declares no (module, action): add it to DOORS")


def _doors(route: BaseRoute, above: str) -> list[str]:
    path = above + getattr(route, "path", repr(route))
    if isinstance(route, Route) and route.methods:
        return [f"{method} {path}" for method in sorted(route.methods - {"HEAD"})]  # HEAD is GET without a body
    return [f"{'WS' if isinstance(route, WebSocketRoute) else '*'} {path}"]


# -- routes --------------------------------------------------------------------------------------------------


def _graphql(
    backend: ServedBackend,
    settings: Settings,
    answer: AnswerRequest,
    answer_prepared: AnswerPrepared,
    assets: "Assets",
    figures: "Metrics",
    stream: Stream | None,
    costs: Costs | None,
) -> GraphQLDoor:
    def page(principal: Principal | None) -> Response:
        headers = {"cache-control": "no-store", "content-security-policy": graphiql.CSP}
        if principal is None:
            return HTMLResponse(graphiql.sign_in_page(assets.address), 401, headers)
        return HTMLResponse(graphiql.page(assets.address, principal.name), headers=headers)

    return GraphQLDoor(
        answer=answer,
        answer_prepared=answer_prepared,
        identify=backend.principal_of,
        make_scope=backend.scope,
        page=page,
        origins=_origins(settings),
        secure_cookies=settings.secure_cookies,
        request_seconds=settings.request_seconds,
        stream=stream,
        costs=costs,
        count=figures.answered,
    )


async def _never_prepared(*_: object) -> None:
    return None


def _origins(settings: Settings) -> Origins:
    return Origins(settings.cors_origins, settings.cookie_origins, settings.cors_headers)


def _session(backend: ServedBackend, settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    origins = Origins((), settings.cookie_origins, settings.cors_headers)

    async def session(request: Request) -> Response:
        """Set the session cookie to the token of the Authorization header, which no other site can send."""
        if request.method == "OPTIONS":
            if not origins.is_preflight(request):
                raise HTTPException(405, headers={"allow": "POST"})
            return origins.allow(request, origins.preflight("POST"))
        token = bearer(request.headers)
        if not token or await backend.principal_of(token) is None:
            answer = refusal(Refused(401, "UNAUTHENTICATED", "Please sign in.", www_authenticate="Bearer"))
        else:
            answer = with_cookie(Response(status_code=204), request, token, settings.secure_cookies)
        return origins.allow(request, answer)

    return session


async def _to_the_panel(_: Request) -> Response:
    return RedirectResponse("/admin/", 307)


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


def _readyz(backend: ServedBackend, figures: Metrics) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        policy, age = None, None
        try:
            async with asyncio.timeout(READY_SECONDS):
                age = await backend.write_age()
                ready = await backend.ready() and age < MAX_WRITE_AGE
                policy = await backend.policy_state() if ready else None
        except Exception:
            _log.warning("not ready", exc_info=True)
            ready = False
        figures.policy(is_sound=policy is None)
        state: dict[str, Any] = {"status": "ready" if ready else "not ready"} | ({"policy": policy} if policy else {})
        if age is not None:
            state["last_write_seconds"] = round(age, 1)
        return JSONResponse(state, 200 if ready else 503)

    return readyz


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    response = refusal(Refused(status, status.name, f"{status.phrase}."))
    response.headers.update(error.headers or {})
    return response


# -- start and stop ------------------------------------------------------------------------------------------


def _lifespan(
    backend: ServedBackend, background: Sequence[Work]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await backend.start()
        tasks = [asyncio.create_task(restarting(work)) for work in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await backend.close()

    return lifespan
