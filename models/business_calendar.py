"""Counting days: calendar days and business days from a moment, on the clocks of the organisation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5


@dataclass(frozen=True)
class BusinessCalendar:
    """The time zone of the organisation, and the days that differ from the week of Monday to Friday.

    A year without such a day is one that nobody has filled in: its weekdays count.
    """

    zone: str = "UTC"
    exceptions: Mapping[date, bool] = field(default_factory=dict)
    """Day -> whether the organisation works on it."""
    _steps: dict[tuple[date, int], date] = field(default_factory=dict, compare=False, repr=False)

    def is_working(self, day: date) -> bool:
        """Whether the organisation works on this day."""
        known = self.exceptions.get(day)
        return day.weekday() < _SATURDAY if known is None else known

    def is_known(self, year: int) -> bool:
        """Whether the year has been filled in."""
        return any(day.year == year for day in self.exceptions)

    def local_day(self, moment: datetime) -> date:
        """The day of a moment on the organisation's clocks."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def after(self, moment: datetime, days: int, *, business: bool) -> datetime:
        """The moment this many days later, at the same time of the organisation's clocks, in UTC.

        A time that the clocks leave out on that day is one hour later; of one that they show twice the first counts.
        """
        local = moment.astimezone(ZoneInfo(self.zone))
        day = self.working_day(local.date(), days) if business else local.date() + timedelta(days=days)
        there = datetime.combine(day, local.time(), ZoneInfo(self.zone)).replace(fold=0)
        return there.astimezone(UTC)

    def working_day(self, day: date, number: int) -> date:
        """The day on which the `number`th working day after `day` falls; the first one from `day` on for 0."""
        key = (day, number)
        if key not in self._steps:
            self._steps[key] = self._walk(day, number)
        return self._steps[key]

    def _walk(self, day: date, number: int) -> date:
        while number > 0:
            day += timedelta(days=1)
            number -= self.is_working(day)
        while not self.is_working(day):
            day += timedelta(days=1)
        return day
