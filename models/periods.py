"""Periods relative to today, as conditions write them: `last 7 days`, `this month`, `more than 30 days ago`.

A period is a range of calendar days of the organisation.  It holds today's date nowhere, so it can be saved, sent in an
address and asked again next month.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

Days = tuple[date | None, date | None]
"""(first day, last day); None where the range is open."""
LONGEST = 3_650
"""Maximum number of days, weeks or months in a period."""
YEARS = range(1900, 9999)
"""Years of the days that a text names: near the ends of the calendar, time zones cannot be converted."""
NEVER = "never"
"""The period of a date that is empty."""
UNITS = ("days", "weeks", "months")
_UNIT = r"(?P<unit>day|week|month)s?"
_DATE = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True)
class Period:
    """One period.  `form` is a key of FORMS; `number` and `unit` are those of the text, `first` and `last` its dates."""

    form: str
    number: int = 0
    unit: str = "days"
    first: date | None = None
    last: date | None = None

    def on(self, today: date) -> Days:
        """The days of the period as seen from `today`; `never` has none."""
        return FORMS[self.form].days(self, today)


@dataclass(frozen=True)
class Form:
    """One way to write a period: its pattern, and its days as seen from today."""

    pattern: str
    days: Callable[[Period, date], Days]


def period_of(text: str) -> Period:
    """The period that a text names.  Raises ValueError for any other text."""
    plain = " ".join(text.split()).lower()
    matched = ((name, found) for name, form in FORMS.items() if (found := re.fullmatch(form.pattern, plain)))
    for name, found in matched:
        parts = found.groupdict()
        first, last = (_date(parts.get(x), text) for x in ("first", "last"))
        if (number := int(parts.get("number") or 0)) <= LONGEST:
            return Period(name, number, f"{parts.get('unit') or 'day'}s", first, last)
    raise _no_period(text)


def _date(text: str | None, whole: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise _no_period(whole) from None
    if day is not None and day.year not in YEARS:
        raise _no_period(whole)
    return day


def _no_period(text: str) -> ValueError:
    return ValueError(f"“{text[:40]}” is no period")


def written(period: Period) -> str:
    """The text that names the period, in its usual spelling."""
    unit = period.unit if period.number != 1 else period.unit.removesuffix("s")
    words = {"number": str(period.number), "unit": unit, "first": str(period.first), "last": str(period.last)}
    return _SPELLED.get(period.form, period.form).format(**words)


def _moved(day: date, number: int, unit: str) -> date:
    """The day that lies `number` units later, on the last day of a shorter month."""
    if unit != "months":
        return day + timedelta(days=number * (7 if unit == "weeks" else 1))
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _day(offset: int) -> Callable[[Period, date], Days]:
    return lambda _, today: (today + timedelta(days=offset), today + timedelta(days=offset))


def _week(offset: int) -> Callable[[Period, date], Days]:
    """A week from Monday to Sunday."""

    def days(_: Period, today: date) -> Days:
        monday = today - timedelta(days=today.weekday() - 7 * offset)
        return monday, monday + timedelta(days=6)

    return days


def _months(length: int, offset: int) -> Callable[[Period, date], Days]:
    """A month, quarter or year of the calendar, by its number of months."""

    def days(_: Period, today: date) -> Days:
        first = date(today.year, (today.month - 1) // length * length + 1, 1)
        first = _moved(first, length * offset, "months")
        return first, _moved(first, length, "months") - timedelta(days=1)

    return days


FORMS: dict[str, Form] = {
    NEVER: Form("never", lambda *_: (None, None)),
    "today": Form("today", _day(0)),
    "yesterday": Form("yesterday", _day(-1)),
    "tomorrow": Form("tomorrow", _day(1)),
    **{
        f"{which} {unit}": Form(f"{which} {unit}", days(offset))
        for unit, days in (
            ("week", _week),
            ("month", lambda offset: _months(1, offset)),
            ("quarter", lambda offset: _months(3, offset)),
            ("year", lambda offset: _months(12, offset)),
        )
        for which, offset in (("last", -1), ("this", 0), ("next", 1))
    },
    "last": Form(rf"last (?P<number>[1-9]\d{{0,3}}) {_UNIT}", lambda p, day: (_moved(day, -p.number, p.unit), day)),
    "next": Form(rf"next (?P<number>[1-9]\d{{0,3}}) {_UNIT}", lambda p, day: (day, _moved(day, p.number, p.unit))),
    "ago": Form(
        rf"more than (?P<number>[1-9]\d{{0,3}}) {_UNIT} ago",
        lambda p, day: (None, _moved(day, -p.number, p.unit) - timedelta(days=1)),
    ),
    "ahead": Form(
        rf"more than (?P<number>[1-9]\d{{0,3}}) {_UNIT} ahead",
        lambda p, day: (_moved(day, p.number, p.unit) + timedelta(days=1), None),
    ),
    "on": Form(rf"on (?P<first>{_DATE})", lambda p, _: (p.first, p.first)),
    "from": Form(rf"from (?P<first>{_DATE})", lambda p, _: (p.first, None)),
    "until": Form(rf"until (?P<last>{_DATE})", lambda p, _: (None, p.last)),
    "between": Form(rf"(?P<first>{_DATE}) to (?P<last>{_DATE})", lambda p, _: (p.first, p.last)),
}
_SPELLED = {
    "last": "last {number} {unit}",
    "next": "next {number} {unit}",
    "ago": "more than {number} {unit} ago",
    "ahead": "more than {number} {unit} ahead",
    "on": "on {first}",
    "from": "from {first}",
    "until": "until {last}",
    "between": "{first} to {last}",
}
