"""Running a report: its rows and totals for a reader, on a day, with its settings."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models.errors import Validation

from ..runtime.scope import Scope
from .centre import report_called
from .dimensions import Dimension
from .period import before, days_of
from .report import Report
from .result import Row, Totals
from .settings import Asked, Settings, WhoseRecords


@dataclass(frozen=True)
class Result:
    """A report as it was run.  `rows` are empty where the reader sees nothing that it could be grouped by."""

    report: Report
    asked: Asked
    dimensions: list[Dimension]
    rows: list[Row]
    totals: Totals


def run(scope: Scope, db: Session, key: str, settings: Settings) -> Result:
    """The report of this key.  Raises Forbidden, NotFound, Validation for settings that it does not have."""
    report = report_called(scope, key)
    asked = asked_of(scope, report, settings)
    rows, totals = report.read(scope, db, asked)
    return Result(report, asked, report.dimensions(scope), rows, totals)


def asked_of(scope: Scope, report: Report, settings: Settings) -> Asked:
    """The settings as this reader may use them today.

    Raises Validation: a period that the report does not have, days that are none, something that it cannot be grouped by.
    """
    period = settings.period or report.period
    if period not in report.periods:
        raise Validation("This report has no such period.", "此报表没有该时间段。", field="period")
    today = scope.now().astimezone(ZoneInfo(scope.person.zone or "UTC")).date()
    days = days_of(period, settings.first, settings.last, today)
    earlier = before(period, days) if settings.compares else None
    whose = settings.whose if report.has_whose else WhoseRecords.ALL
    return Asked(period, days, earlier, _grouped(scope, report, settings.by), whose)


def _grouped(scope: Scope, report: Report, by: str | None) -> Dimension | None:
    """What the report is grouped by.  A field that the reader does not see is like one that there is not."""
    there = report.dimensions(scope)
    if by is None:
        return there[0] if there else None
    found = next((each for each in there if each.key == by), None)
    if found is None:
        raise Validation(f"This report is not grouped by “{by[:40]}”.", f"此报表不能按“{by[:40]}”分组。", field="by")
    return found
