"""Every figure of every report is the number of records in the list that it links to, for every person."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from models import Customer, Organisation
from models.errors import Validation
from resolvers.reading import pages
from resolvers.reading.pages import ListRequest
from resolvers.reports.centre import catalogue, open_reports
from resolvers.reports.period import ReportPeriod
from resolvers.reports.running import Result, run
from resolvers.reports.settings import Settings, WhoseRecords
from tests.support.custom_fields import with_lines
from tests.support.world import PEOPLE, World

FOR_ALL = ("p, *, report, view, all, any, allow", "p, *, report, export, all, any, allow")


def read(world: World, login: str, key: str, **settings: Any) -> Result:
    found: Result = world.run(world.scope(login).read(run, key, Settings(**settings)))
    return found


def listed(world: World, login: str, result: Result, condition: Any) -> int:
    """The length of the list, read page by page."""
    count, after = 0, None
    while True:
        asked = ListRequest(result.report.model, (), condition=condition, after=after, size=100, counts=False)
        page = world.run(world.scope(login).read(pages.page, asked))
        count, after = count + len(page.rows), page.after
        if after is None:
            return count


def lists_of(result: Result) -> Iterator[tuple[Any, int]]:
    """(condition, the figure that links to it) of a result."""
    for cell in (*(cell for row in result.rows for cell in row.cells), *result.totals):
        if cell.condition is not None:
            yield cell.condition, int(cell.value or 0)
        if cell.condition_before is not None:
            yield cell.condition_before, int(cell.before or 0)
        yield from ((x.condition, x.count) for x in cell.sums if x.condition is not None)


def check(world: World, login: str, key: str, known: dict[str, int] | None = None, **settings: Any) -> int:
    """The number of lists that were compared; `known`: the lengths of those that this person has read before."""
    result, compared, known = read(world, login, key, **settings), 0, {} if known is None else known
    for condition, figure in lists_of(result):
        name = json.dumps([result.report.model.__name__, condition], sort_keys=True)
        known[name] = known[name] if name in known else listed(world, login, result, condition)
        assert known[name] == figure, (login, key, settings, condition)
        compared += 1
    for row in result.rows:
        assert any(cell.value or cell.before for cell in row.cells) or key == "pool-health", row
    return compared


def dimensions(world: World, login: str, key: str) -> list[str]:
    return [x.key for x in read(world, login, key).dimensions]


@pytest.mark.parametrize("login", ["lead"])
def test_a_figure_is_the_length_of_its_list(reported: World, login: str) -> None:
    with_lines(reported, *FOR_ALL)

    for report in open_reports(reported.scope(login)):
        period = ReportPeriod.YEAR if report.has_money else ReportPeriod.MONTH
        assert check(reported, login, report.key, period=period), report.key


@pytest.mark.long
@pytest.mark.sampled(sqlite=3, postgresql=3)
@pytest.mark.parametrize("login", [*PEOPLE])
def test_every_figure_of_every_person_is_the_length_of_its_list(reported: World, login: str) -> None:
    with_lines(reported, *FOR_ALL, "p, sales, customer.region, view, others, any, deny")
    compared, known = 0, dict[str, int]()

    for report in open_reports(reported.scope(login)):
        for by in dimensions(reported, login, report.key):
            for period in {report.period, ReportPeriod.MONTH}:
                compared += check(reported, login, report.key, known, by=by, period=period)
            compared += check(reported, login, report.key, known, by=by, whose=WhoseRecords.TEAM)

    assert compared or login == "rolf"


@pytest.mark.long
def test_every_report_of_the_world_says_something(reported: World) -> None:
    for key, report in catalogue().items():
        result = read(reported, "ada", key, period=ReportPeriod.YEAR if report.has_money else ReportPeriod.MONTH)
        assert any(cell.value for row in result.rows for cell in row.cells), key
        assert all(cell.value or key == "pool-health" for cell in result.totals), key


FORECAST = {"CNY": (3, "1900.95", "190.10"), "EUR": (1, "200.10", "20.01")}
"""Deals 0, 10 and 6 in CNY, deal 1 in EUR, at 10 per cent; deal 2 is locked, 5 lost, 11 in the bin."""


def told(result: Result) -> dict[Any, list[tuple[Any, Any]]]:
    return {row.key: [(cell.value, cell.before) for cell in row.cells] for row in result.rows}


def test_figures_are_those_of_the_records(reported: World) -> None:
    result = read(reported, "ada", "customers", period=ReportPeriod.MONTH, by="industry")

    assert told(result) == {"steel": [(3, 2)], "retail": [(2, 3)], None: [(4, 0)]}
    assert [(cell.value, cell.before) for cell in result.totals] == [(9, 5)]
    assert result.asked.days is not None
    assert result.asked.before is not None
    assert [result.asked.days.during, result.asked.before.during] == [
        "2026-11-01 to 2026-11-30",
        "2026-10-01 to 2026-10-31",
    ]

    assert told(read(reported, "ada", "customers", by="category.branch")) == {
        "key": [(3, None)],
        "partner": [(5, None)],
        None: [(6, None)],
    }

    assert told(read(reported, "ada", "customers", by="custom.satisfaction")) == {
        "good": [(5, None)],
        None: [(9, None)],
    }
    assert told(read(reported, "ada", "customers", by="custom.reference"))[True] == [(4, None)]

    forecast = read(reported, "ada", "forecast", period=ReportPeriod.YEAR)
    november = next(row.cells[0] for row in forecast.rows if row.key == "2026-11")
    assert {x.currency: (x.count, str(x.amount), str(x.weighted)) for x in november.sums} == FORECAST
    assert november.before is None


def test_a_hidden_field_is_no_dimension(world: World) -> None:
    with_lines(world, "p, sales_lead, customer.region, view, all, any, deny")

    assert "region" not in dimensions(world, "lead", "customers")
    assert "region" in dimensions(world, "ada", "customers")
    with pytest.raises(Validation):
        read(world, "lead", "customers", by="region")


def test_a_month_begins_at_midnight_of_the_organisation(world: World) -> None:
    customer = world.customer("Late", "li")
    at = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(Organisation).values(time_zone="Asia/Shanghai"))
        connection.execute(update(Customer.__table__).where(Customer.__table__.c.id == customer).values(created_at=at))

    totals = read(world, "lead", "customers", period=ReportPeriod.MONTH).totals

    assert [(cell.value, cell.before) for cell in totals] == [(1, 0)]
