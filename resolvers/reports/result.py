"""What a report answers: rows with a cell for each figure, each with the condition of its list, and totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..reading.conditions import Condition

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Sum:
    """The amounts in one currency.  `weighted`: each times its probability, rounded once.

    `count` is the number of records in this currency, `condition` the list of exactly these.
    """

    currency: str
    count: int
    amount: Decimal
    weighted: Decimal
    condition: Condition | None = None
    before_amount: Decimal | None = None
    before_weighted: Decimal | None = None


@dataclass(frozen=True)
class Cell:
    """One figure of a row: a number, and that of the period before; None where there is none to compare.

    `condition` and `condition_before` are those of the lists that show exactly the records that count; None where no
    list does.  `is_hours`: the number is a time in hours instead of a count; None where nothing was measured.
    """

    value: int | float | None
    before: int | float | None = None
    condition: Condition | None = None
    condition_before: Condition | None = None
    sums: tuple[Sum, ...] = ()
    is_hours: bool = False


@dataclass(frozen=True)
class Row:
    """One group.  `key` is its value: a word, an id, a month; None for an empty or hidden one.

    `label` is None where the reader may not see what it is called.  `is_rest`: all groups after the last one.
    """

    key: Any
    label: str | None
    cells: tuple[Cell, ...]
    is_rest: bool = False


Totals = tuple[Cell, ...]
"""A cell for each figure, over all groups."""


@dataclass
class Counts:
    """What one statement has counted: the number by group, and (number, amount, weighted) by group and currency."""

    of: dict[Any, int] = field(default_factory=dict)
    money: dict[Any, dict[str, list[Any]]] = field(default_factory=dict)

    def add(self, key: Any, count: int, currency: str | None, amount: Decimal | None, chance: int | None) -> None:
        """Add records of one group, currency and probability."""
        self.of[key] = self.of.get(key, 0) + count
        if currency is None:
            return
        held = self.money.setdefault(key, {}).setdefault(currency, [0, ZERO, Decimal(0)])
        held[0] += count
        held[1] += amount or ZERO
        held[2] += (amount or ZERO) * (chance or 0)

    def folded(self, to: Mapping[Any, Any]) -> "Counts":
        """The same with groups that stand for others; a group that is not among them stays."""
        made = Counts()
        for key, count in self.of.items():
            made.of[to.get(key, key)] = made.of.get(to.get(key, key), 0) + count
        for key, by_currency in self.money.items():
            whole = made.money.setdefault(to.get(key, key), {})
            for currency, parts in by_currency.items():
                held = whole.setdefault(currency, [0, ZERO, Decimal(0)])
                whole[currency] = [a + b for a, b in zip(held, parts, strict=True)]
        return made

    @property
    def total(self) -> int:
        return sum(self.of.values())
