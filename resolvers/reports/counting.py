"""The figures of a report over a kind of records: one statement for each figure and period.

A statement has the condition of the list that its figure links to, read by the same code and under the same policy, and
groups by the value that the reader sees; so a figure is the number of records of its list.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import String, cast, func, null
from sqlalchemy.orm import Session

from models import Base
from models.base import Money

from ..reading.clauses import value, visible
from ..reading.conditions import Condition
from ..reading.pages import ListRequest, Reading
from ..runtime.scope import Scope
from .dimensions import Dimension, Groups, Labels, labels
from .figure import Figure
from .period import Days
from .result import ZERO, Cell, Counts, Row, Sum, Totals
from .settings import Asked

MOST_ROWS = 60
"""Number of groups that are shown one by one; the others are one row together."""
_CENT = Decimal("0.01")


def counted(
    model: type[Base], figures: Sequence[Figure], scope: Scope, db: Session, asked: Asked, *, has_money: bool = False
) -> tuple[list[Row], Totals]:
    """The rows and the totals of figures over a kind of records; `has_money`: amounts are summed by currency."""
    count = _Counting(model, scope, db, asked.dimension, has_money)
    columns = [_read(count, asked, figure) for figure in figures]
    keys = dict.fromkeys(key for column in columns for counts in column.both for key in counts.of)
    named = labels(scope, db, asked.dimension, keys) if asked.dimension is not None else Labels({None: ""}, {}, {})
    if asked.dimension is not None and asked.dimension.groups is Groups.BRANCH:
        columns = [column.folded(named.above) for column in columns]
        keys = dict.fromkeys(named.above.get(key, key) for key in keys)
    ordered = sorted(keys, key=_order(asked.dimension, named, columns))
    shown, rest = ordered[:MOST_ROWS], ordered[MOST_ROWS:]
    rows = [Row(key, named.name(key), tuple(column.cell(key) for column in columns)) for key in shown]
    if rest:
        rows.append(Row(None, None, tuple(column.rest(rest) for column in columns), is_rest=True))
    return rows if asked.dimension is not None else [], tuple(column.total() for column in columns)


def _order(dimension: Dimension | None, named: Labels, columns: Sequence["_Column"]) -> Callable[[Any], Any]:
    """Words by their place, times by time, all others the most first; an empty group last."""

    def place(key: Any) -> Any:
        if dimension is not None and dimension.is_time:
            return key is None, 0, str(key)
        count = sum(column.now.of.get(key, 0) for column in columns)
        at = named.order.get(key, len(named.order)) if named.order else -count
        return key is None, at, str(named.name(key) or "")

    return place


@dataclass(frozen=True)
class _Column:
    """One figure: what was counted in the period and in the one before, and the conditions of both lists."""

    asked: Asked
    now: Counts
    earlier: Counts | None
    listed: Condition
    listed_before: Condition

    @property
    def both(self) -> Iterable[Counts]:
        """The periods whose groups are rows: a group of the one before alone is one, too, unless groups are times."""
        is_time = self.asked.dimension is not None and self.asked.dimension.is_time
        return [self.now] if self.earlier is None or is_time else [self.now, self.earlier]

    def folded(self, to: Mapping[Any, Any]) -> "_Column":
        earlier = self.earlier.folded(to) if self.earlier is not None else None
        return _Column(self.asked, self.now.folded(to), earlier, self.listed, self.listed_before)

    def cell(self, key: Any) -> Cell:
        dimension = self.asked.dimension
        group = dimension.condition(key) if dimension is not None else {}
        earlier = None if dimension is not None and dimension.is_time else self.earlier
        return Cell(
            self.now.of.get(key, 0),
            earlier.of.get(key, 0) if earlier is not None else None,
            both(self.listed, group),
            both(self.listed_before, group) if earlier is not None else None,
            self._sums([key], earlier, both(self.listed, group)),
        )

    def rest(self, keys: Sequence[Any]) -> Cell:
        """All groups after the last one together: no list shows them."""
        before = sum(self.earlier.of.get(key, 0) for key in keys) if self.earlier is not None else None
        return Cell(sum(self.now.of.get(key, 0) for key in keys), before, sums=self._sums(keys, self.earlier, None))

    def total(self) -> Cell:
        earlier = self.earlier
        keys = [*self.now.of, *(key for key in (earlier.of if earlier is not None else ()) if key not in self.now.of)]
        return Cell(
            self.now.total,
            earlier.total if earlier is not None else None,
            self.listed,
            self.listed_before if earlier is not None else None,
            self._sums(keys, earlier, self.listed),
        )

    def _sums(self, keys: Sequence[Any], earlier: Counts | None, listed: Condition | None) -> tuple[Sum, ...]:
        now, before = _by_currency(self.now, keys), _by_currency(earlier, keys) if earlier is not None else None
        found = []
        for currency in sorted({*now, *(before or {})}):
            count, amount, weighted = now.get(currency, (0, ZERO, ZERO))
            _, amount_before, weighted_before = (before or {}).get(currency, (0, ZERO, ZERO))
            condition = both(listed, {"currency": {"eq": currency}}) if listed is not None else None
            compared = (amount_before, weighted_before) if before is not None else (None, None)
            found.append(Sum(currency, count, amount, weighted, condition, *compared))
        return tuple(found)


def _by_currency(counts: Counts, keys: Iterable[Any]) -> dict[str, tuple[int, Decimal, Decimal]]:
    """(number, amount, weighted) of these groups in each currency; weighted is rounded once, half up."""
    whole = Counts(money={key: counts.money[key] for key in keys if key in counts.money})
    folded = whole.folded(dict.fromkeys(whole.money))
    return {
        currency: (count, amount.quantize(_CENT), (weighted / 100).quantize(_CENT, ROUND_HALF_UP))
        for currency, (count, amount, weighted) in folded.money.get(None, {}).items()
    }


# --- the statement ---------------------------------------------------------------------------------------


def both(one: Condition, other: Condition) -> Condition:
    """A condition that asks for both, flat where no field stands in each of them."""
    if one.keys() & other.keys():
        return {"and": [one, other]}
    return {**one, **other}


def _listed(figure: Figure, asked: Asked, days: Days | None) -> Condition:
    return both(figure.condition(days.during if days is not None else None), asked.owners)


def _read(count: "_Counting", asked: Asked, figure: Figure) -> _Column:
    listed, before = (_listed(figure, asked, days) for days in (asked.days, asked.before))
    compares = asked.before is not None and figure.dated is not None
    return _Column(asked, count(listed), count(before) if compares else None, listed, before)


@dataclass(frozen=True)
class _Counting:
    """Counts the records of lists by groups, with their amounts where they are summed."""

    model: type[Base]
    scope: Scope
    db: Session
    by: Dimension | None
    has_money: bool

    def __call__(self, condition: Condition) -> Counts:
        reading = Reading(self.scope, ListRequest(self.model, (), condition=condition))
        # Every record is asked about, so what answers is found first.
        reading.viewer = viewer = self.scope.viewer.at_once
        e: Any = reading.e
        key = self.by.value(viewer, e) if self.by is not None else cast(null(), String)
        parts, totals = [key.label("k")], [func.count().label("n")]
        if self.has_money:
            currency, chance, amount = (value(viewer, self.model, e, x) for x in ("currency", "probability", "amount"))
            parts += [currency.label("c"), chance.label("p")]
            totals += [func.sum(amount, type_=Money()).label("a")]
        asked = visible(viewer, self.model, *parts, *totals).where(*reading.listed())
        counts = Counts()
        for row in self.db.execute(asked.group_by(*(part.name for part in parts))):
            counts.add(row.k, row.n, *((row.c, row.a, row.p) if self.has_money else (None, None, None)))
        return counts
