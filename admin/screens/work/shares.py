"""Shares: what the user has shared, what is shared with them, what has ended, and what is asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Customer, Share, ShareRequest, Tone
from models.errors import Refusal
from models.share import INCLUDED, RequestState, ShareLevel
from resolvers.customers import share_overview, share_requests, sharing
from resolvers.customers.share_overview import LIVE, OVER, RequestSeen, ShareSeen, ShareSide, ShareState
from resolvers.customers.sharing import Terms
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.formatting import badge
from ...kit.labels import object_label
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext

_ = gettext
OWN: tuple[str, str] = ("customer", "view")
TABS = {
    "received": Label("Shared with me"),
    "given": Label("Shared by me"),
    "ended": Label("No longer shared"),
    "requests": Label("Requests"),
}
STATES = {
    ShareState.ACTIVE: (Label("Shared now"), Tone.GREEN),
    ShareState.PLANNED: (Label("Not yet begun"), Tone.BLUE),
    ShareState.SUSPENDED: (Label("Suspended by a lock"), Tone.AMBER),
    ShareState.ENDED: (Label("Has ended"), Tone.GREY),
    ShareState.REVOKED: (Label("Revoked"), Tone.GREY),
}
ASKED = {
    RequestState.WAITING: (Label("Waiting"), Tone.AMBER),
    RequestState.GRANTED: (Label("Granted"), Tone.GREEN),
    RequestState.DECLINED: (Label("Declined"), Tone.RED),
}
LEVELS = {ShareLevel.VIEW: Label("View"), ShareLevel.EDIT: Label("Edit")}


class Shares(Page):
    """What the user has shared and received."""

    icon, group, position, path = "share", "work", 44, "/shares"
    title, is_named = Label("Shared customers"), True
    hint = Label("Customers that users show one another, until when, and who asks for one.")
    needs = "customer.view"

    @property
    def templates_used(self) -> set[str]:
        return {"shares.html"}

    @page_route("/shares", OWN)
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._list(ask, ask.request.query_params.get("tab", ""), {})

    @page_route("/shares/revoke", OWN, "POST")
    async def revoke(self, request: Request) -> Response:
        return await self._act(request, _revoking)

    @page_route("/shares/change", OWN, "POST")
    async def change(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._act(request, lambda form: _changing(ask, form))

    @page_route("/shares/ask", OWN, "POST")
    async def ask_for(self, request: Request) -> Response:
        return await self._act(request, _asking)

    @page_route("/shares/grant", OWN, "POST")
    async def grant(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._act(request, lambda form: _granting(ask, form))

    @page_route("/shares/decline", OWN, "POST")
    async def decline(self, request: Request) -> Response:
        return await self._act(request, _declining)

    async def _act(self, request: Request, work: Callable[[Mapping[str, str]], Callable[[Scope], Any]]) -> Response:
        ask = panel_request(request)
        form = {key: str(value)[:300] for key, value in (await request.form()).items()}
        try:
            await ask.scope.run(work(form))
        except Refusal as refusal:
            return await self._list(ask, form.get("tab", ""), form, refusal.say(ask.language))
        return RedirectResponse(f"{self.url()}?tab={_tab(form.get('tab', ''))}", 303)

    async def _list(self, ask: PanelRequest, tab: str, typed: Mapping[str, str], error: str = "") -> Response:
        tab = _tab(tab)
        rows = [] if tab == "requests" else await ask.scope.read(_rows, tab)
        asked = await ask.scope.read(share_overview.share_requests) if tab == "requests" else []
        context = {
            "tab": tab,
            "tabs": [(f"{self.url()}?tab={key}", key == tab, str(label)) for key, label in TABS.items()],
            "shares": [_told(ask, each, tab) for each in rows],
            "requests": [_asked(each) for each in asked],
            "levels": [(level.value, str(label)) for level, label in LEVELS.items()],
            "typed": {"id": "", "number": "", "level": "", "reason": "", "until": "", **typed},
            "error": error,
        }
        return await self.render(ask, "shares.html", context, 422 if error else 200)


def _tab(text: str) -> str:
    return text if text in TABS else "received"


def _rows(scope: Scope, db: Any, tab: str) -> list[ShareSeen]:
    if tab != "ended":
        return share_overview.shares(scope, db, ShareSide(tab.upper()), LIVE)
    both = [x for side in ShareSide for x in share_overview.shares(scope, db, side, OVER)]
    return sorted({x.id: x for x in both}.values(), key=lambda x: -x.id)


def _told(ask: PanelRequest, seen: ShareSeen, tab: str) -> dict[str, Any]:
    """A share ready for the page."""
    row, (label, tone) = seen.row, STATES[seen.state]
    customer = global_id(Customer, row.customer_id)
    passes_on = tab == "received" and row.may_reshare and seen.state is ShareState.ACTIVE
    return {
        "id": global_id(Share, row.id),
        "row": row,
        "customer": seen.customer or _("a customer out of your sight"),
        "href": f"{BASE}/customer/details/{customer}" if seen.customer else "",
        "grantee": seen.grantee or "–",
        "granted_by": seen.granted_by or "–",
        "level": str(LEVELS[row.level]),
        "include": [_("All")]
        if len(row.include) == len(INCLUDED)
        else [object_label(x) for x in INCLUDED if x in row.include],
        "state": badge(str(label), tone),
        "until": _typed_as(ask, row.ends_at),
        "pass_on": f"{BASE}/customer/ask/share?ids={customer}" if passes_on else "",
        "may_change": tab == "given",
        "may_end": tab == "given" or row.grantee_id == ask.scope.me,
    }


def _asked(seen: RequestSeen) -> dict[str, Any]:
    """A request ready for the page."""
    row, (label, tone) = seen.row, ASKED[seen.row.state]
    return {
        "id": global_id(ShareRequest, row.id),
        "row": row,
        "customer": seen.customer or _("a customer out of your sight"),
        "href": f"{BASE}/customer/details/{global_id(Customer, row.customer_id)}" if seen.customer else "",
        "asked_by": seen.asked_by or "–",
        "level": str(LEVELS[row.level]),
        "state": badge(str(label), tone),
        "is_open": not seen.is_mine and row.state is RequestState.WAITING,
    }


# --- forms -----------------------------------------------------------------------------------------------


def _revoking(form: Mapping[str, str]) -> Callable[[Scope], None]:
    id = number_of(Share, form.get("id", ""))
    return lambda scope: sharing.revoke_shares(scope, [id])


def _changing(ask: PanelRequest, form: Mapping[str, str]) -> Callable[[Scope], None]:
    """The level and the end are changed, the rest stays."""
    id, ends, level = number_of(Share, form.get("id", "")), form.get("until", ""), _level(form)

    def change(scope: Scope) -> None:
        sharing.change_share(scope, id, level, _moment(ask, ends))

    return change


def _asking(form: Mapping[str, str]) -> Callable[[Scope], int]:
    number, reason, level = form.get("number", ""), form.get("reason", ""), _level(form)
    return lambda scope: share_requests.request_share(scope, number=number, level=level, reason=reason)


def _granting(ask: PanelRequest, form: Mapping[str, str]) -> Callable[[Scope], None]:
    id, until, level = number_of(ShareRequest, form.get("id", "")), form.get("until", ""), _level(form)
    return lambda scope: share_requests.grant_share_request(scope, id, Terms(level, ends_at=_moment(ask, until)))


def _declining(form: Mapping[str, str]) -> Callable[[Scope], None]:
    id, reason = number_of(ShareRequest, form.get("id", "")), form.get("reason", "")
    return lambda scope: share_requests.decline_share_request(scope, id, reason)


def _level(form: Mapping[str, str]) -> ShareLevel:
    text = form.get("level", "")
    return ShareLevel(text) if text in {*ShareLevel} else ShareLevel.VIEW


def _moment(ask: PanelRequest, text: str) -> datetime | None:
    """A time as a browser writes it, in the user's zone.  Raises Validation."""
    return share_overview.typed_moment(text, ask.zone)


def _typed_as(ask: PanelRequest, at: datetime | None) -> str:
    return "" if at is None else ask.local(at).strftime("%Y-%m-%dT%H:%M:%S")
