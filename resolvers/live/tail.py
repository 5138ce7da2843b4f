"""The tail of a table: rows by id, each read once, also those whose transaction commits after that of a later id."""

import time
from collections.abc import Sequence
from typing import Any

Row = tuple[Any, ...]
MISSING_SECONDS = 60
"""How long an id is looked for that a running transaction may have taken; longer ones are not waited for."""
MOST_MISSING = 10_000


class Tail:
    """Where a reader is in a table, and which ids it has passed without seeing them.

    Only PostgreSQL has such ids.  On SQLite one transaction writes at a time, so ids are in the order of commits.
    """

    def __init__(self, last: int, *, has_gaps: bool) -> None:
        self.last, self.has_gaps = last, has_gaps
        self._missing: dict[int, float] = {}

    @property
    def missing(self) -> list[int]:
        """Ids below `last` whose rows may still come."""
        now = time.monotonic()
        for id in [id for id, since in self._missing.items() if now - since > MISSING_SECONDS]:
            del self._missing[id]
        return list(self._missing)

    def take(self, rows: Sequence[Row]) -> list[Row]:
        """Those of the rows, by id in their first column, that are read for the first time."""
        fresh = []
        for row in rows:
            id = row[0]
            if id > self.last:
                if self.has_gaps:
                    now = time.monotonic()
                    first = max(self.last + 1, id - MOST_MISSING)
                    self._missing.update((gap, now) for gap in range(first, id))
                self.last = id
                fresh.append(row)
            elif self._missing.pop(id, None) is not None:
                fresh.append(row)
        return fresh
