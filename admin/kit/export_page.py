"""The export of a list: a form beside every list over records, which works without scripts."""

from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from models import SavedView
from resolvers.exports.kinds import exportable
from resolvers.exports.listing import Listing
from resolvers.reading.pages import ListRequest
from resolvers.runtime.ids import number_of
from resolvers.views import saved_views
from resolvers.views.saved_views import View

from . import export_form
from .export_form import LONGEST_QUERY, Source
from .lists import ListState
from .panel_request import PanelRequest, panel_request
from .routes import BASE, page_route
from .screen import Screen

MOST_CHOSEN = 1_000
"""Maximum number of chosen records that the form takes."""


class ExportPage(Screen):
    """The button “Export” of a list leads here, with the address of the list and the chosen records."""

    def routes(self) -> list[Any]:
        found = super().routes()
        if self.model in exportable():
            return found
        return [x for x in found if x.path != f"/{self.identity}/export"]

    def list_state(self, ask: PanelRequest, saved: View | None, query: QueryParams | None = None) -> ListState:
        raise NotImplementedError

    def may_export(self, ask: PanelRequest) -> bool:
        """Whether the user is offered the export of this list."""
        return self.model in exportable() and ask.may(f"{self.module}.export")

    def export_url(self, state: ListState) -> str:
        """The form for the list as it is."""
        query = state.url().partition("?")[2]
        return f"{self.url('export')}?{query}" if query else self.url("export")

    def import_url(self, ask: PanelRequest) -> str:
        """The form of a new import for this list; "" where the user may not import into it."""
        may = self.imports and ask.may(f"{self.module}.import")
        return f"{BASE}/imports/new?target={self.imports}" if may else ""

    @page_route("/export", "export")
    async def export_page(self, request: Request) -> Response:
        ask, query = panel_request(request), request.query_params
        await export_form.check(ask, self.model)
        asked = QueryParams(query["list"][:LONGEST_QUERY]) if "list" in query else query
        ids = query.getlist("ids") if query.get("from") == "list" else []
        return await export_form.show(ask, self, await self._source(ask, asked, ids))

    @page_route("/export", "export", "POST")
    async def export_records(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        await export_form.check(ask, self.model)
        asked = QueryParams(str(form.get("list", ""))[:LONGEST_QUERY])
        source = await self._source(ask, asked, [str(x) for x in form.getlist("ids")])
        return await export_form.send(ask, self, source, form)

    async def _source(self, ask: PanelRequest, query: QueryParams, ids: list[str]) -> Source:
        view = number_of(SavedView, query.get("view", ""))
        found = await ask.scope.read(saved_views.saved_views, self.model) if view else []
        state = self.list_state(ask, next((x for x in found if x.id == view), None), query)
        request = state.list_request()
        whole = ListRequest(self.model, (), filter=self.base_filter, order=request.order, binned=request.binned)
        numbers = (number_of(self.model, id) for id in ids[:MOST_CHOSEN])
        kept = state.url().partition("?")[2]
        return Source(
            model=self.model,
            title=self.heading,
            address=self.url("export"),
            back=state.url(),
            query=kept,
            columns=[column.key for column in state.columns],
            filtered=Listing.of(request),
            whole=Listing.of(whole),
            ids=tuple(dict.fromkeys(number for number in numbers if number)),
            is_narrowed=state.is_narrowed or (bool(state.tabs) and state.tab is not state.tabs[0]),
        )
