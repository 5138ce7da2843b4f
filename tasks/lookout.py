"""The lookout of a worker: its name, whether a job is due, and the wait for the next one.

It asks on a connection of its own that never writes, so an idle worker takes no lock from users.
"""

import fcntl
import os
import sqlite3
import threading
from datetime import datetime
from itertools import count
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import make_url

from models.base import time_text
from models.database.engines import is_sqlite
from resolvers.jobs.queue import LEASE
from resolvers.runtime.enqueue import CHANNEL

LOOK_SECONDS = 0.03
"""Time between two looks at an SQLite file for a commit of another process."""
_NAMES = 0x4D494C50
"""The number under which PostgreSQL knows the names of workers among advisory locks."""
_DUE = """SELECT 1 FROM job WHERE ended_at IS NULL AND
    (state = 'WAITING' AND due_at <= {0} OR state = 'RUNNING' AND (worker = {0} OR seen_at < {0})) LIMIT 1"""

_WORKING = "SELECT DISTINCT worker FROM job WHERE ended_at IS NULL AND state = 'RUNNING'"


class Lookout(Protocol):
    """One for each thread that runs jobs."""

    name: str
    """The name under which it works.  It is given again as soon as its process is gone, and what that left goes on."""

    def is_due(self, now: datetime) -> bool:
        """Whether a job might be taken."""
        ...

    def lost(self) -> list[str]:
        """The names of workers that are gone and have left a job."""
        ...

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Wait until a transaction was committed that may have enqueued a job, or the time is over."""
        ...

    def close(self) -> None:
        """Give the name back."""
        ...


def lookout(url: str) -> Lookout:
    """The lookout over this database."""
    return SqliteLookout(make_url(url).database or "") if is_sqlite(url) else PostgresLookout(url)


class SqliteLookout:
    """Names are locks on files beside the database; a commit shows in `data_version`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.name, self._lock = _locked_name(path)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._version = self._read_version()

    def is_due(self, now: datetime) -> bool:
        given = (time_text(now), self.name, time_text(now - LEASE))
        return self._connection.execute(_DUE.format("?"), given).fetchone() is not None

    def lost(self) -> list[str]:
        working = [name for (name,) in self._connection.execute(_WORKING) if name != self.name]
        return [name for name in working if self._is_free(name)]

    def _is_free(self, name: str) -> bool:
        file = _lock_of(self._path, int(name[1:]))
        if file is not None:
            os.close(file)
        return file is not None

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        for _ in range(max(1, round(seconds / LOOK_SECONDS))):
            version = self._read_version()
            if version != self._version or stopping.wait(LOOK_SECONDS):
                self._version = version
                return

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)

    def _read_version(self) -> Any:
        return self._connection.execute("PRAGMA data_version").fetchone()


def _locked_name(path: str) -> tuple[str, int]:
    """The first free name, and the open file whose lock holds it until this process ends."""
    for number in count():
        if (file := _lock_of(path, number)) is not None:
            return f"w{number}", file
    raise AssertionError("unreachable")


def _lock_of(path: str, number: int) -> int | None:
    """The open file that holds the lock of a name; None when another process has it."""
    file = os.open(f"{path}-worker-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


class PostgresLookout:
    """Names are advisory locks of the session, which listens for what is enqueued."""

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True, keepalives_idle=5, keepalives_interval=2)
        self._connection.execute(f"LISTEN {CHANNEL}")
        self.name = self._locked_name()

    def is_due(self, now: datetime) -> bool:
        given = (now, self.name, now - LEASE)
        return self._connection.execute(_DUE.format("%s"), given).fetchone() is not None

    def lost(self) -> list[str]:
        working = [name for (name,) in self._connection.execute(_WORKING) if name != self.name]
        return [name for name in working if self._is_free(name)]

    def _is_free(self, name: str) -> bool:
        number = int(name[1:])
        is_free = self._lock(number)
        if is_free:
            self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_NAMES, number))
        return is_free

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        if not stopping.is_set():
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                return

    def close(self) -> None:
        self._connection.close()

    def _locked_name(self) -> str:
        for number in count():
            if self._lock(number):
                return f"w{number}"
        raise AssertionError("unreachable")

    def _lock(self, number: int) -> bool:
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_NAMES, number)).fetchone()
        return row is not None and bool(row[0])
