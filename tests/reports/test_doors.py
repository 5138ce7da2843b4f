"""Reports by the doors: GraphQL, kept reports, files; who is let in, and what each refuses."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models import SavedView
from models.declaration import Misdeclared
from models.errors import Forbidden, NotFound, Validation
from models.export import ExportFormat, ExportState
from resolvers.reports import exporting, kept, kinds
from resolvers.reports.centre import catalogue, open_reports
from resolvers.reports.period import ReportPeriod, after, before, days_of
from resolvers.reports.settings import Settings, settings_of
from resolvers.runtime.ids import global_id
from resolvers.views import saved_views
from tests.support.claim_checks import unchanged
from tests.support.exporting import Exports
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import World

ASK = """query ($keys: [String!], $period: ReportPeriod, $from: Date, $to: Date, $by: String) {
  reports(keys: $keys, period: $period, from: $from, to: $to, by: $by) {
    key label dimensions { key } figures { key label }
    result { first last previousFirst by rows { key label cells { value previous filter } } totals { value previous } }
  }
}"""
KEPT = "{ keptReports { viewId report name isMine period by } }"


@pytest.fixture
def exporting_to(world: World, tmp_path: Path) -> Exports:
    return Exports(world, tmp_path / "files")


def test_reports_answer_under_the_rights_of_the_caller(world: World) -> None:
    api = Api(world)
    for owner in ("li", "wu", "mei"):
        world.customer(f"Of {owner}", owner, stage="early")

    (found,) = api.ask("lead", ASK, keys=["customers"], period="MONTH")["reports"]

    assert [row["cells"][0]["value"] for row in found["result"]["rows"]] == [2]
    assert found["result"]["rows"][0]["label"] == "Early"
    filter = found["result"]["rows"][0]["cells"][0]["filter"]
    assert filter == {"createdAt": {"during": "2026-11-01 to 2026-11-30"}, "stage": {"eq": "early"}}
    assert found["result"]["totals"] == [{"value": 2, "previous": 0}]
    assert [x["key"] for x in api.ask("lead", "{ reports { key } }")["reports"]] == [
        "customers",
        "new-and-lost",
        "follow-ups",
        "forecast",
        "pool-health",
    ]
    assert api.ask("lead", "{ reports(keys: []) { key } }")["reports"] == []
    assert api.code("li", "{ reports { key } }") == "FORBIDDEN"
    assert api.code("lead", ASK, keys=["nothing"]) == "NOT_FOUND"
    for wrong in ({"by": "phone"}, {"period": "CUSTOM"}, {"from": "1200-01-01", "period": "WEEK"}):
        assert api.code("lead", ASK, keys=["customers"], **wrong) == "VALIDATION"
    assert api.code("lead", ASK, keys=["follow-ups"], period="ALL") == "VALIDATION"


def test_sales_see_their_own_figures_once_they_are_given_the_module(world: World) -> None:
    world.customer("Mine", "li", stage="early")
    world.customer("Theirs", "wu", stage="early")
    add_line(world, "p, sales, report, view, all, any, allow")

    found = Api(world).ask("li", ASK, keys=["customers"])["reports"][0]["result"]

    assert [row["cells"][0]["value"] for row in found["rows"]] == [1]
    assert "pool-health" not in [report.key for report in open_reports(world.scope("li"))]


def test_a_report_is_kept_and_shared(world: World) -> None:
    api, given = Api(world), {"key": "customers", "period": "MONTH", "from": "2026-03-05", "by": "region"}
    payload = api.change(
        "lead", "keepReport", {"report": given, "name": "East"}, "keptReport { viewId } problems { code }"
    )
    id = int(payload["keptReport"]["viewId"].removeprefix("viw_"))

    assert kept_of(world, "lead", id).settings == Settings(ReportPeriod.MONTH, by="region")
    assert api.ask("ada", KEPT) == {"keptReports": []}
    shared = {"id": global_id_of(id), "departmentIds": [f"dep_{world.ids['house']}"], "forEveryone": True}
    assert api.change("lead", "shareView", shared, "problems { code }") == {"problems": []}
    assert [x["name"] for x in api.ask("ada", KEPT)["keptReports"]] == ["East"]
    assert api.code("li", KEPT) == "FORBIDDEN"
    assert api.ask("ada", "{ savedViews { id } }") == {"savedViews": []}

    again = api.change("lead", "keepReport", {"report": given, "name": "East"}, "problems { code }")
    assert [x["code"] for x in again["problems"]] == ["VALIDATION"]
    with unchanged(world):
        for wrong, settings in (("customers", Settings(by="phone")), ("customers", Settings(ReportPeriod.CUSTOM))):
            with pytest.raises(Validation):
                world.lead.do(kept.keep_report, wrong, "Wrong", settings)
        with pytest.raises(NotFound):
            world.lead.do(kept.keep_report, "nothing", "Wrong", Settings())
        with pytest.raises(Validation):
            world.ada.do(saved_views.delete_view, id)
    world.lead.do(saved_views.delete_view, id)
    assert api.ask("ada", KEPT) == {"keptReports": []}


def kept_of(world: World, login: str, id: int) -> kept.Kept:
    found: kept.Kept = world.run(world.scope(login).read(kept.kept_report, id))
    return found


def global_id_of(id: int) -> str:
    return global_id(SavedView, id)


def test_a_report_becomes_a_file(world: World, exporting_to: Exports) -> None:
    world.customer("=1+1", "li", stage="early", region="east")
    world.customer("Second", "wu", region="east")
    api, files = Api(world), exporting_to
    asked = {"report": {"key": "customers", "period": "MONTH", "by": "stage"}, "format": "CSV"}

    payload = api.change("lead", "exportReport", asked, "export { id title filter state } problems { code }")
    files.run()

    id = int(payload["export"]["id"].removeprefix("exp_"))
    made = files.of("lead", id)
    assert made is not None
    assert made.state is ExportState.DONE
    assert files.rows("lead", id) == [
        ["Customer stage", "Customers", "Customers, before"],
        ["Early", "1", "0"],
        ["Empty", "1", "0"],
        ["Total", "2", "0"],
    ]
    assert world.log("export")[0]["action"] == "report.export"
    with unchanged(world), pytest.raises(Forbidden):
        world.li.do(exporting.start, "customers", Settings(), ExportFormat.XLSX)


@pytest.mark.long
def test_a_file_of_amounts_holds_a_line_for_each_currency(reported: World, tmp_path: Path) -> None:
    files = Exports(reported, tmp_path / "files")
    id = reported.ada.do(exporting.start, "forecast", Settings(ReportPeriod.YEAR), ExportFormat.XLSX)
    files.run()

    rows = files.rows("ada", id)

    assert rows[0][0] == "Month of the expected close"
    november: list[list[Any]] = [row for row in rows if row[0] == "2026-11"]
    assert [row[3:7] for row in november] == [["CNY", 3, 1900.95, 190.1], ["EUR", 1, 200.1, 20.01]]
    assert [row[3] for row in rows if row[0] == "Total"] == ["CNY", "EUR"]


@pytest.mark.parametrize(
    ("kind", "first", "last", "now", "earlier", "later"),
    [
        ("WEEK", "2026-12-31", None, "2026-12-28 to 2027-01-03", "2026-12-21 to 2026-12-27", "2027-01-04 to 2027-01-10"),
        ("MONTH", "2024-03-31", None, "2024-03-01 to 2024-03-31", "2024-02-01 to 2024-02-29", "2024-04-01 to 2024-04-30"),
        ("QUARTER", "2026-02-01", None, "2026-01-01 to 2026-03-31", "2025-10-01 to 2025-12-31", "2026-04-01 to 2026-06-30"),
        ("YEAR", "2026-02-01", None, "2026-01-01 to 2026-12-31", "2025-01-01 to 2025-12-31", "2027-01-01 to 2027-12-31"),
        ("CUSTOM", "2026-03-01", "2026-03-10", "2026-03-01 to 2026-03-10", "2026-02-19 to 2026-02-28", "2026-03-11 to 2026-03-20"),
    ],
)  # fmt: skip
def test_periods_and_their_neighbours(
    kind: str, first: str, last: str | None, now: str, earlier: str, later: str
) -> None:
    asked = settings_of({"period": kind, "first": first, "last": last})
    days = days_of(ReportPeriod(kind), asked.first, asked.last, date(2026, 11, 24))

    found = [each.during for each in (days, before(ReportPeriod(kind), days), after(ReportPeriod(kind), days)) if each]
    assert found == [now, earlier, later]


def test_a_file_adds_a_report_and_one_without_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fresh_times.py").write_text(
        "from dataclasses import replace\n"
        "from resolvers.reports.kinds.customers import REPORT as FIRST\n"
        "REPORT = replace(FIRST, key='fresh-times', place=15)\n"
    )
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    catalogue.cache_clear()
    try:
        assert [*catalogue()][:3] == ["customers", "fresh-times", "new-and-lost"]
        (tmp_path / "nothing.py").write_text("")
        catalogue.cache_clear()
        with pytest.raises(Misdeclared, match=r"kinds/nothing.py declares no REPORT"):
            catalogue()
    finally:
        for name in ("fresh_times", "nothing"):
            sys.modules.pop(f"{kinds.__name__}.{name}", None)
        catalogue.cache_clear()
