"""Times and durations as sentences say them, in English and Chinese: the form of the panel, without a library."""

from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
_UNITS = ((86_400, "day", "天"), (3_600, "hour", "小时"), (60, "minute", "分钟"), (1, "second", "秒"))
"""(seconds, English, Chinese) of the units of a duration."""


def moment_of_local(local: datetime, zone: str) -> datetime:
    """The moment, in UTC, of a time that says no zone of its own: one of this zone.

    Where clocks go back and a time comes twice, it is the first one.  Where they go forward and a time is left out, it
    is as long after the change as the clock would say that was not changed (02:30 becomes 03:30): the rules of RFC 5545.
    """
    return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone), fold=0)).astimezone(UTC)


def moment_in_words(moment: datetime, language: str) -> str:
    """A moment in the time zone that it carries: `24 Nov 2026 16:30`, `2026年11月24日 16:30`."""
    if language.startswith("zh"):
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M}"


def duration_in_words(duration: timedelta) -> tuple[str, str]:
    """A duration in its largest unit of which there are two, rounded up, in English and Chinese: `90 seconds`."""
    seconds = max(1, ceil(duration.total_seconds()))
    size, english, chinese = next((unit for unit in _UNITS if seconds >= 2 * unit[0]), _UNITS[-1])
    number = -(-seconds // size)
    return f"{number} {english}{'' if number == 1 else 's'}", f"{number} {chinese}"
