"""Months in SQL: that of a day, and that of a moment in a time zone, as `2026-11` on both databases."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import String, case, cast, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models.base import time_text
from models.names import MONTHS

from ..runtime.viewer import Value

FIRST_YEAR, LAST_YEAR = 1990, 2060
"""Years whose changes of clocks SQLite is told; before and after them the nearest offset counts."""


def month_of_day(day: Value) -> Value:
    """The month of a day: `2026-11`."""
    return func.substr(cast(day, String), 1, 7, type_=String())


class MonthOfMoment(FunctionElement[str]):
    """The month of a moment in a time zone: `2026-11`."""

    type, inherit_cache = String(), False

    def __init__(self, moment: Value, zone: str) -> None:
        super().__init__(moment)
        self.zone = zone


@compiles(MonthOfMoment)
def _on_postgresql(element: MonthOfMoment, compiler: Any, **how: Any) -> str:
    (moment,) = (compiler.process(part, **how) for part in element.clauses)
    return f"to_char(timezone('{_name(element.zone)}', {moment}), 'YYYY-MM')"


@compiles(MonthOfMoment, "sqlite")
def _on_sqlite(element: MonthOfMoment, compiler: Any, **how: Any) -> str:
    (moment,) = (compiler.process(part, **how) for part in element.clauses)
    return f"CASE WHEN {moment} IS NOT NULL THEN {_shifted(moment, _offsets(element.zone))} END"


def _shifted(moment: str, offsets: tuple[tuple[str, int], ...]) -> str:
    """The month by the last of these (moment, offset in minutes) before it: a tree of comparisons, half of them each."""
    if len(offsets) == 1:
        return f"strftime('%Y-%m', {moment}, '{offsets[0][1]:+d} minutes')"
    half = len(offsets) // 2
    later, earlier = _shifted(moment, offsets[half:]), _shifted(moment, offsets[:half])
    return f"CASE WHEN {moment} >= '{offsets[half][0]}' THEN {later} ELSE {earlier} END"


@lru_cache(maxsize=64)
def _offsets(zone: str) -> tuple[tuple[str, int], ...]:
    """From when on the clocks of a zone differ from UTC by how many minutes, in the order of time."""
    known = ZoneInfo(zone)
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    found, step = [(time_text(at), _minutes(known, at))], timedelta(days=7)
    while at < end:
        if _minutes(known, at + step) != found[-1][1]:
            change = _change(known, at, at + step)
            found.append((time_text(change), _minutes(known, change)))
            at = change
        else:
            at += step
    return tuple(found)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first minute of the new offset between two moments of which the first has the old one."""
    old = _minutes(zone, before)
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=int((after - before).total_seconds() // 120))
        before, after = (middle, after) if _minutes(zone, middle) == old else (before, middle)
    return after


def _minutes(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def _name(zone: str) -> str:
    """The name of a zone as part of a statement.  Raises ZoneInfoNotFoundError for a text that is none."""
    return ZoneInfo(zone).key.replace("'", "''")


def month_in_words(month: Value, language: str) -> Value:
    """A month as people read it: `November 2026`, `2026年11月`."""
    year, number = func.substr(month, 1, 4, type_=String()), func.substr(month, 6, 2, type_=String())
    if language.startswith("zh"):
        numbers = {f"{n:02d}": f"年{n}月" for n in range(1, 13)}
        return year.concat(_one_of(number, numbers))
    return _one_of(number, {f"{n:02d}": f"{name} " for n, name in enumerate(MONTHS, start=1)}).concat(year)


def _one_of(number: Value, words: dict[str, str]) -> Value:
    quoted: dict[Value, Value] = {
        literal_column(f"'{key}'"): literal_column(f"'{word}'", String) for key, word in words.items()
    }
    return case(*((number == key, word) for key, word in quoted.items()), else_=None)
