"""The report centre: a card for each report and each kept one, and the page of a report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Department, Role, SavedView
from models.choice_names import in_language
from models.errors import NotFound, Refusal
from models.export import ExportFormat
from resolvers.reports import exporting, kept
from resolvers.reports.centre import catalogue, open_reports
from resolvers.reports.period import ReportPeriod
from resolvers.reports.running import Result, run
from resolvers.reports.settings import Settings, settings_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.views import saved_views

from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label
from ...kit.view_page import share_choices
from .report_shown import address, kept_address, neighbours, options, period_text, shown

VIEW, EXPORT = ("report", "view"), ("report", "export")


class Reports(Page):
    """Figures of a period beside those of the one before; each links to the list of its records."""

    icon, group, position, path = "chart-bar", "work", 90, "/report"
    title = Label("Reports")
    hint = Label("Every figure counts what you see in the lists, and leads to the list behind it.")
    needs = "report.view"

    @property
    def templates_used(self) -> set[str]:
        return {"reports.html", "report.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        return self.is_accessible(ask.request) and bool(open_reports(ask.scope))

    @page_route("/report", VIEW)
    async def centre(self, request: Request) -> Response:
        ask = panel_request(request)
        names = {key: in_language(x.said, ask.language) for key, x in catalogue().items()}
        mine = [(x, kept_address(x), names[x.report]) for x in await ask.scope.read(kept.kept_reports)]
        cards = [
            (x, names[x.key], in_language(x.about, ask.language), address(x.key, Settings()))
            for x in open_reports(ask.scope)
        ]
        return await self.render(ask, "reports.html", {"cards": cards, "kept": mine})

    @page_route("/report/show", VIEW)
    async def show(self, request: Request) -> Response:
        return await self._show(panel_request(request))

    @page_route("/report/export", EXPORT, "POST")
    async def export(self, request: Request) -> Response:
        """Write the report into a file, which the page of exports offers."""
        ask, form = panel_request(request), await request.form()
        key, settings = _asked(request.query_params)
        format = ExportFormat.CSV if form.get("format") == ExportFormat.CSV.value else ExportFormat.XLSX
        try:
            await ask.scope.run(exporting.start, key, settings, format)
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            return await self._show(ask, refusal.say(ask.language))
        return RedirectResponse(f"{BASE}/exports", 303)

    @page_route("/report/keep", VIEW, "POST")
    async def keep(self, request: Request) -> Response:
        """Keep the report as it is shown under a name."""
        ask, form = panel_request(request), await request.form()
        key, settings = _asked(request.query_params)
        name = str(form.get("name", ""))[:200]
        try:
            id = await ask.scope.run(kept.keep_report, key, name, settings)
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            return await self._show(ask, refusal.say(ask.language), name)
        return RedirectResponse(address(key, settings, kept=global_id(SavedView, id)), 303)

    @page_route("/report/share", VIEW, "POST")
    async def share(self, request: Request) -> Response:
        """Show a kept report to roles and departments, or to everyone."""
        ask, form = panel_request(request), await request.form()
        given = {
            "roles": [number_of(Role, str(x)) for x in form.getlist("role")],
            "departments": [number_of(Department, str(x)) for x in form.getlist("department")],
        }
        id = number_of(SavedView, request.query_params.get("kept", ""))
        try:
            await ask.scope.run(saved_views.share_view, id, everyone=form.get("everyone") == "y", **given)
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            return await self._show(ask, refusal.say(ask.language))
        key, settings = _asked(request.query_params)
        return RedirectResponse(address(key, settings, kept=global_id(SavedView, id)), 303)

    @page_route("/report/drop", VIEW, "POST")
    async def drop(self, request: Request) -> Response:
        """Delete a kept report."""
        ask = panel_request(request)
        try:
            await ask.scope.run(saved_views.delete_view, number_of(SavedView, request.query_params.get("kept", "")))
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            return await self._show(ask, refusal.say(ask.language))
        return RedirectResponse(self.url(), 303)

    async def _show(self, ask: PanelRequest, error: str = "", typed: str = "") -> Response:
        query, said = ask.request.query_params, error
        try:
            key, settings = _asked(query)
            result: Result = await ask.scope.read(run, key, settings)
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            # What cannot be shown is said above the report as it usually is; a report that is not there is none.
            said, key, settings = refusal.say(ask.language), query.get("key", ""), Settings()
            result = await self._usual(ask, key)
        context = await self._context(ask, result, settings)
        more = {"error": said, "typed": typed, "query": query, "report": result.report}
        return await self.render(ask, "report.html", {**context, **more}, 422 if said else 200)

    async def _usual(self, ask: PanelRequest, key: str) -> Result:
        try:
            found: Result = await ask.scope.read(run, key, Settings())
        except NotFound:
            raise HTTPException(404) from None
        return found

    async def _context(self, ask: PanelRequest, result: Result, settings: Settings) -> dict[str, Any]:
        asked, key = result.asked, result.report.key
        mine: list[kept.Kept] = await ask.scope.read(kept.kept_reports)
        id = number_of(SavedView, ask.request.query_params.get("kept", ""))
        held = next((x for x in mine if x.id == id and x.report == key), None)
        moved = {
            name: address(key, replace(settings, period=asked.period, first=days.first, last=days.last))
            for name, days in neighbours(result)
        }
        return {
            "name": in_language(result.report.said, ask.language),
            "about": in_language(result.report.about, ask.language),
            "parts": shown(ask, result),
            "has_rows": any(cell.value or cell.before for cell in result.totals),
            "now": period_text(ask, asked.days),
            "before": period_text(ask, asked.before) if asked.before is not None else "",
            "moved": moved,
            "chosen": _chosen(result, settings),
            "options": options(ask, result),
            "kept": held,
            "kept_id": global_id(SavedView, held.id) if held else "",
            "held": await _sharing(ask, held),
            "may_export": ask.may("report.export"),
        }


def _chosen(result: Result, settings: Settings) -> dict[str, Any]:
    """What the form holds."""
    asked, is_own = result.asked, result.asked.period is ReportPeriod.CUSTOM
    first = settings.first or (asked.days.first if asked.days else None)
    return {
        "period": asked.period.value.lower(),
        "from": first.isoformat() if first else "",
        "to": settings.last.isoformat() if settings.last and is_own else "",
        "by": asked.dimension.key if asked.dimension else "",
        "whose": asked.whose.value.lower(),
        "alone": not settings.compares,
    }


async def _sharing(ask: PanelRequest, held: kept.Kept | None) -> dict[str, Any] | None:
    """What the form that shares a kept report offers and holds; None without one of the user's own."""
    if held is None or not held.is_mine or not ask.may("user.share_views"):
        return None
    choices = await share_choices(ask)
    chosen = {"role": set(held.roles), "department": set(held.departments)}
    return {
        "everyone": held.for_everyone,
        "lists": [
            (name, label, [(value, text, value in chosen[name]) for value, text in choices[name]])
            for name, label in (("role", Label("Roles")), ("department", Label("Departments")))
        ],
    }


def _asked(query: Mapping[str, str]) -> tuple[str, Settings]:
    """The key and the settings of an address.  Raises Validation."""
    stored = {name: query.get(name, "")[:60] for name in ("period", "by", "whose")}
    days = {"first": query.get("from", ""), "last": query.get("to", "")}
    return query.get("key", "")[:60], settings_of({**stored, **days, "compares": query.get("alone") != "y"})
