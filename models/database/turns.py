"""Turns of SQLite's writers: a user's change begins before the next transaction of a job.

SQLite has no queue for its write lock, and a writer that waits sleeps up to a tenth of a second between two tries.  A job
that commits and begins again within a millisecond wins nearly always, so users would wait until they are refused.
"""

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from .sqlalchemy_internals import raise_database_error
from .write_log import WriteLog

BUSY_MILLISECONDS = 10_000
"""Time for which SQLite itself waits for a lock outside the begin of a transaction."""
WAIT_SECONDS = 10.0
"""Time after which a transaction that could not begin fails with "database is locked"."""
YIELD_SECONDS = 1.0
"""Maximum time for which a transaction of a job lets users go first: jobs advance beside a busy server, too."""
PAUSE_SECONDS = 0.002
"""Time between two tries."""
_BEGIN = "BEGIN IMMEDIATE"


def begin_in_turn(engine: Engine, path: str, *, yields: bool) -> None:
    """Begin write transactions of `engine` in turn; `yields` for a process whose work no user waits for.

    A user's transaction that does not begin at once holds a shared lock on the file `PATH-turn` while it waits.  A job's
    asks for the exclusive lock of that file before it begins, and so waits for users.  The system frees both locks when a
    process ends.
    """
    log = WriteLog(path)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            with _Turn(path) as turn:
                if yields:
                    turn.let_users_go_first()
                    log.cut_back(driver)
                turn.begin(driver, is_urgent=not yields)
        except sqlite3.Error as failure:
            raise_database_error(connection, failure, _BEGIN, (), None)


class _Turn:
    """The wait of one transaction, with the lock file open where it is needed."""

    def __init__(self, path: str) -> None:
        self._path, self._file = f"{path}-turn", -1

    def __enter__(self) -> "_Turn":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)  # which gives up its locks

    def let_users_go_first(self) -> None:
        """Wait until no user waits, up to YIELD_SECONDS."""
        until = time.monotonic() + YIELD_SECONDS
        while not self._lock(fcntl.LOCK_EX) and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def begin(self, driver: Any, *, is_urgent: bool) -> None:
        """Begin as soon as no other transaction writes.  Raises SQLite's own error after WAIT_SECONDS."""
        until, is_known = time.monotonic() + WAIT_SECONDS, False
        while (failure := _failure_to_begin(driver)) is not None:
            if time.monotonic() > until:
                raise failure
            if is_urgent and not is_known:
                is_known = self._lock(fcntl.LOCK_SH)
            time.sleep(PAUSE_SECONDS)

    def _lock(self, kind: int) -> bool:
        """Take the lock without waiting, because a process that was stopped may hold it for good."""
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            return True
        return False


def _failure_to_begin(driver: Any) -> sqlite3.OperationalError | None:
    """Try to begin once; returns the error when another transaction writes.

    The connection's own wait is left out for the try, and stands again for what follows.
    """
    driver.execute("PRAGMA busy_timeout=0")
    try:
        driver.execute(_BEGIN)
    except sqlite3.OperationalError as failure:
        if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # the low byte: SQLite has several kinds of it
            raise
        return failure
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    return None
