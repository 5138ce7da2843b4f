"""The size of SQLite's write-ahead log: the transactions of jobs begin by cutting it back.

SQLite fills the log from its beginning again only where a transaction begins while nobody reads.  Beside steady readers
that may not happen for minutes: the log of an import has grown to 20 GB, and each page that is read is looked for in all
of it, so the import slowed down to a third.
"""

import os
import time
from contextlib import suppress
from typing import Any

LARGEST_BYTES = 64 * 2**20
"""Size of the log from which the next transaction of a job cuts it back."""
WAIT_MILLISECONDS = 50
"""Time for which it waits for those who read or write just now."""
RETRY_SECONDS = 1.0
"""Time after which it is tried again where somebody has read for longer than that."""


class WriteLog:
    """The log of one database file."""

    def __init__(self, path: str) -> None:
        self._path, self._next_try = f"{path}-wal", 0.0

    def cut_back(self, driver: Any) -> None:
        """Empty the log where it has grown large; `driver` is a connection without a transaction.

        Leaves the wait of the connection changed, which the begin of a transaction sets anyway.
        """
        if time.monotonic() < self._next_try or self._size() <= LARGEST_BYTES:
            return
        driver.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")
        is_busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if is_busy:
            self._next_try = time.monotonic() + RETRY_SECONDS

    def _size(self) -> int:
        with suppress(FileNotFoundError):
            return os.stat(self._path).st_size
        return 0
