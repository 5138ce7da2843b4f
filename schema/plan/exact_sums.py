"""Sums of amounts, exact to the hundredth on both databases, whatever they come to.

SQLite adds integers of 64 bits and fails beyond them, so there a sum is two: of the high and of the low digits.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Integer, Numeric, Text, case, cast, func, literal_column, type_coerce

from .dialect import Value

_BASE: Value = literal_column(str(10**8), Integer)
_MILLION: Value = literal_column(str(10**6), Integer)
_HUNDRED: Value = literal_column("100", Integer)
_HALF: Value = literal_column("50", Integer)


class ExactSums(Protocol):
    """The SQL in which the two databases add amounts."""

    def parts(self, amount: Value, chance: Value | None = None) -> Sequence[Value]:
        """The aggregates that a sum is made of, which can be added again; NULL over nothing.  `chance` is per cent."""

    def text(self, parts: Sequence[Value], *, is_weighted: bool = False) -> Value:
        """A sum as text with two decimals; a weighted one is rounded once, half up."""


class _OnSqlite:
    def parts(self, amount: Value, chance: Value | None = None) -> Sequence[Value]:
        whole = cast(amount, Integer)
        high, low = whole.op("/", return_type=Integer())(_BASE), whole.op("%", return_type=Integer())(_BASE)
        pair = (high, low) if chance is None else (high * chance, low * chance)
        return [func.sum(part, type_=Integer()) for part in pair]

    def text(self, parts: Sequence[Value], *, is_weighted: bool = False) -> Value:
        high, low = parts
        if is_weighted:
            high, low = _over(high, _HUNDRED), _rest(high, _HUNDRED) * _MILLION + _over(low + _HALF, _HUNDRED)
        high, low = high + _over(low, _BASE), _rest(low, _BASE)
        units, cents = _over(low, _HUNDRED), _rest(low, _HUNDRED)
        short = func.printf(literal_column("'%d.%02d'"), units, cents, type_=Text)
        long = func.printf(literal_column("'%d%06d.%02d'"), high, units, cents, type_=Text)
        return case((parts[0].is_(None), None), (high == literal_column("0", Integer), short), else_=long)


class _OnPostgresql:
    def parts(self, amount: Value, chance: Value | None = None) -> Sequence[Value]:
        exact = type_coerce(amount, Numeric)
        return [func.sum(exact if chance is None else exact * cast(chance, Integer), type_=Numeric())]

    def text(self, parts: Sequence[Value], *, is_weighted: bool = False) -> Value:
        (whole,) = parts
        return cast(func.round(whole / _HUNDRED if is_weighted else whole, literal_column("2", Integer)), Text)


SUMS: Mapping[str, ExactSums] = {"sqlite": _OnSqlite(), "postgresql": _OnPostgresql()}
"""By the name of the database."""


def _over(value: Value, by: Value) -> Value:
    """The quotient of two integers; `/` of SQLAlchemy would make it a fraction."""
    quotient: Value = value.self_group().op("/", return_type=Integer())(by)
    return quotient


def _rest(value: Value, by: Value) -> Value:
    rest: Value = value.self_group().op("%", return_type=Integer())(by)
    return rest
