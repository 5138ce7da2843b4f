"""The business calendar: filled from public holidays, edited, and what counts as a business day."""

from datetime import UTC, date, datetime

import pytest

from models import CalendarDay
from models.business_calendar import BusinessCalendar
from models.errors import Forbidden, Validation
from resolvers.ownership.release_book import calendar_of
from resolvers.records import business_calendar
from tests.support.world import World


def filled(world: World, country: str, year: int, by: str = "ada") -> int:
    added: int = world.scope(by).do(business_calendar.fill, country, year)
    return added


def test_a_year_of_china_has_its_holidays_and_the_weekends_that_are_worked(world: World) -> None:
    assert filled(world, "CN", 2026) > 20

    days = {row["day"]: row for row in world.rows(CalendarDay)}
    assert not days[date(2026, 2, 17)]["working"]  # Chinese New Year, a Tuesday
    assert days[date(2026, 2, 14)]["working"]  # a Saturday that is worked for it
    with world.backend.writer.engine.connect() as connection:
        calendar = calendar_of(connection)
    thursday = datetime(2026, 2, 12, 4, tzinfo=UTC)
    # 13 Friday, 14 Saturday (worked), then closed until 24 February
    expected = [date(2026, 2, 13), date(2026, 2, 14), date(2026, 2, 24)]
    assert [calendar.working_day(thursday.date(), n) for n in (1, 2, 3)] == expected
    assert calendar.after(thursday, 3, business=True) == datetime(2026, 2, 24, 4, tzinfo=UTC)


def test_what_is_there_stays_and_a_second_fill_adds_nothing(world: World) -> None:
    world.make(CalendarDay, day=date(2026, 1, 1), working=True, name="We work")
    filled(world, "DE", 2026)

    assert filled(world, "DE", 2026) == 0
    assert [row["name"] for row in world.rows(CalendarDay) if row["day"] == date(2026, 1, 1)] == ["We work"]


def test_an_unknown_country_or_year_and_a_user_without_the_right_are_refused(world: World) -> None:
    for country, year in (("XX", 2026), ("", 2026), ("CN", 1812), ("CN", 0)):
        with pytest.raises(Validation):
            filled(world, country, year)
    with pytest.raises(Forbidden):
        filled(world, "CN", 2026, by="li")
    assert world.count(CalendarDay) == 0


def test_the_weekdays_of_a_year_that_nobody_filled_in_count() -> None:
    calendar = BusinessCalendar("Asia/Shanghai", {date(2026, 1, 1): False})

    assert (calendar.is_known(2026), calendar.is_known(2027)) == (True, False)
    assert calendar.working_day(date(2027, 1, 1), 1) == date(2027, 1, 4)
    assert calendar.working_day(date(2027, 1, 2), 0) == date(2027, 1, 4)
