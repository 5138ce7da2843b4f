"""Request middleware: request id, default headers, a log line, metrics, and an answer for every exception."""

import logging
import os
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from .caller import request_id
from .responses import broke

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
}
"""Headers of every response that does not set them itself."""

_QUIET = {"/healthz", "/readyz", "/metrics"}
_log, _plain_log = structlog.get_logger("millpond"), logging.getLogger("millpond")


class Metrics:
    """The Prometheus metrics of the process."""

    def __init__(self, doors: Iterable[str]) -> None:
        self._registry = CollectorRegistry()
        self._doors = {door.split("/", 2)[1] for door in doors}
        own: Any = {"namespace": "millpond", "registry": self._registry}
        self._requests = Counter("requests", "Answers by door and status.", ["door", "status"], **own)
        self._seconds = Histogram("request_seconds", "Time to the end of the answer.", ["door"], **own)
        self._answers = Counter("graphql_answers", "GraphQL answers by how they came to be.", ["kind"], **own)
        self._engine = Histogram("graphql_seconds", "Time in the GraphQL engine.", ["kind"], **own)
        degraded = "1 while the policy is not as it is stored; as /readyz saw it last."
        self._policy = Gauge("policy_degraded", degraded, multiprocess_mode="livemax", **own)
        self._kinds: dict[str, tuple[Counter, Histogram]] = {}
        self._served: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, kind: str, seconds: float) -> None:
        """Count a GraphQL answer of this kind."""
        if kind not in self._kinds:
            self._kinds[kind] = self._answers.labels(kind), self._engine.labels(kind)
        answers, engine = self._kinds[kind]
        answers.inc()
        engine.observe(seconds)

    def policy(self, *, is_sound: bool) -> None:
        """Set whether the policy in force is the stored one."""
        self._policy.set(not is_sound)

    def served(self, path: str, status: int, seconds: float) -> None:
        """Count a response by the first part of its path and by its status."""
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        door = first if first in self._doors else "other"  # never the path itself, because callers choose it
        if (door, status) not in self._served:
            self._served[door, status] = self._requests.labels(door, str(status)), self._seconds.labels(door)
        requests, took = self._served[door, status]
        requests.inc()
        took.observe(seconds)

    async def page(self, _: Request) -> Response:
        """The metrics of this process, or of all processes that share PROMETHEUS_MULTIPROC_DIR."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


class RequestMiddleware:
    """Adds an id to every request and default headers to every response; an exception becomes a response without details."""

    def __init__(self, app: ASGIApp, figures: Metrics) -> None:
        self.app, self.figures = app, figures

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] != "http":
            await self.app(connection, receive, send)
            return
        id, began, status = request_id(connection), time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message.get("headers", ()), id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=id):
            try:
                await self.app(connection, receive, send_with_headers)
            except Exception:
                answer = broke(id)
                if status:
                    raise  # the response has begun, so the server closes the connection
                await answer(connection, receive, send_with_headers)
            finally:
                self._note(connection, status, time.perf_counter() - began)

    def _note(self, connection: Connection, status: int, seconds: float) -> None:
        path = connection["path"]
        self.figures.served(path, status, seconds)
        level = logging.DEBUG if path in _QUIET else logging.WARNING if status >= 500 else logging.INFO
        if not _plain_log.isEnabledFor(level):  # saves building an event that is not logged
            return
        milliseconds = round(seconds * 1000, 1)
        _log.log(level, "request", method=connection["method"], path=path, status=status, ms=milliseconds)


def _completed(headers: Iterable[tuple[bytes, bytes]], id: str) -> list[tuple[bytes, bytes]]:
    """The headers of a response with its request id and the default headers that it does not set."""
    kept = [pair for pair in headers if pair[0].lower() != b"x-request-id"]
    there = frozenset([name.lower() for name, _ in kept])
    return [*kept, (b"x-request-id", id.encode("latin-1")), *_missing(there)]


@lru_cache(maxsize=100)
def _missing(there: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The default headers whose names are not in `there`."""
    return [pair for pair in _RAW if pair[0] not in there]


_RAW = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in HEADERS.items()]
