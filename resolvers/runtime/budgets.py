"""Budgets: how much each user may cost in a minute of what is expensive, or of what stays in the log for ever.

A budget fills up evenly and holds one minute's worth.  They are kept by each process for itself; without limits, as on
the command line and in tests, nothing is counted.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum

from cachetools import LRUCache

from models import utcnow
from models.errors import TooManyAttempts

MAX_BALANCES = 20_000
"""Maximum number of balances; the one that was not used for longest is forgotten, and full again."""
_MINUTE = 60.0


class Costly(StrEnum):
    """What has a budget."""

    COMPILING = "compiling"
    """Seconds in which statements are built for texts and filters that no request had before."""
    SEARCHES = "searches"
    DUPLICATE_CHECKS = "duplicate_checks"
    DENIALS = "denials"
    """Attempts without the right: each is a line of the log."""


class Budgets:
    """The balances of all users in one process."""

    def __init__(
        self, per_minute: Mapping[Costly, float] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute, self._clock = dict(per_minute or {}), clock
        self._lock = threading.Lock()
        self._balances: LRUCache[tuple[int, Costly], tuple[float, float]] = LRUCache(MAX_BALANCES)

    def check(self, user: int | None, kind: Costly) -> None:
        """Raise TooManyAttempts while nothing is left."""
        if user is None or kind not in self._per_minute:
            return
        with self._lock:
            left = self._left(user, kind)
        if left <= 0:
            wait = timedelta(seconds=(1 - left) * _MINUTE / self._per_minute[kind])
            raise TooManyAttempts(until=(now := utcnow()) + max(wait, timedelta(seconds=1)), now=now)

    def take(self, user: int | None, kind: Costly, amount: float = 1) -> None:
        """Take what was used, which may be more than was left."""
        if user is None or kind not in self._per_minute:
            return
        with self._lock:
            self._balances[user, kind] = self._left(user, kind) - amount, self._clock()

    def spend(self, user: int | None, kind: Costly) -> None:
        """Take one.  Raises TooManyAttempts while nothing is left."""
        self.check(user, kind)
        self.take(user, kind)

    def _left(self, user: int, kind: Costly) -> float:
        limit, now = self._per_minute[kind], self._clock()
        balance, at = self._balances.get((user, kind), (limit, now))
        return min(limit, balance + (now - at) * limit / _MINUTE)
