"""The business calendar of the organisation: filled from public holidays of a country, and edited day by day."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, ClassVar

import holidays
from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import CalendarDay
from models.errors import Validation

from ..runtime.form_terms import FormTerms
from ..runtime.gathering import Gathering
from ..runtime.inputs import badly_formed, out_of_range
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .create_update import create

YEARS = range(2000, 2101)
_LANGUAGES = ("zh_CN", "en_US")


_BETWEEN = f"must lie between {YEARS[0]} and {YEARS[-1]}", f"须在 {YEARS[0]} 至 {YEARS[-1]} 年之间"


class CalendarDayRules(Rules[CalendarDay]):
    """A calendar day lies in a year that people plan for."""

    form: ClassVar[FormTerms] = FormTerms(times={"day": (date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31))})

    def check(self, scope: Scope, db: Session, row: CalendarDay, values: dict[str, Any]) -> None:
        if "day" in values and row.day.year not in YEARS:
            raise out_of_range("day", date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31), said=_BETWEEN)


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
    found = Gathering()
    if country not in countries():
        said = "must be a country whose holidays are known, like CN", "须为已知节假日的国家代码，例如 CN"
        found.note(badly_formed("country", *said, "CN"))
    if year not in YEARS:
        found.note(out_of_range("year", YEARS[0], YEARS[-1], said=_BETWEEN))
    found.settle()
    with scope.write("calendar.create") as db:
        kept = select(CalendarDay.day).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
        there = set(db.execute(kept.where(CalendarDay.deleted_at.is_(None))).scalars())
        days = [each for each in _days(country, year, scope.language) if each[0] not in there]
        if not days and not there:
            raise Validation(
                f"No holidays of {year} are known. Enter them one by one.",
                f"未找到 {year} 年的节假日，请逐条录入。",
                field="year",
            )
        for day, name, working in days:
            create(scope, CalendarDay, {"day": day, "name": name, "working": working})
        return len(days)


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
