"""The board of opportunities: a column for each stage, cards that are dragged, moved by keys, or by a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Opportunity, Pipeline, Tone
from models.errors import NotFound, Refusal
from models.pipeline import StageKind
from resolvers.customers import opportunity_board as boards
from resolvers.customers import opportunity_stages as stages
from resolvers.customers.opportunity_sums import Total
from resolvers.reading.offers import Place
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id, number_of

from ...kit.declared import MINE
from ...kit.formatting import badge, day, number
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext

_ = gettext
SIZE = 20
"""Number of cards of a column that are read at once."""
WHOSE: dict[str, tuple[str, Mapping[str, Any]]] = {
    "all": (Label("All"), {}),
    "mine": (Label("Mine"), MINE),
    "team": (Label("My team"), {"ownerId": {"in": ["my-team"]}}),
}
VIEW, EDIT = ("opportunity", "view"), ("opportunity", "edit")


@dataclass(frozen=True)
class Card:
    """One opportunity as a card shows it."""

    id: str
    name: str
    href: str
    customer: str | None
    amount: str
    facts: list[str]
    is_stale: bool
    is_movable: bool
    version: int


@dataclass(frozen=True)
class Lane:
    """One column ready for the page; `asks`: the command that asks what is needed to come here."""

    key: str
    label: Markup
    count: str
    sums: list[str]
    asks: str
    cards: list[Card]
    more: str | None


class OpportunityBoard(Page):
    """Opportunities by their stages."""

    icon, group, position, path = "columns-3", "work", 51, "/opportunity-board"
    title = Label("Opportunity board")
    needs = "opportunity.view"
    place = Place(Opportunity)

    @property
    def templates_used(self) -> set[str]:
        return {"opportunity_board.html"}

    @page_route("/opportunity-board", VIEW)
    async def show(self, request: Request) -> Response:
        return await self._show(panel_request(request))

    @page_route("/opportunity-board/column", VIEW)
    async def column(self, request: Request) -> Response:
        """The next cards of one column."""
        ask, query = panel_request(request), request.query_params
        pipeline, stage = number_of(Pipeline, query.get("pipeline")), query.get("stage") or None
        asked = (pipeline, stage, query.get("after") or None, self._condition(ask), self._narrows(ask), SIZE)
        try:
            found = await ask.scope.read(boards.more, *asked)
        except NotFound:
            raise HTTPException(404) from None
        cards = [_card(ask, row) for row in found.rows]
        more = self._more(ask, pipeline, stage, found.after)
        return await self.render(ask, "parts/board_cards.html", {"cards": cards, "more": more})

    @page_route("/opportunity-board/move", EDIT, "POST")
    async def move(self, request: Request) -> Response:
        """Put a card into another column.  A script gets the sentence of a refusal, a form the board with it."""
        ask, form = panel_request(request), await request.form()
        given = {key: str(form.get(key, ""))[:60] for key in ("id", "stage", "version")}
        version = int(given["version"]) if given["version"].isascii() and given["version"].isdecimal() else None
        is_script = ask.request.headers.get("x-board") == "1"
        try:
            await ask.scope.run(stages.move, number_of(Opportunity, given["id"]), given["stage"], version)
        except Refusal as refusal:
            said = _conflict(refusal) or refusal.say(ask.language)
            status = 409 if refusal.code() == "CONFLICT" else 422
            if is_script:
                return Response(said, status, media_type="text/plain; charset=utf-8")
            return await self._show(ask, said, status)
        return Response(status_code=204) if is_script else RedirectResponse(self._here(ask), 303)

    async def _show(self, ask: PanelRequest, error: str = "", status: int = 200) -> Response:
        query = ask.request.query_params
        chosen = query.get("pipeline")
        id = number_of(Pipeline, chosen) if chosen else None
        try:
            board = await ask.scope.read(boards.board, id, self._condition(ask), self._narrows(ask), SIZE)
        except NotFound:
            if chosen:
                raise HTTPException(404) from None
            return await self.render(ask, "opportunity_board.html", {"board": None, "error": error}, status)
        chinese = ask.language.startswith("zh")
        context = {
            "board": board,
            "pipelines": [
                (global_id(Pipeline, x.id), x.name_zh if chinese else x.name, x.id == board.pipeline.id)
                for x in board.pipelines
            ],
            "pipeline": global_id(Pipeline, board.pipeline.id),
            "lanes": [self._lane(ask, board.pipeline.id, column) for column in board.columns],
            "whose": [(key, str(label), key == self._whose(ask)) for key, (label, _condition) in WHOSE.items()],
            "is_stale": bool(query.get("stale")),
            "may_edit": ask.may("opportunity.edit"),
            "here": self._here(ask),
            "error": error,
        }
        return await self.render(ask, "opportunity_board.html", context, status)

    def _lane(self, ask: PanelRequest, pipeline: int, column: boards.Column) -> Lane:
        word = column.word
        return Lane(
            column.key or "",
            badge(word.label, word.tone) if word is not None else badge(_("Without a stage"), Tone.GREY),
            number(ask, column.sums.count),
            [_sum(ask, total, column.kind) for total in column.sums.totals],
            {StageKind.WON: "win", StageKind.LOST: "lose"}.get(column.kind, ""),
            [_card(ask, row) for row in column.page.rows],
            self._more(ask, pipeline, column.key, column.page.after),
        )

    def _more(self, ask: PanelRequest, pipeline: int, stage: str | None, after: str | None) -> str | None:
        """The address of the next cards of a column."""
        if after is None:
            return None
        asked = {"pipeline": global_id(Pipeline, pipeline), "stage": stage or "", "after": after}
        return f"{BASE}{self.path}/column?{urlencode({**asked, **self._chosen(ask)})}"

    def _here(self, ask: PanelRequest) -> str:
        pipeline = ask.request.query_params.get("pipeline")
        chosen = {**({"pipeline": pipeline} if pipeline else {}), **self._chosen(ask)}
        return f"{BASE}{self.path}" + (f"?{urlencode(chosen)}" if chosen else "")

    def _chosen(self, ask: PanelRequest) -> dict[str, str]:
        whose, stale = self._whose(ask), ask.request.query_params.get("stale")
        return {**({"whose": whose} if whose != "all" else {}), **({"stale": "1"} if stale else {})}

    def _whose(self, ask: PanelRequest) -> str:
        whose = ask.request.query_params.get("whose", "all")
        return whose if whose in WHOSE else "all"

    def _condition(self, ask: PanelRequest) -> Mapping[str, Any]:
        return WHOSE[self._whose(ask)][1]

    def _narrows(self, ask: PanelRequest) -> Mapping[str, Any]:
        return {"stale_at": {"lte": ask.scope.now()}} if ask.request.query_params.get("stale") else {}


def _card(ask: PanelRequest, row: Row) -> Card:
    chance, close, stale_at = row["probability"], row["expected_close"], row["stale_at"]
    facts = [f"{chance}%"] if chance is not None else []
    facts += [str(day(ask, close))] if close is not None else []
    facts += [owner] if (owner := row.names.get("owner_id")) else []
    return Card(
        global_id(Opportunity, row.id),
        str(row["name"] or _("Opportunity")),
        f"{BASE}/opportunity/details/{global_id(Opportunity, row.id)}",
        row.names.get("customer_id"),
        _money(ask, row["amount"], row["currency"]) if row["amount"] is not None else "",
        facts,
        stale_at is not None and stale_at <= ask.scope.now(),
        "edit" in row.may,
        row["version"] or 0,
    )


def _sum(ask: PanelRequest, total: Total, kind: StageKind) -> str:
    """The sum of a column in one currency; of open ones with the weighted one, where the user sees probabilities."""
    if kind is StageKind.WON:
        return _money(ask, total.won, total.currency)
    if kind is StageKind.LOST:
        return _money(ask, total.lost, total.currency)
    if not total.weighted:
        return _money(ask, total.open, total.currency)
    parts = {"sum": _money(ask, total.open, total.currency), "weighted": _money(ask, total.weighted, total.currency)}
    return _("%(sum)s, weighted %(weighted)s") % parts


def _money(ask: PanelRequest, value: Decimal, currency: str | None) -> str:
    return f"{currency or ''} {number(ask, value)}".strip()


def _conflict(refusal: Refusal) -> str:
    """What a user reads whose card somebody else has moved meanwhile."""
    if refusal.code() != "CONFLICT":
        return ""
    return _(
        "Somebody else has moved this opportunity meanwhile. It stands where they put it; nothing of yours was changed."
    )
