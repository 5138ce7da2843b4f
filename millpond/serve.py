"""`millpond serve`: the parent of a web process and of workers, which it starts, watches and stops.

The parent holds the socket, so requests wait for a web process that starts again and are not refused.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import typer

from .database import opened
from .listening import STOP_SECONDS, addresses, listen
from .settings import Settings
from .supervisor import Child, Supervisor

_US = (sys.executable, "-m", "millpond")
WORKER_STOP_SECONDS = 30
"""Maximum time of a running chunk after the signal to stop."""


def serve(settings: Settings, more: Sequence[str] = ()) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.  `more` are lines printed after the addresses.

    Raises Unready, UnknownShape, CannotListen.
    """
    with opened(settings.database):
        pass  # raises before anything listens
    with listen(settings.host, settings.port) as listener:
        web = Child(
            "web", [*_US, "web", "--listener", str(listener.fileno())], STOP_SECONDS + 5, pass_fds=[listener.fileno()]
        )
        workers = [Child(f"worker {n + 1}", [*_US, "worker"], WORKER_STOP_SECONDS) for n in range(settings.workers)]
        announce = partial(_say, [*addresses(listener), *more])
        return Supervisor(web, workers, environment_of(settings), announce).run()


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The environment of a child: that of this process, with every setting as it is here."""
    chosen = {f"MILLPOND_{name.upper()}": _text(value) for name, value in settings.model_dump().items()}
    return {**os.environ, **chosen}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(line)
