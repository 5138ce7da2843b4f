"""The period of a report and the one before it, in days of the organisation."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from models.errors import Validation

LONGEST = 3_660
"""Maximum number of days of a period that a user sets."""
YEARS = range(1950, 2200)
"""Years in which a period may begin."""


class ReportPeriod(StrEnum):
    """How long the period of a report is."""

    ALL = "ALL"
    """All records, whenever they were dated; nothing is compared."""
    WEEK = "WEEK"
    """A week from Monday to Sunday."""
    MONTH = "MONTH"
    """A month of the calendar."""
    QUARTER = "QUARTER"
    """Three months of the calendar."""
    YEAR = "YEAR"
    """A year of the calendar."""
    CUSTOM = "CUSTOM"
    """The days from `from` to `to`."""


@dataclass(frozen=True)
class Days:
    """Days from the first to the last one, both included."""

    first: date
    last: date

    @property
    def during(self) -> str:
        """The period as conditions of lists write it."""
        return f"{self.first.isoformat()} to {self.last.isoformat()}"


_MONTHS = {ReportPeriod.MONTH: 1, ReportPeriod.QUARTER: 3, ReportPeriod.YEAR: 12}


def days_of(kind: ReportPeriod, first: date | None, last: date | None, today: date) -> Days | None:
    """The days of a period: the unit of the calendar in which `first` lies, today's without one; None for ALL.

    Raises Validation for days of the user's own that are missing, reversed or too many.
    """
    if kind is ReportPeriod.ALL:
        return None
    _refuse_far(first, last)
    if kind is ReportPeriod.CUSTOM:
        return _own(first, last)
    day = first or today
    if kind is ReportPeriod.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Days(monday, monday + timedelta(days=6))
    length = _MONTHS[kind]
    begin = date(day.year, (day.month - 1) // length * length + 1, 1)
    return Days(begin, _later(begin, length) - timedelta(days=1))


def before(kind: ReportPeriod, days: Days | None) -> Days | None:
    """The period before: the unit of the calendar before it, or as many days of the user's own; None for ALL."""
    if days is None:
        return None
    if kind in _MONTHS:
        begin = _later(days.first, -_MONTHS[kind])
    else:
        begin = days.first - (days.last - days.first) - timedelta(days=1)
    return Days(begin, days.first - timedelta(days=1))


def after(kind: ReportPeriod, days: Days | None) -> Days | None:
    """The period that follows."""
    if days is None:
        return None
    begin = days.last + timedelta(days=1)
    end = _later(begin, _MONTHS[kind]) - timedelta(days=1) if kind in _MONTHS else begin + (days.last - days.first)
    return Days(begin, end)


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _own(first: date | None, last: date | None) -> Days:
    if first is None or last is None:
        raise Validation("Say the first and the last day.", "请填写开始日期和结束日期。", field="from")
    if not 0 <= (last - first).days < LONGEST:
        raise Validation(
            f"Choose up to {LONGEST:,} days, the first one before the last.",
            f"请选择不超过 {LONGEST:,} 天的时间段，开始日期不晚于结束日期。",
            field="from",
        )
    return Days(first, last)


def _refuse_far(*days: date | None) -> None:
    if any(day is not None and day.year not in YEARS for day in days):
        raise Validation(
            f"A report begins and ends in the years {YEARS[0]} to {YEARS[-1]}.",
            f"报表日期须在 {YEARS[0]} 年至 {YEARS[-1]} 年之间。",
            field="from",
        )
