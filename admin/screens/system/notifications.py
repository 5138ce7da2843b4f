"""Notifications: what the user was told, and how they want to be told."""

from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import BulkChange, Notice
from models.errors import Refusal
from models.names import Names
from models.notice import MailChoice
from models.notice_kinds import NOTICE_KINDS
from resolvers.notices import choices, inbox
from resolvers.notices.sentences import Told
from resolvers.runtime.ids import global_id, number_of

from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label

ON_A_PAGE = 30
"""Number of notifications on a page."""
OWN = ("open", "what the user who asks was told")
MAIL: dict[MailChoice, Label] = {
    MailChoice.NONE: Label("No e-mail"),
    MailChoice.AT_ONCE: Label("E-mail at once"),
    MailChoice.DAILY: Label("Daily e-mail"),
}


class Notifications(Page):
    """What the user was told."""

    icon, path = "bell", "/notifications"
    title, is_named = Label("Notifications"), True

    @property
    def templates_used(self) -> set[str]:
        return {"notifications.html", "notification_choices.html"}

    @page_route("/notifications", OWN)
    async def show(self, request: Request) -> Response:
        ask, asked = panel_request(request), request.query_params
        unread = asked.get("tab") == "unread"
        before = number_of(Notice, asked["before"]) if asked.get("before") else None
        found = await ask.scope.read(inbox.notices, unread=unread, before=before, first=ON_A_PAGE + 1)
        shown, more = found[:ON_A_PAGE], {"tab": "unread"} if unread else {}
        older = self._older(shown[-1], more) if len(found) > ON_A_PAGE else ""
        context = {"told": [self._row(ask, x) for x in shown], "is_unread": unread, "older": older}
        return await self.render(ask, "notifications.html", context)

    @page_route("/notifications/open", OWN)
    async def lead(self, request: Request) -> Response:
        """Go where a notification leads, for links in e-mails; the list for one that leads nowhere."""
        ask, id = panel_request(request), number_of(Notice, request.query_params.get("id"))
        return RedirectResponse(await self._target(ask, id) if id else self.url(), 303)

    @page_route("/notifications/read", OWN, "POST")
    async def read(self, request: Request) -> Response:
        """Mark one notification as read and go where it leads, or mark all of them."""
        ask, form = panel_request(request), await request.form()
        id = number_of(Notice, form["id"]) if form.get("id") else None
        await ask.scope.run(inbox.mark_read, None if id is None else [id])
        return RedirectResponse(await self._target(ask, id) if form.get("open") and id else self.url(), 303)

    @page_route("/notifications/choices", OWN)
    async def show_choices(self, request: Request) -> Response:
        return await self._choices(panel_request(request))

    @page_route("/notifications/choices", OWN, "POST")
    async def choose(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        try:
            await ask.scope.run(choices.choose, _chosen(form), int(str(form.get("digest_hour", "8"))))
        except (Refusal, ValueError):
            return await self._choices(ask, 422)
        return RedirectResponse(f"{self.url('choices')}?saved=1", 303)

    async def _choices(self, ask: PanelRequest, status: int = 200) -> Response:
        found, is_chinese = await ask.scope.read(choices.choices), ask.language.startswith("zh")

        def called(names: Names) -> str:
            return names.zh if is_chinese else names.one

        rows = [(kind.key, called(kind.label), *found.of[kind], called(kind.group)) for kind in found.of]
        groups = [(group, list(each)) for group, each in groupby(rows, key=lambda row: row[-1])]
        context = {"groups": groups, "mail": MAIL, "digest_hour": found.digest_hour}
        return await self.render(ask, "notification_choices.html", context, status)

    async def _target(self, ask: PanelRequest, id: int) -> str:
        """The address of the record that a notification is about; the list for one that leads nowhere now."""
        found = await ask.scope.read(inbox.notices, before=id + 1, first=1)
        record = found[0].record if found and found[0].id == id else None
        return self._address(ask, record) or self.url()

    def _address(self, ask: PanelRequest, record: Any) -> str | None:
        if record is not None and record[0] is BulkChange:
            return f"{BASE}/bulk/{global_id(*record)}"
        found: str | None = self.panel.address(ask, *record) if record is not None else None
        return found

    def _row(self, ask: PanelRequest, told: Told) -> dict[str, Any]:
        return {"id": global_id(Notice, told.id), "told": told, "leads": self._address(ask, told.record) is not None}

    def _older(self, last: Told, more: dict[str, str]) -> str:
        return f"{self.url()}?{urlencode({**more, 'before': global_id(Notice, last.id)})}"


def _chosen(form: FormData) -> dict[str, tuple[bool, MailChoice]]:
    """The choices in the form, of the kinds that it shows.  Raises ValueError for another choice than those offered."""
    return {
        key: (form.get(f"panel.{key}") is not None, MailChoice(str(form[f"mail.{key}"])))
        for key in NOTICE_KINDS
        if f"mail.{key}" in form
    }
