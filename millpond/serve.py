"""The serving process: one house, one application, one socket."""

import asyncio
import gc
import signal
import socket
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import typer
import uvicorn
from starlette.types import ASGIApp

from admin.panel import Panel
from admin.screens import GROUPS, screens
from resolvers.runtime.backend import Backend
from resolvers.runtime.principals import Entrances
from schema.engine import Engine
from tasks.sealer import keep_sealed

from . import logs
from .app import build
from .database import Unready, opened
from .keys import CookieKeys
from .settings import Settings

WARM_SECONDS = 30
KEEP_SECONDS = 75
"""How long a connection may rest.  Clients and proxies let go earlier, so none writes into one that is just closed."""
STOP_SECONDS = 10
"""How long running requests may go on after the signal to stop."""


def serve(settings: Settings, more: Sequence[str] = ()) -> None:
    """Serve until SIGINT or SIGTERM.  `more` is said beside the addresses.  Raises Unready, UnknownShape."""
    with opened(settings.database):
        pass  # or a sentence, before anything listens
    with listen(settings.host, settings.port) as listener:
        logs.set_up(settings.log_level, settings.log_format)
        backend = Backend(settings.database, entrances=entrances(settings))
        run(application(backend, settings), listener, more)


def entrances(settings: Settings) -> Entrances:
    """How long sessions last and how often one may guess, as the house counts it."""
    return Entrances(
        idle=timedelta(hours=settings.session_idle_hours),
        life=timedelta(hours=settings.session_hours),
        tries=settings.sign_in_tries,
        tries_per_address=settings.sign_in_tries_per_address,
        window=timedelta(minutes=settings.sign_in_window_minutes),
    )


def application(backend: Backend, settings: Settings) -> ASGIApp:
    """The doors and the clock, all over one house."""
    keys, engine = CookieKeys(settings.secure_cookies), Engine(backend)
    return build(
        backend,
        settings,
        answer=engine.answer,
        answer_prepared=engine.answer_prepared,
        background=[partial(keep_sealed, backend), _settle],
        panel=lambda address: Panel(backend, keys, address, screens(), GROUPS),
    )


def run(served: ASGIApp, listener: socket.socket, more: Sequence[str] = ()) -> None:
    """Serve `served` on the socket; returns after a graceful stop."""
    config = uvicorn.Config(
        served,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        forwarded_allow_ips="127.0.0.1,::1",  # a proxy on the same machine may say whom it speaks for
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more when it has stopped, for a handler of ours: stopping was all it meant.
        signal.signal(number, lambda *_: None)
    _calm_the_collector()
    _Telling(config, [*addresses(listener), *more]).run(sockets=[listener])


def _calm_the_collector() -> None:
    """Let the garbage collector leave alone what is there for good.

    A full collection walks through every class and compiled template, a third of a second in which nobody is answered.
    Nearly all garbage dies young: the young are looked at as ever, the old far less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 50)


async def _settle() -> None:
    """Once everybody has been here, what caches hold by now stays as well."""
    await asyncio.sleep(WARM_SECONDS)
    gc.collect()
    gc.freeze()


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address; port 0 takes a free one.  Raises Unready."""
    try:
        kind, _, _, _, at = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return _bound(kind, at)
    except OSError as failure:
        why = failure.strerror or str(failure)
        raise Unready(f"Cannot listen on {host}:{port}: {why}. Choose another with MILLPOND_PORT.") from failure


def _bound(kind: socket.AddressFamily, at: Any) -> socket.socket:
    listener = socket.socket(kind, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(at)
    except OSError:
        listener.close()
        raise
    return listener


def addresses(listener: socket.socket) -> list[str]:
    """The lines that tell where to go."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    at = f"http://{shown}:{port}"
    return [
        f"Millpond is served at {at}",
        f"  Panel     {at}/admin/",
        f"  GraphQL   {at}/graphql",
        f"  Health    {at}/readyz",
    ]


class _Telling(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, lines: Sequence[str]) -> None:
        super().__init__(config)
        self.lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> Any:
        await super().startup(sockets)
        for line in self.lines:
            typer.echo(line)
