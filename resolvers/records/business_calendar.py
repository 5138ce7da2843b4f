"""The business calendar of the organisation: filled from public holidays of a country, and edited day by day."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import holidays
from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import CalendarDay
from models.errors import Validation

from ..runtime.inputs import invalid
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .create_update import create

YEARS = range(2000, 2101)
_LANGUAGES = ("zh_CN", "en_US")


class CalendarDayRules(Rules[CalendarDay]):
    """A calendar day lies in a year that people plan for."""

    def check(self, scope: Scope, db: Session, row: CalendarDay, values: dict[str, Any]) -> None:
        if "day" in values and row.day.year not in YEARS:
            raise invalid(
                "day", f"must lie between {YEARS[0]} and {YEARS[-1]}", f"须在 {YEARS[0]} 至 {YEARS[-1]} 年之间"
            )


@cache
def countries(language: str = "en") -> dict[str, str]:
    """The countries whose holidays are known: code of two letters -> name in a language, by name."""
    names = Locale.parse("zh_CN" if language.startswith("zh") else "en").territories
    known = ((code, names[code]) for code in holidays.list_supported_countries() if len(code) == 2 and code in names)
    return dict(sorted(known, key=lambda each: each[1]))


def fill(scope: Scope, country: str, year: int) -> int:
    """Add the public holidays of a country in a year, and the weekend days that are worked for them; returns how many.

    Days that are in the calendar already stay as they are.  Raises Forbidden, and Validation for an unknown country or
    year.
    """
    if country not in countries():
        raise invalid(
            "country", "must be a country whose holidays are known, like CN", "须为已知节假日的国家代码，例如 CN"
        )
    if year not in YEARS:
        raise invalid("year", f"must lie between {YEARS[0]} and {YEARS[-1]}", f"须在 {YEARS[0]} 至 {YEARS[-1]} 年之间")
    with scope.write("calendar.create") as db:
        kept = select(CalendarDay.day).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
        there = set(db.execute(kept.where(CalendarDay.deleted_at.is_(None))).scalars())
        found = [each for each in _days(country, year, scope.language) if each[0] not in there]
        if not found and not there:
            raise Validation(
                f"No holidays of {year} are known. Enter them one by one.",
                f"未找到 {year} 年的节假日，请逐条录入。",
                field="year",
            )
        for day, name, working in found:
            create(scope, CalendarDay, {"day": day, "name": name, "working": working})
        return len(found)


def _days(country: str, year: int, language: str) -> Iterator[tuple[date, str, bool]]:
    """(day, name, whether it is worked) of every day that differs from an ordinary week."""
    known = getattr(holidays, country)
    wanted = _LANGUAGES[0] if language.startswith("zh") else _LANGUAGES[1]
    spoken = wanted if wanted in known.supported_languages else None
    found = known(years=year, language=spoken)
    for day, name in sorted(found.items()):
        if day.year == year and day.weekday() < 5:
            yield day, name[:200], False
    worked = "调休上班" if language.startswith("zh") else "Worked for a holiday"
    for day in sorted(getattr(found, "weekend_workdays", ())):
        if day.year == year:
            yield day, worked, True
