"""The queries `reports` and `keptReports`: figures of a period beside those of the one before, under the caller's rights."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from models import SavedView, User
from models.choice_names import in_language
from resolvers.reading.conditions import Condition
from resolvers.reports import exporting, kept
from resolvers.reports.centre import open_reports, report_called
from resolvers.reports.period import ReportPeriod
from resolvers.reports.report import Report
from resolvers.reports.result import Cell, Row, Sum
from resolvers.reports.running import Result, run
from resolvers.reports.settings import Settings, WhoseRecords
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of

PeriodType: Any = enum_of(ReportPeriod)
WhoseType: Any = enum_of(WhoseRecords)


@strawberry.type(description="Something that a report can be grouped by.")
class ReportDimension:
    key: str
    """What `by` takes: a field, like `stage` or `custom.satisfaction`, with `.branch` or `.month` for how it makes groups."""
    label: str
    """What people call it, in your language."""


@strawberry.type(description="One of the numbers of a report.")
class ReportFigure:
    key: str
    """Its name; the cells of a row come in the order of the figures."""
    label: str
    """What people call it, in your language."""
    is_hours: bool
    """Whether it is a time in hours instead of a count."""
    has_list: bool
    """Whether `filter` of its cells finds exactly the records that it counts."""


@strawberry.type(description="Amounts in one currency; amounts of different currencies are never added.")
class ReportSum:
    currency: str
    """Three letters of ISO 4217."""
    count: int
    """Number of records in this currency."""
    amount: Decimal
    """The sum of the amounts that you may see."""
    weighted: Decimal
    """The same, each times its probability, rounded once to 2 decimals."""
    previous_amount: Decimal | None
    """The sum of the period before; null where nothing is compared."""
    previous_weighted: Decimal | None
    """The weighted sum of the period before; null where nothing is compared."""
    filter: JSON | None
    """The condition of the list of these records; null where no list shows them."""


@strawberry.type(description="One number of a row, with the lists behind it.")
class ReportCell:
    value: float | None
    """Number of records that you see, or hours; null where nothing was measured."""
    previous: float | None
    """The same in the period before; null where nothing is compared."""
    filter: JSON | None
    """The condition of the list that shows exactly these records, as saved views take it; null where no list does."""
    previous_filter: JSON | None
    """The condition of the list of the period before."""
    sums: list[ReportSum]
    """What they come to, by currency; empty in a report without amounts."""


@strawberry.type(description="One group of a report, or all groups after the last one together.")
class ReportRow:
    key: str | None
    """What the group has in common: a word, a month like `2026-11`, or an id; null for an empty or hidden value."""
    label: str | None
    """What people read, in your language; null where you may not see what it is called."""
    is_rest: bool
    """Whether it stands for all further groups together."""
    cells: list[ReportCell]
    """A cell for each figure."""


@strawberry.type(description="A report as it was run for you.")
class ReportResult:
    period: PeriodType
    """How long the period is."""
    first: date | None
    """The first day of the period, in the time zone of the organisation; null for all times."""
    last: date | None
    """The last day of the period."""
    previous_first: date | None
    """The first day of the period before; null where nothing is compared."""
    previous_last: date | None
    """The last day of the period before."""
    by: str | None
    """What it is grouped by; null where you see nothing that it could be grouped by."""
    rows: list[ReportRow]
    """The groups: words by their place, months by time, all others the most first."""
    totals: list[ReportCell]
    """A cell for each figure, over all groups."""


@strawberry.type(name="Report", description="A report that you may run.")
class ReportType:
    key: str
    """Its name in the API."""
    label: str
    """What it is called, in your language."""
    about: str
    """What it tells, in your language."""
    entity: str
    """The GraphQL name of the records that it counts."""
    periods: list[PeriodType]
    """The periods that it can be run for."""
    dimensions: list[ReportDimension]
    """What you may group it by, the usual one first."""
    figures: list[ReportFigure]
    """Its numbers."""
    report: strawberry.Private[Report]
    settings: strawberry.Private[Settings]

    @strawberry.field(
        description="The figures. Ask for them with the key of one report where you set `by` or `period`."
    )  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def result(self, info: GraphQLInfo) -> ReportResult:
        return _result(await info.context.scope.read(run, self.report.key, self.settings))


@strawberry.type(name="KeptReport", description="A report with its settings, under a name. It gives no right.")
class KeptReportType:
    view_id: strawberry.ID
    """The id with which it is shared (`shareView`) and deleted (`deleteView`)."""
    report: str
    """The key of the report."""
    name: str
    """What it is called."""
    period: PeriodType | None
    """How long the period is; null for the usual one."""
    first: date | None
    """The first day of days of one's own."""
    last: date | None
    """The last day of days of one's own."""
    by: str | None
    """What it is grouped by; null for the usual dimension."""
    whose: WhoseType
    """WhoseRecords records count."""
    owner: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """Who keeps it; null where they are out of your sight."""
    is_mine: bool
    """Whether it is yours, so that you may change, share and delete it."""
    is_shared: bool
    """Whether others use it."""
    version: int
    """Counts its changes; send it with `keepReport`."""


@query("report.view")
async def reports(
    info: GraphQLInfo,
    keys: list[str] | None = None,
    period: PeriodType | None = None,
    from_: Annotated[date | None, strawberry.argument(name="from")] = None,
    to: date | None = None,
    by: str | None = None,
    whose: WhoseType = WhoseRecords.ALL,
    compare: bool = True,
) -> list[ReportType]:
    """The reports that you may run, or those of `keys`, with their figures for a period.

    `from` is a day in the period, today without one, or with CUSTOM the first day and `to` the last; `by` is the key
    of a dimension; `compare` sets the period before beside it.  A figure is the number of records in the list of its
    `filter`, so it never counts what you do not see.
    """
    scope = info.context.scope
    settings = Settings(period and ReportPeriod(period), from_, to, by, WhoseRecords(whose), compare)
    return await scope.read(_asked, keys, settings)


@query("report.view")
async def kept_reports(info: GraphQLInfo) -> list[KeptReportType]:
    """The reports that you keep under a name, and those that are shared with you."""
    scope = info.context.scope
    return [shown_kept(each) for each in await scope.read(kept.kept_reports)]


def _asked(scope: Scope, _db: Any, keys: list[str] | None, settings: Settings) -> list[ReportType]:
    wanted = open_reports(scope) if keys is None else [report_called(scope, key) for key in dict.fromkeys(keys)]
    if not wanted and keys is None:
        scope.allow("view", "report")
    return [_report(scope, report, settings) for report in wanted]


def _report(scope: Scope, report: Report, settings: Settings) -> ReportType:
    language = scope.language
    return ReportType(
        key=report.key,
        label=in_language(report.said, language),
        about=in_language(report.about, language),
        entity=report.model.__name__,
        periods=[*report.periods],
        dimensions=[ReportDimension(key=x.key, label=in_language(x.said, language)) for x in report.dimensions(scope)],
        figures=[
            ReportFigure(key=x.key, label=in_language(x.said, language), is_hours=x.is_hours, has_list=x.has_list)
            for x in report.figures
        ],
        report=report,
        settings=settings,
    )


def _result(found: Result) -> ReportResult:
    asked, before = found.asked, found.asked.before
    return ReportResult(
        period=asked.period,
        first=asked.days.first if asked.days else None,
        last=asked.days.last if asked.days else None,
        previous_first=before.first if before else None,
        previous_last=before.last if before else None,
        by=asked.dimension.key if asked.dimension else None,
        rows=[_row(found, row) for row in found.rows],
        totals=[_cell(cell) for cell in found.totals],
    )


def _row(found: Result, row: Row) -> ReportRow:
    return ReportRow(
        key=exporting.key_of(found, row), label=row.label, is_rest=row.is_rest, cells=[_cell(x) for x in row.cells]
    )


def _cell(cell: Cell) -> ReportCell:
    return ReportCell(
        value=cell.value,
        previous=cell.before,
        filter=_json(cell.condition),
        previous_filter=_json(cell.condition_before),
        sums=[_sum(each) for each in cell.sums],
    )


def _sum(each: Sum) -> ReportSum:
    return ReportSum(
        currency=each.currency,
        count=each.count,
        amount=each.amount,
        weighted=each.weighted,
        previous_amount=each.before_amount,
        previous_weighted=each.before_weighted,
        filter=_json(each.condition),
    )


def _json(condition: Condition | None) -> Any:
    return JSON(dict(condition)) if condition is not None else None


def shown_kept(each: kept.Kept) -> KeptReportType:
    """A kept report as the API shows it."""
    s = each.settings
    return KeptReportType(
        view_id=strawberry.ID(global_id(SavedView, each.id)),
        report=each.report,
        name=each.name,
        period=s.period,
        first=s.first,
        last=s.last,
        by=s.by,
        whose=s.whose,
        owner=Pointer(User, each.owner_id),
        is_mine=each.is_mine,
        is_shared=each.is_shared,
        version=each.version,
    )
