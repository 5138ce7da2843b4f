"""Exports of the user: how far they are, their files, and what becomes of them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Export
from models.errors import Refusal
from models.export import ExportRange, ExportState
from resolvers.exports import exports as use_cases
from resolvers.exports.exports import Made
from resolvers.exports.kinds import exportable
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.formatting import badge, number, tone_of
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext

_ = gettext
ON_A_PAGE = 50
"""Number of exports on a page."""
STATES: dict[ExportState, Label] = {
    ExportState.WAITING: Label("Waiting"),
    ExportState.RUNNING: Label("Running"),
    ExportState.DONE: Label("Finished"),
    ExportState.FAILED: Label("Failed"),
    ExportState.CANCELLED: Label("Cancelled"),
    ExportState.EXPIRED: Label("Expired"),
}
OWN: tuple[str, str] = ("open", "shows a user's own exports, and to nobody else")
MEGABYTE = 1024 * 1024


class Exports(Page):
    """The exports that the user has asked for."""

    icon, group, position, path = "download", "system", 24, "/exports"
    title, is_named = Label("Exports"), True
    hint = Label("Files that you have asked for. You may leave this page; a notification tells when one is finished.")

    @property
    def templates_used(self) -> set[str]:
        return {"exports.html", "export.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        """The menu leads here for users who may export something; everybody finds the page by the palette."""
        return ask.may("report.export") or any(ask.may(f"{model.module}.export") for model in exportable())

    @page_route("/exports", OWN)
    async def show(self, request: Request) -> Response:
        return await self._list(panel_request(request))

    @page_route("/exports/cancel", OWN, "POST")
    async def cancel(self, request: Request) -> Response:
        return await self._change(request, use_cases.cancel)

    @page_route("/exports/delete", OWN, "POST")
    async def delete(self, request: Request) -> Response:
        return await self._change(request, use_cases.delete)

    async def _change(self, request: Request, use_case: Callable[[Scope, int], None]) -> Response:
        ask, form = panel_request(request), await request.form()
        try:
            await ask.scope.run(use_case, number_of(Export, str(form.get("id", ""))[:40]))
        except Refusal as refusal:
            return await self._list(ask, refusal.say(ask.language))
        return RedirectResponse(self.url(), 303)

    async def _list(self, ask: PanelRequest, error: str = "") -> Response:
        asked = ask.request.query_params.get("before")
        before = number_of(Export, asked) if asked else None
        found: list[Made] = await ask.scope.read(use_cases.exports, before=before, first=ON_A_PAGE + 1)
        shown = found[:ON_A_PAGE]
        more = {"before": global_id(Export, shown[-1].row.id)} if len(found) > ON_A_PAGE else None
        context = {
            "exports": [self._told(ask, made) for made in shown],
            "is_busy": any(made.is_open for made in shown),
            "older": f"{self.url()}?{urlencode(more)}" if more else "",
            "error": error,
        }
        return await self.render(ask, "exports.html", context, 422 if error else 200)

    def _told(self, ask: PanelRequest, made: Made) -> dict[str, Any]:
        """An export ready for the page."""
        row, id = made.row, global_id(Export, made.row.id)
        is_done = made.state is ExportState.DONE
        return {
            "row": row,
            "id": id,
            "name": use_cases.name_of(row, ask.scope.person.zone),
            "href": f"/files/{id}" if is_done else "",
            "size": _size(ask, row.size) if is_done and row.size else "",
            "said": _range(row),
            "state": badge(str(STATES[made.state]), tone_of(made.state)),
            "error": made.error[ask.language.startswith("zh")] if made.error else "",
            "progress": _progress(ask, made),
            "percent": min(100, 100 * row.done // row.total) if made.is_open and row.total else None,
            "is_open": made.is_open,
        }


def _range(row: Export) -> str:
    return row.said or (_("All that I may export") if row.range is not ExportRange.SELECTION else "")


def _progress(ask: PanelRequest, made: Made) -> str:
    row = made.row
    if row.total is None:
        return ""
    done = number(ask, row.done)
    return _("%(used)s of %(limit)s") % {"used": done, "limit": number(ask, row.total)} if made.is_open else done


def _size(ask: PanelRequest, size: int) -> str:
    """`12 KB`, `3 MB`."""
    if size < MEGABYTE:
        return _("%(number)s KB") % {"number": number(ask, max(1, size // 1024))}
    return _("%(number)s MB") % {"number": number(ask, size // MEGABYTE)}
