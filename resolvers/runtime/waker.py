"""The waker: tells the listeners of other processes that something was committed.

SQLite needs none, because a commit shows in its file.  On PostgreSQL it sends NOTIFY after the commit and not inside
the transaction: PostgreSQL lets only one transaction with a NOTIFY commit at a time, the wait for the disk included.  A
NOTIFY that is lost costs the listeners a second, after which they look by themselves.
"""

import threading
import time
from typing import Any

import psycopg
import structlog
from sqlalchemy.engine import make_url

CHANNEL = "millpond"
GATHERED = 0.02
"""Seconds in which commits gather into one NOTIFY."""
_log = structlog.get_logger("millpond.waker")


class Waker:
    """One thread with a connection of its own, begun at the first commit.

    Processes that serve or work have one; a command leaves its listeners to their own look.
    """

    def __init__(self, url: str | None) -> None:
        """`url` is None where nobody has to be woken."""
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False) if url else None
        self._told, self._closed = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._beginning = threading.Lock()

    def wake(self) -> None:
        """Say that a transaction was committed.  Costs a microsecond, and never raises."""
        self._told.set()
        if self._thread is None and self._url is not None and not self._closed:
            with self._beginning:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        self._closed = True
        self._told.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        connection: Any = None
        while not self._closed:
            self._told.wait()
            self._told.clear()
            try:
                connection = connection or psycopg.connect(self._url or "", autocommit=True, connect_timeout=5)
                connection.execute(f"NOTIFY {CHANNEL}")
            except psycopg.Error as failure:
                _log.warning("listeners were not woken", cause=type(failure).__name__)
                connection = None
            time.sleep(GATHERED)
        if connection is not None:
            connection.close()
