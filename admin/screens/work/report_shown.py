"""A report ready for the page: bars and tables whose numbers link to their lists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from models import SavedView
from models.choice_names import in_language
from resolvers.reading.conditions import Condition
from resolvers.reports.exporting import label_of
from resolvers.reports.kept import Kept
from resolvers.reports.period import Days, ReportPeriod, after, before
from resolvers.reports.result import Cell, Row
from resolvers.reports.running import Result
from resolvers.reports.settings import Settings, WhoseRecords
from resolvers.runtime.ids import global_id

from ...kit.charts import Bar
from ...kit.formatting import day, number
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import Label
from ...kit.translation import gettext as _
from .list_links import list_of

PERIODS: Mapping[ReportPeriod, str] = {
    ReportPeriod.ALL: Label("All times"),
    ReportPeriod.WEEK: Label("Week"),
    ReportPeriod.MONTH: Label("Month"),
    ReportPeriod.QUARTER: Label("Quarter"),
    ReportPeriod.YEAR: Label("Year"),
    ReportPeriod.CUSTOM: Label("Days of my own"),
}
WHOSE: Mapping[WhoseRecords, str] = {
    WhoseRecords.ALL: Label("All that I see"),
    WhoseRecords.MINE: Label("Mine"),
    WhoseRecords.TEAM: Label("My team"),
}
SHOW = f"{BASE}/report/show"


@dataclass(frozen=True)
class Number:
    """A number of a table, the address of its list, and the change since the period before."""

    text: str
    href: str = ""
    before: str = ""
    before_href: str = ""
    change: str = ""
    trend: int = 0


@dataclass(frozen=True)
class Line:
    """A row of a table."""

    label: str
    numbers: list[Number]


@dataclass(frozen=True)
class Shown:
    """A table with its bars; `title` is a currency, or what the report counts."""

    title: str
    charts: list[tuple[str, list[Bar]]]
    columns: list[tuple[str, bool]]
    lines: list[Line]
    total: Line


def address(key: str, settings: Settings, **more: str) -> str:
    """The page of a report with settings."""
    held = {
        "period": settings.period.value.lower() if settings.period else "",
        "from": settings.first.isoformat() if settings.first else "",
        "to": settings.last.isoformat() if settings.last else "",
        "by": settings.by or "",
        "whose": settings.whose.value.lower() if settings.whose is not WhoseRecords.ALL else "",
        "alone": "" if settings.compares else "y",
    }
    return f"{SHOW}?{urlencode({name: text for name, text in {'key': key, **held, **more}.items() if text})}"


def kept_address(each: Kept) -> str:
    return address(each.report, each.settings, kept=global_id(SavedView, each.id))


def period_text(ask: PanelRequest, days: Days | None) -> str:
    """The days of a period as people read them."""
    if days is None:
        return _("All times")
    first = day(ask, days.first)
    return first if days.first == days.last else _("%(from)s to %(to)s") % {"from": first, "to": day(ask, days.last)}


def neighbours(result: Result) -> Iterator[tuple[str, Days]]:
    """The periods before and after, for links."""
    asked = result.asked
    earlier, later = before(asked.period, asked.days), after(asked.period, asked.days)
    if earlier is not None:
        yield "earlier", earlier
    if later is not None:
        yield "later", later


def shown(ask: PanelRequest, result: Result) -> list[Shown]:
    """The table of counts, and one for each currency where amounts are summed."""
    counts = _counts(ask, result)
    if not result.report.has_money:
        return [counts]
    currencies = sorted({x.currency for cell in result.totals for x in cell.sums})
    return [*(_money(ask, result, currency) for currency in currencies), counts]


def _label(ask: PanelRequest, row: Row) -> str:
    return label_of(row, ask.language)


def _link(result: Result, condition: Condition | None) -> str:
    return list_of(result.report.screen, condition) if condition is not None else ""


# --- counts ----------------------------------------------------------------------------------------------


def _counts(ask: PanelRequest, result: Result) -> Shown:
    figures = result.report.figures
    compares = [result.asked.before is not None and figure.dated is not None for figure in figures]
    names = [in_language(figure.said, ask.language) for figure in figures]
    charts = [] if result.report.has_money else [(name, _bars(ask, result, n)) for n, name in enumerate(names)]
    lines = [Line(_label(ask, row), [_number(ask, result, cell) for cell in row.cells]) for row in result.rows]
    total = Line(_("Total"), [_number(ask, result, cell) for cell in result.totals])
    columns = [*zip(names, compares, strict=True)]
    return Shown(_("Number of records") if result.report.has_money else "", charts, columns, lines, total)


def _bars(ask: PanelRequest, result: Result, n: int) -> list[Bar]:
    return [
        Bar(
            _label(ask, row),
            _whole(row.cells[n]),
            _text(ask, row.cells[n].value),
            _link(result, row.cells[n].condition),
        )
        for row in result.rows
        if row.cells[n].value
    ]


def _whole(cell: Cell) -> int:
    return round(float(cell.value or 0) * (10 if cell.is_hours else 1))


def _text(ask: PanelRequest, value: int | float | None) -> str:
    if value is None:
        return "–"
    return number(ask, Decimal(str(value)), is_exact=True) if isinstance(value, float) else number(ask, value)


def _number(ask: PanelRequest, result: Result, cell: Cell) -> Number:
    compared = cell.before is not None
    change = (cell.value or 0) - (cell.before or 0) if compared and cell.value is not None else 0
    return Number(
        _text(ask, cell.value),
        _link(result, cell.condition),
        _text(ask, cell.before) if compared else "",
        _link(result, cell.condition_before),
        _text(ask, round(abs(change), 1) if cell.is_hours else abs(change)) if change else "",
        (change > 0) - (change < 0),
    )


# --- amounts ---------------------------------------------------------------------------------------------


def _money(ask: PanelRequest, result: Result, currency: str) -> Shown:
    """The amounts in one currency: bars of the weighted ones, the table of both."""
    lines, bars = [], []
    for row in result.rows:
        label, numbers, href, weighted = _label(ask, row), *_amounts(ask, result, row.cells[0], currency)
        if numbers:
            lines.append(Line(label, numbers))
        if weighted is not None:
            bars.append(Bar(label, round(weighted), number(ask, weighted), href or None))
    total = Line(_("Total"), _amounts(ask, result, result.totals[0], currency)[0])
    compares = result.asked.before is not None and not _is_by_time(result)
    columns = [(_("Number of records"), False), (_("Amount"), compares), (_("Weighted amount"), compares)]
    return Shown(currency, [(_("Weighted amount"), bars)], columns, lines, total)


def _is_by_time(result: Result) -> bool:
    return result.asked.dimension is not None and result.asked.dimension.is_time


def _amounts(ask: PanelRequest, result: Result, cell: Cell, currency: str) -> tuple[list[Number], str, Decimal | None]:
    found = next((x for x in cell.sums if x.currency == currency), None)
    if found is None:
        return [], "", None
    href = _link(result, found.condition)
    count = Number(number(ask, found.count), href)
    return [count, _amount(ask, found.amount, found.before_amount), _amount(ask, found.weighted, found.before_weighted)], href, found.weighted  # fmt: skip


def _amount(ask: PanelRequest, now: Decimal, earlier: Decimal | None) -> Number:
    change = now - earlier if earlier is not None else Decimal(0)
    text = number(ask, earlier) if earlier is not None else ""
    return Number(
        number(ask, now), "", text, "", number(ask, abs(change)) if change else "", (change > 0) - (change < 0)
    )


def options(ask: PanelRequest, result: Result) -> dict[str, Any]:
    """What the form of a report offers."""
    return {
        "periods": [(kind.value.lower(), PERIODS[kind]) for kind in result.report.periods],
        "dimensions": [(x.key, in_language(x.said, ask.language)) for x in result.dimensions],
        "whose": [(each.value.lower(), label) for each, label in WHOSE.items()] if result.report.has_whose else [],
    }
