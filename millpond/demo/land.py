"""Shared state of the demo's customers: sellers, claim rules, words, ledger, random source, counters."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from models import ClaimRule
from models.base import clip
from models.numbering import Pattern
from resolvers.ownership.quota import periods

from .ledger import Ledger
from .words import Words

ZONE = "Asia/Shanghai"
FIRST_DAY = date(2024, 3, 1)
"""The day of the first number, C2024001, which stories of maintenance look for."""


@dataclass(frozen=True)
class Seller:
    """A user who owns customers, and the pool into which they release customers and from which they claim."""

    id: int
    department_id: int
    pool_id: int
    weight: float


class Land:
    """Everything that the makers of customers share; its one random source is seeded anew for each customer."""

    def __init__(
        self,
        ledger: Ledger,
        sellers: list[Seller],
        rules: dict[int, ClaimRule],
        pattern: Pattern,
        now: datetime,
        ways: Any,
    ) -> None:
        """`ways`: the pipelines of `deals.py`."""
        self.ledger, self.sellers, self.rules, self.pattern, self.now = ledger, sellers, rules, pattern, now
        self.rng = random.Random(0)  # noqa: S311  nothing secret is made of it
        self.words = Words(self.rng)
        self.numbers: Counter[str] = Counter()
        self.held: Counter[int] = Counter()
        self.quota: Counter[tuple[int, int, str]] = Counter()
        self.ways, self.periods = ways, dict[int, dict[str, Any]]()

    def seller(self) -> Seller:
        return self.rng.choices(self.sellers, [seller.weight for seller in self.sellers])[0]

    def other(self, than: Seller) -> Seller:
        return self.rng.choice([seller for seller in self.sellers if seller is not than])

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def between(self, start: datetime, end: datetime) -> datetime:
        return clip(start + (end - start) * self.rng.random())

    def number(self, at: datetime) -> str:
        """The next number of the period in which `at` lies; the first customer has kept one of a year before."""
        day = at.astimezone(ZoneInfo(ZONE)).date() if self.numbers else FIRST_DAY
        period = self.pattern.period(day)
        self.numbers[period] += 1
        return self.pattern.number(day, self.numbers[period])

    def count_claim(self, seller: Seller, pool_id: int, at: datetime) -> None:
        """Count one claim against the quotas of the periods in which `at` lies."""
        for _, period, _, _ in periods(self.rules[pool_id], at, ZONE):
            self.quota[pool_id, seller.id, period] += 1
