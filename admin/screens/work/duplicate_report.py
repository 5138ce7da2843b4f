"""The report of duplicates: groups of customers that are probably one, to be merged or told apart."""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Customer, Pool, User
from models.errors import NotFound, Refusal
from resolvers.duplicates.groups import Group, groups, held_by
from resolvers.duplicates.told_apart import tell_apart
from resolvers.merging.merge import MOST
from resolvers.reading.offers import Place
from resolvers.reading.pages import LARGEST_PAGE, names_of
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit import forms
from ...kit.labels import choice_label
from ...kit.once import act_once
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label

ON_A_PAGE = 20
"""Number of groups on a page."""
NOWHERE = (None, None)


class DuplicateReport(Page):
    """Groups of customers that are probably one."""

    icon, group, position, path = "copy", "work", 46, "/duplicates"
    title = Label("Duplicates")
    hint = Label("Customers that are probably one. Merge them, or say that they are different.")
    needs = "customer.merge"
    place = Place(Customer, action="merge")

    @property
    def templates_used(self) -> set[str]:
        return {"duplicates.html"}

    @page_route("/duplicates", ("customer", "merge"))
    async def show(self, request: Request) -> Response:
        return await self._show(panel_request(request))

    @page_route("/duplicates", ("customer", "merge"), "POST")
    async def tell(self, request: Request) -> Response:
        """Remember that the customers of a group are different, and show the page again."""
        ask, data = panel_request(request), forms.without_files(await request.form())
        ids = [number_of(Customer, str(text)) for text in data.getlist("ids")]

        def call(scope: Scope) -> Outcome:
            return tell_apart(scope, ids, str(data.get("reason", "")))

        try:
            await act_once(ask, data, "customer.tell_apart", {"ids": ids}, call, Customer)
        except Refusal as refusal:
            return await self._show(ask, refusal)
        after = str(data.get("after", ""))
        return RedirectResponse(f"{self.url()}?{urlencode({'after': after})}" if after else self.url(), 303)

    async def _show(self, ask: PanelRequest, refusal: Refusal | None = None) -> Response:
        after = ask.request.query_params.get("after") or None
        try:
            page = await ask.scope.read(groups, ON_A_PAGE, after)
        except NotFound:
            raise HTTPException(404) from None
        places = await ask.scope.read(_places, [id for group in page.groups for id in group.ids])
        context = {
            "error": refusal.say(ask.language) if refusal else "",
            "groups": [_told(group, places) for group in page.groups],
            "after": after or "",
            "further": f"{self.url()}?{urlencode({'after': page.after})}" if page.after else "",
        }
        return await self.render(ask, "duplicates.html", context, 422 if refusal else 200)


# --- steps -----------------------------------------------------------------------------------------------


def _places(scope: Scope, db: Session, ids: list[int]) -> dict[int, tuple[str, str]]:
    """Customer id -> number and name, and the name of its owner or pool."""
    found: dict[int, tuple[str, str]] = {}
    for at in range(0, len(ids), LARGEST_PAGE):
        some = ids[at : at + LARGEST_PAGE]
        names, held = names_of(scope, db, Customer, some), held_by(scope, db, some)
        owners = names_of(scope, db, User, sorted({owner for owner, _ in held.values() if owner}))
        pools = names_of(scope, db, Pool, sorted({pool for _, pool in held.values() if pool}))
        for id, name in names.items():
            owner, pool = held.get(id, NOWHERE)
            found[id] = name, owners.get(owner or 0, "") or pools.get(pool or 0, "")
    return found


def _told(group: Group, places: dict[int, tuple[str, str]]) -> dict[str, Any]:
    """A group ready for the page."""
    ids = [global_id(Customer, id) for id in group.ids]
    rows = [(f"{BASE}/customer/details/{global_id(Customer, id)}", *places.get(id, ("", ""))) for id in group.ids]
    merge = f"{BASE}/customer/merge?{urlencode([('ids', id) for id in ids[:MOST]])}"
    return {"ids": ids, "rows": rows, "merge": merge, "evidence": [choice_label(x) for x in group.evidence]}
