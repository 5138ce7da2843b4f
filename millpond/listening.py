"""The socket on which requests come, and the lines that say where it is."""

import socket
from typing import Any

STOP_SECONDS = 10
"""Maximum time of running requests after the signal to stop."""


class CannotListen(Exception):
    """The address cannot be used; the text is one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address; port 0 takes a free port.  Raises CannotListen."""
    try:
        kind, _, _, _, at = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return _bound(kind, at)
    except OSError as failure:
        why = failure.strerror or str(failure)
        raise CannotListen(f"Cannot listen on {host}:{port}: {why}. Choose another with MILLPOND_PORT.") from failure


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
    """The lines that name the addresses of panel, GraphQL and health check."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    at = f"http://{shown}:{port}"
    return [
        f"Millpond is served at {at}",
        f"  Panel     {at}/admin/",
        f"  GraphQL   {at}/graphql",
        f"  Health    {at}/readyz",
    ]


def inherited(number: int) -> socket.socket:
    """The socket that the parent process has bound."""
    return socket.socket(fileno=number)
