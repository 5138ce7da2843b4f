"""Selectivity: whether a user sees many customers or few.  It decides the form of a statement and never its answer.

For a user who sees many, a list is walked and each row tested until the page is full, which takes the same time for any
number of customers.  For a user who sees few, the visible rows are looked up by indexes and sorted.  A sample with rows
from each part of the table decides which one applies.
"""

import threading
from typing import Any

from cachetools import TTLCache
from sqlalchemy import Dialect, func, literal_column, select

from models import Customer
from models.database.compiled import compile_statement
from models.database.reads import Reads
from policies import Principal, Snapshot

PARTS, OF_EACH = 5, 100
"""Number of parts of the table, and of sampled customers in each.  A user who sees one in every part sees many: that is
three in four of those who see one customer in thirty, and one in a hundred of those who see one in two hundred."""
SMALL = 1_000
"""Number of customers below which both forms are equally fast."""
KEPT_SECONDS = 600
"""Seconds for which a result is cached."""
MOST_KEPT = 5_000
"""Maximum number of cached results."""


class SelectivityCache:
    """The cached selectivity of users in one process."""

    def __init__(self, reads: Reads, dialect: Dialect) -> None:
        self.reads, self.dialect = reads, dialect
        self._policy: Snapshot | None = None
        self._lock = threading.Lock()
        self._known: TTLCache[Any, bool] = TTLCache(MOST_KEPT, KEPT_SECONDS)

    async def look(self, p: Principal, policy: Snapshot) -> bool:
        """Whether a user sees many.  Asks the database once in ten minutes, and when the rights change."""
        found = self._find(p, policy)
        if found is None:
            found = await self._ask(p, policy)
            with self._lock:
                if policy is not self._policy:  # no request asks under the former one any more
                    self._policy = policy
                    self._known.clear()
                self._known[_key(p, policy)] = found
        return found

    def known(self, p: Principal, policy: Snapshot) -> bool:
        """The same without asking the database: False while it is not known.  For any thread."""
        return bool(self._find(p, policy))

    def _find(self, p: Principal, policy: Snapshot) -> bool | None:
        with self._lock:
            try:
                return self._known[_key(p, policy)]
            except KeyError:
                return None

    async def _ask(self, p: Principal, policy: Snapshot) -> bool:
        last = await self._asked(select(func.max(_CUSTOMER.c.id)))
        if not last[0] or last[0] < SMALL:
            return False
        step = max(1, last[0] // (PARTS * OF_EACH))
        ids = select(literal_column(str(step)).label("id")).cte("some", recursive=True)
        ids = ids.union_all(select(ids.c.id + step).where(ids.c.id + step <= last[0]))
        seen = policy.where(p, "view", Customer, _CUSTOMER.c, by_row=True)
        found = await self._asked(select(_CUSTOMER.c.id).join(ids, ids.c.id == _CUSTOMER.c.id).where(seen))
        return len({(id - 1) * PARTS // last[0] for id in found}) == PARTS

    async def _asked(self, statement: Any) -> list[Any]:
        compiled = compile_statement(statement, self.dialect)
        rows = await self.reads.rows(compiled.text, compiled.values({}))
        return [row[0] for row in rows]


def _key(p: Principal, policy: Snapshot) -> Any:
    """All that decides what a user sees."""
    return policy, p.id, p.roles, p.departments, p.subtree, p.pools


_CUSTOMER = Customer.__table__.alias("looked_at")
