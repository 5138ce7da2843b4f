"""The page that checks a pasted list for duplicates, and the answers of forms while the user types."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models import Customer
from models.errors import Refusal
from resolvers.duplicates.check import MOST_ROWS
from resolvers.duplicates.notice import checked, checked_many
from resolvers.duplicates.pasted import PastedRow, pasted_rows
from resolvers.runtime.ids import number_of

from ...kit import forms
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext
from .duplicate_matches import MODELS, MatchLine, given_in, match_lines

_ = gettext
_RIGHT = ("customer", "dupcheck")


@dataclass(frozen=True)
class CheckedRow:
    """A line of the list, and what is there already."""

    pasted: PastedRow
    matches: Sequence[MatchLine]

    @property
    def state(self) -> str:
        """`certain`, `possible` or `new`."""
        return "certain" if any(x.is_certain for x in self.matches) else "possible" if self.matches else "new"


class DuplicateCheck(Page):
    """Which customers of a pasted list are there already."""

    icon, group, position, path = "search", "work", 22, "/duplicate-check"
    title = Label("Check a list")
    hint = Label("Paste names of customers, and see which are there already. Nothing is saved.")
    needs = "customer.dupcheck"

    @property
    def templates_used(self) -> set[str]:
        return {"duplicate_check.html", "duplicates_live.html"}

    @page_route("/duplicate-check", _RIGHT)
    async def show(self, request: Request) -> Response:
        return await self._show(panel_request(request))

    @page_route("/duplicate-check", _RIGHT, "POST")
    async def check_list(self, request: Request) -> Response:
        ask = panel_request(request)
        text = str(forms.without_files(await request.form()).get("table", ""))
        pasted = pasted_rows(text)
        if not pasted:
            return await self._show(ask, text, error=_("Paste at least one name."))
        if len(pasted) > MOST_ROWS:
            told = _("These are %(count)s lines. Paste %(most)s at most at once.")
            return await self._show(ask, text, error=told % {"count": len(pasted), "most": MOST_ROWS})
        try:
            found = await checked_many(ask.scope, Customer, [row.given for row in pasted])
        except Refusal as refusal:
            return await self._show(ask, text, error=refusal.say(ask.language))
        lines = [match_lines(self.panel, ask, Customer, matches) for matches in found]
        return await self._show(ask, text, [CheckedRow(*each) for each in zip(pasted, lines, strict=True)])

    @page_route("/duplicate-check/live", _RIGHT, "POST")
    async def answer_form(self, request: Request) -> Response:
        """A piece of a page with the matches of a form as it is; no content where there is none."""
        ask, data = panel_request(request), forms.without_files(await request.form())
        model = MODELS.get(str(data.get("module", "")), Customer)
        try:
            found = await checked(ask.scope, model, given_in(data), number_of(model, str(data.get("but", ""))))
        except Refusal as refusal:
            return Response(status_code=422, headers={"x-refusal": refusal.code()})
        if not found:
            return Response(status_code=204)
        context = {"lines": match_lines(self.panel, ask, model, found)}
        return await self.render(ask, "duplicates_live.html", context)

    async def _show(
        self, ask: PanelRequest, text: str = "", rows: Sequence[CheckedRow] = (), error: str = ""
    ) -> Response:
        counts = {state: sum(row.state == state for row in rows) for state in ("certain", "possible", "new")}
        context: dict[str, Any] = {"text": text, "rows": rows, "error": error, "counts": counts, "most": MOST_ROWS}
        context["example"] = _("Harbor Foods") + "\t021 6888 1234\tsales@harbor.example"
        return await self.render(ask, "duplicate_check.html", context, 422 if error else 200)
