"""Reports: write one into a file, and keep one with its settings under a name."""

from datetime import date
from typing import Annotated

import strawberry

from models import SavedView
from models.errors import Refusal
from models.export import ExportFormat
from resolvers.reports import exporting, kept
from resolvers.reports.period import ReportPeriod
from resolvers.reports.settings import Settings, WhoseRecords
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of
from ..queries.exports import ExportFormatType, read_export
from ..queries.reports import KeptReportType, PeriodType, WhoseType, shown_kept
from .exports import ExportPayload


@strawberry.input(description="A report with its settings; what is left out is as usual.")
class ReportSettingsInput:
    key: str
    """The key of the report."""
    period: PeriodType | None = None
    """How long the period is."""
    from_: Annotated[date | None, strawberry.argument(name="from")] = strawberry.field(name="from", default=None)
    """A day in the period, today without one; with CUSTOM the first day."""
    to: date | None = None
    """The last day of a CUSTOM period."""
    by: str | None = None
    """The key of a dimension."""
    whose: WhoseType = WhoseRecords.ALL
    """WhoseRecords records count."""
    compare: bool = True
    """Whether the period before stands beside it."""


@strawberry.input(description="A report to write into a file.")
class ExportReportInput:
    report: ReportSettingsInput
    """The report with its settings."""
    format: ExportFormatType = ExportFormat.XLSX
    """A workbook or CSV."""


@strawberry.input(description="A report to keep: without `viewId` a new one; with it all of that one.")
class KeepReportInput:
    report: ReportSettingsInput
    """The report with its settings."""
    name: str
    """What it is called."""
    view_id: strawberry.ID | None = None
    """The `viewId` of the kept report to change."""
    version: int | None = None


@strawberry.type(description="The kept report, or what was refused.")
class KeptReportPayload:
    kept_report: KeptReportType | None = None
    """The report as it is kept; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("report.export")
async def export_report(info: GraphQLInfo, input: ExportReportInput) -> ExportPayload:
    """Asks for the right to export reports.  The file is written in the background, like any export of yours."""
    scope = info.context.scope
    try:
        id = await scope.run(exporting.start, input.report.key, _settings(input.report), ExportFormat(input.format))
    except Refusal as refusal:
        return ExportPayload(problems=problems_of([refusal], scope.language))
    return ExportPayload(export=await read_export(scope, id))


@mutation("report.view")
async def keep_report(info: GraphQLInfo, input: KeepReportInput) -> KeptReportPayload:
    """Keep a report with its settings under a name.  `shareView` shares it, and `deleteView` deletes it."""
    scope = info.context.scope
    more = {"id": number_of(SavedView, input.view_id) if input.view_id is not None else None, "version": input.version}
    try:
        made = await scope.run(kept.keep_report, input.report.key, input.name, _settings(input.report), **more)
        found = await scope.read(kept.kept_report, made)
    except Refusal as refusal:
        return KeptReportPayload(problems=problems_of([refusal], scope.language))
    return KeptReportPayload(kept_report=shown_kept(found))


def _settings(input: ReportSettingsInput) -> Settings:
    period = ReportPeriod(input.period) if input.period is not None else None
    return Settings(period, input.from_, input.to, input.by, WhoseRecords(input.whose), input.compare)
