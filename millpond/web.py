"""The web process: one backend, one application, one socket."""

import asyncio
import ctypes
import gc
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

import tasks
from admin.panel import Panel
from admin.screens import GROUPS, screens
from models.database.patience import Patience
from policies import STARTER
from policies.rights import check_lines
from resolvers.live.hub import Hub
from resolvers.runtime.backend import Backend
from resolvers.runtime.budgets import Budgets, Costly
from resolvers.runtime.file_store import FileStore
from resolvers.runtime.principals import Entrances
from schema.engine import Engine
from schema.live import Live

from . import logs
from .app import build
from .http_protocol import BoundedProtocol
from .import_limits import import_limits
from .keys import CookieKeys
from .listening import STOP_SECONDS
from .live import LiveDoor
from .mail import mail_server
from .seals import seal_files
from .settings import Settings

WARM_SECONDS = 30
KEEP_SECONDS = 75
"""Keep-alive timeout.  Clients and proxies close earlier, so none sends a request to a connection that is being closed."""
SOCKET_BYTES = 128 * 1024
"""Maximum size of one message of a WebSocket."""
ANSWER_SECONDS = 2
"""Time from the end of a statement on the server until its connection is given up."""


def serve_requests(settings: Settings, listener: socket.socket, when_ready: Callable[[], None]) -> None:
    """Serve requests on the socket until SIGINT or SIGTERM; `when_ready` is called as soon as it listens."""
    logs.set_up(settings.log_level, settings.log_format)
    run(application(backend(settings), settings), listener, when_ready)


def backend(settings: Settings, *, yields: bool = False) -> Backend:
    """The backend of a process, from the settings; `yields` for one that runs jobs."""
    return Backend(
        settings.database,
        entrances=entrances(settings),
        patience=patience(settings),
        seal_files=seal_files(settings),
        budgets=budgets(settings),
        mail_server=mail_server(settings),
        files=file_store(settings),
        import_limits=asdict(import_limits(settings)),
        file_limits={"mib": settings.attachment_mib, "types": settings.attachment_types},
        yields=yields,
    )


def file_store(settings: Settings) -> FileStore:
    """The folder of exported files, from the settings."""
    return FileStore(Path(settings.files)) if settings.files else FileStore.beside(settings.database)


def entrances(settings: Settings) -> Entrances:
    """The limits of sessions and of failed sign-ins, from the settings."""
    return Entrances(
        idle=timedelta(hours=settings.session_idle_hours),
        life=timedelta(hours=settings.session_hours),
        tries=settings.sign_in_tries,
        tries_per_address=settings.sign_in_tries_per_address,
        tries_per_account=settings.sign_in_tries_per_account,
        window=timedelta(minutes=settings.sign_in_window_minutes),
    )


def patience(settings: Settings) -> Patience:
    """How long the process waits for PostgreSQL, from the settings."""
    return Patience(
        row=settings.row_seconds,
        statement=settings.statement_seconds,
        answer=settings.statement_seconds + ANSWER_SECONDS,
        idle=settings.idle_transaction_seconds,
        silence=settings.silence_seconds,
    )


def budgets(settings: Settings) -> Budgets:
    """How much each user may cost, from the settings."""
    return Budgets(
        {
            Costly.COMPILING: settings.compiling_seconds_per_minute,
            Costly.SEARCHES: settings.searches_per_minute,
            Costly.DUPLICATE_CHECKS: settings.duplicate_checks_per_minute,
            Costly.DENIALS: settings.denials_per_minute,
        }
    )


def application(backend: Backend, settings: Settings) -> Starlette:
    """GraphQL and panel over one backend.  `state.hub` holds those who wait for changes."""
    check_lines(STARTER, "policies/starter.csv")
    tasks.load()
    keys, engine, hub = CookieKeys(settings.secure_cookies), Engine(backend), Hub(backend)
    live = LiveDoor(backend, Live(engine, hub), settings.secure_cookies, settings.cookie_origins)
    app = build(
        backend,
        settings,
        answer=engine.answer,
        answer_prepared=engine.answer_prepared,
        background=[hub.run, _settle, backend.sensitive_reads.run],
        routes=[WebSocketRoute("/graphql", live.socket)],
        panel=lambda address: Panel(backend, keys, address, screens(), GROUPS, hub),
        stream=live.events,
        costs=engine.costs,
    )
    app.state.hub = hub
    return app


def run(served: Starlette, listener: socket.socket, when_ready: Callable[[], None]) -> None:
    """Serve the application on the socket; returns after a graceful stop.  `when_ready` is called when it listens."""
    config = uvicorn.Config(
        served,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=SOCKET_BYTES,
        http=BoundedProtocol,
        forwarded_allow_ips="127.0.0.1,::1",  # a proxy on the same machine may say whom it speaks for
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again after it has stopped; without a handler that would end the process at once.
        signal.signal(number, lambda *_: None)
    _tune_garbage_collector()
    _return_memory()
    _AnnouncingServer(config, when_ready, served.state.hub.listeners.close).run(sockets=[listener])


def _tune_garbage_collector() -> None:
    """Exclude the objects made at start from garbage collection, and collect old objects less often.

    A full collection walks every class and compiled template: a third of a second without an answer.  Nearly all
    garbage is young, and young objects are collected as often as before.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 50)


def _return_memory() -> None:
    """Have glibc give freed memory back: two arenas for all threads, and blocks of their own for what is large.

    Else every thread keeps its own free memory, and a block as large as the largest that was freed is kept, too.
    """
    with suppress(OSError, AttributeError):  # other systems have another allocator
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, 256 * 1024)


_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""Numbers of these parameters in malloc.h."""


async def _settle() -> None:
    """Exclude the content of the warm caches from garbage collection too, after WARM_SECONDS."""
    await asyncio.sleep(WARM_SECONDS)
    gc.collect()
    gc.freeze()


class _AnnouncingServer(uvicorn.Server):
    """A server that says when it listens, and when it stops, before it waits for its connections to end."""

    def __init__(
        self, config: uvicorn.Config, when_ready: Callable[[], None], when_stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._when_ready, self._when_stopping = when_ready, when_stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._when_stopping()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> Any:
        await super().startup(sockets)
        self._when_ready()
