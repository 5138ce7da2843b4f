"""Search over everything: the page of results, and the two pieces of the palette that opens over any page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models.errors import Refusal

from ...kit import palette, palette_commands
from ...kit.pages import Page
from ...kit.palette import Option, Section
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext, ngettext

_ = gettext
LONGEST = 100
IN_PALETTE, ON_PAGE = 4, 10
"""Number of records of a kind in the palette, and on the page of results."""
OWN = ("open", "finds what other screens show, each kind under its own right")


class Search(Page):
    """What a text finds: pages, commands, and records of every kind."""

    icon, path = "search", "/search"
    title = Label("Search")

    @property
    def templates_used(self) -> set[str]:
        return {"global_search.html", "palette.html"}

    @page_route("/search", OWN)
    async def show(self, request: Request) -> Response:
        ask, text = panel_request(request), _text(request)
        sections, refused = await self._found(ask, text, ON_PAGE) if text else ([], "")
        context: dict[str, Any] = {"text": text, "sections": sections, "refused": refused}
        context["limits"] = palette.limits(self.panel, ask) if text and not refused else []
        return await self.render(ask, "global_search.html", context)

    @page_route("/palette", OWN)
    async def begin(self, request: Request) -> Response:
        """What the palette offers before anything is typed: records opened lately in this browser, and frequent pages."""
        ask = panel_request(request)
        await ask.load_offers(self.panel.places)
        ids, paths = (request.query_params.get(name, "").split(",") for name in ("records", "pages"))
        recent = await palette.recent_records(self.panel, ask, ids)
        frequent = palette.frequent_pages(palette.pages(self.panel, ask), paths)
        own = [] if recent else await palette.own_customers(self.panel, ask)
        sections = [Section(_("Opened lately"), recent), Section(_("Your newest customers"), own)]
        sections += [Section(_("Often used"), frequent)]
        return await self._piece(ask, [section for section in sections if section.options])

    @page_route("/palette/found", OWN)
    async def find(self, request: Request) -> Response:
        """What the palette offers for the text that is typed."""
        ask, text = panel_request(request), _text(request)
        await ask.load_offers(self.panel.places)
        return await self._piece(ask, *await self._found(ask, text, IN_PALETTE), text=text)

    async def _found(self, ask: PanelRequest, text: str, size: int) -> tuple[list[Section], str]:
        """The sections for a text, and the sentence of a refusal: pages are found without a search."""
        if not ask.offers.found:
            await ask.load_offers(self.panel.places)
        commands = palette_commands.named_commands(self.panel, ask)
        named = palette_commands.with_rest(commands, text)
        places = palette.pages_for(palette.pages(self.panel, ask), text)
        begun = [] if named else palette_commands.begun(commands, text)
        shown = [Section(_("Pages and commands"), [*places, *begun])] if places or begun else []
        sought = named[0].rest if named else text
        try:
            groups = await palette.record_groups(self.panel, ask, sought, size)
        except Refusal as refusal:
            return shown, refusal.say(ask.language)
        records = palette.record_sections(self.panel, ask, sought, groups)
        certain = [n for n, group in enumerate(groups) if any(palette.is_number(hit) for hit in group.hits)]
        first, others = [records[n] for n in certain], [x for n, x in enumerate(records) if n not in certain]
        done = await palette_commands.targets(ask, named, groups)
        return [*done, *first, *shown, *others], ""

    async def _piece(self, ask: PanelRequest, sections: list[Section], refused: str = "", text: str = "") -> Response:
        options: list[Option] = [option for section in sections for option in section.options]
        said = ngettext("%(num)s result", "%(num)s results", len(options)) % {"num": len(options)}
        if text and not options:
            said = _("Nothing matches “%s”.") % text
        best = next((n for n, option in enumerate(options) if option.is_best), None)
        context: dict[str, Any] = {"sections": sections, "said": refused or said, "best": best}
        return await self.render(ask, "palette.html", context)


def _text(request: Request) -> str:
    return " ".join(request.query_params.get("q", "").split())[:LONGEST]
