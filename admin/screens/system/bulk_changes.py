"""Bulk changes of the user: how far they are, what became of each record, and the button that undoes one."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import BulkChange
from models.bulk_change import BulkKind, BulkState, ItemState
from models.errors import Refusal
from resolvers.bulk import changes, undoing
from resolvers.bulk.changes import BY_NAME, Made
from resolvers.bulk.telling import Setting, settings_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.bulk_form import cell_text
from ...kit.form_values import whole_number
from ...kit.formatting import badge, number, tone_of
from ...kit.labels import many
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext

_ = gettext
ON_A_PAGE, ITEMS_ON_A_PAGE = 50, 50
OWN: tuple[str, str] = ("open", "shows a user's own bulk changes, and to nobody else")
STATES: dict[BulkState, Label] = {
    BulkState.FINDING: Label("Records are being found"),
    BulkState.RUNNING: Label("Running"),
    BulkState.DONE: Label("Finished"),
    BulkState.STOPPED: Label("Stopped"),
    BulkState.FAILED: Label("Failed"),
}
Lists = Sequence[tuple[str, Label, ItemState]]
CHANGED: Lists = (
    ("refused", Label("Refused"), ItemState.REFUSED),
    ("done", Label("Changed"), ItemState.DONE),
    ("same", Label("As wanted already"), ItemState.SAME),
)
UNDONE: Lists = (
    ("done", Label("Undone"), ItemState.DONE),
    ("kept", Label("Kept, because changed since"), ItemState.KEPT),
    ("refused", Label("Could not be undone"), ItemState.REFUSED),
)


class BulkChanges(Page):
    """The bulk changes that the user has begun."""

    icon, group, position, path = "pencil", "system", 25, "/bulk"
    title, is_named = Label("Bulk changes"), True
    hint = Label(
        "What you have changed in many records at once. Each can be undone, as far as nobody has changed the same since."
    )

    @property
    def templates_used(self) -> set[str]:
        return {"bulk_changes.html", "bulk_result.html", "bulk_change.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        """The menu leads here for users who may change something; everybody finds the page by the palette."""
        return any(ask.may(f"{model.module}.edit") for model in BY_NAME.values() if model.in_bulk)

    @page_route("/bulk", OWN)
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        asked = request.query_params.get("before")
        before = number_of(BulkChange, asked) if asked else None
        found: list[Made] = await ask.scope.read(changes.bulk_changes, before=before, first=ON_A_PAGE + 1)
        shown = found[:ON_A_PAGE]
        more = {"before": global_id(BulkChange, shown[-1].row.id)} if len(found) > ON_A_PAGE else None
        context = {
            "changes": [await self._told(ask, made) for made in shown],
            "is_busy": any(made.is_open for made in shown),
            "older": f"{self.url()}?{urlencode(more)}" if more else "",
        }
        return await self.render(ask, "bulk_changes.html", context)

    @page_route("/bulk/{id}", OWN)
    async def show_change(self, request: Request) -> Response:
        """One of them; `list` in the address chooses which of its records are shown, `after` from where on."""
        ask = panel_request(request)
        return await self._show(ask, await self._made(ask))

    @page_route("/bulk/{id}/undo", OWN, "POST")
    async def undo(self, request: Request) -> Response:
        ask = panel_request(request)
        made = await self._made(ask)
        try:
            id = await ask.scope.run(undoing.undo, made.row.batch_id)
        except Refusal as refusal:
            return await self._show(ask, made, refusal.say(ask.language))
        return self._to(id)

    @page_route("/bulk/{id}/again", OWN, "POST")
    async def again(self, request: Request) -> Response:
        """Try once more what could not be undone."""
        ask = panel_request(request)
        made = await self._made(ask)
        if made.row.undoes is None:
            raise HTTPException(404)
        return await self._change(ask, made, lambda scope, _id: undoing.undo(scope, made.row.undoes or ""))

    @page_route("/bulk/{id}/stop", OWN, "POST")
    async def stop(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._change(ask, await self._made(ask), changes.stop)

    @page_route("/bulk/{id}/resume", OWN, "POST")
    async def resume(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._change(ask, await self._made(ask), changes.resume)

    # -- steps -------------------------------------------------------------------------------------------

    async def _made(self, ask: PanelRequest) -> Made:
        id = number_of(BulkChange, ask.request.path_params["id"])
        made: Made | None = await ask.scope.read(changes.bulk_change, id)
        if made is None:
            raise HTTPException(404)
        return made

    async def _change(self, ask: PanelRequest, made: Made, use_case: Callable[[Scope, int], object]) -> Response:
        try:
            await ask.scope.run(use_case, made.row.id)
        except Refusal as refusal:
            return await self._show(ask, made, refusal.say(ask.language))
        return self._to(made.row.id)

    def _to(self, id: int) -> Response:
        return RedirectResponse(self.url(global_id(BulkChange, id)), 303)

    async def _show(self, ask: PanelRequest, made: Made, error: str = "") -> Response:
        lists = UNDONE if made.row.kind is BulkKind.UNDO else CHANGED
        full = [each for each in lists if made.counts.get(each[2])]
        asked = ask.request.query_params.get("list", "")
        chosen = next((each for each in full if each[0] == asked), full[0] if full else None)
        context = {
            **await self._told(ask, made),
            "lists": [(name, str(label), number(ask, made.counts.get(state, 0))) for name, label, state in lists],
            "chosen": chosen[0] if chosen else "",
            "chosen_label": str(chosen[1]) if chosen else "",
            "items": [],
            "reasons": [],
            "more": "",
            "error": error,
            "has_done": bool(made.counts.get(ItemState.DONE)),
            "has_failed": bool(made.counts.get(ItemState.REFUSED)),
        }
        if chosen is not None:
            context |= await self._records(ask, made, chosen[0], chosen[2])
        return await self.render(ask, "bulk_result.html", context, 422 if error else 200)

    async def _records(self, ask: PanelRequest, made: Made, name: str, state: ItemState) -> dict[str, Any]:
        after = whole_number(ask.request.query_params.get("after", "")) or 0
        page = {"after": after, "first": ITEMS_ON_A_PAGE + 1}
        found = await ask.scope.read(changes.items, made.row.id, (state,), **page)
        reasons = await ask.scope.read(changes.reasons, made.row.id, (state,))
        shown = found[:ITEMS_ON_A_PAGE]
        more = {"list": name, "after": shown[-1][0]} if len(found) > ITEMS_ON_A_PAGE else None
        here = self.url(global_id(BulkChange, made.row.id))
        return {
            "items": [
                (
                    item.name or _("not visible to you"),
                    self.panel.address(ask, item.model, item.id) if item.name else "",
                    item.refusal.say(ask.language) if item.refusal else "",
                )
                for _number, item in shown
            ],
            "reasons": [(number(ask, n), refusal.say_of_many(ask.language)) for refusal, n in reasons if n > 1],
            "more": f"{here}?{urlencode(more)}" if more else "",
        }

    async def _told(self, ask: PanelRequest, made: Made) -> dict[str, Any]:
        """A bulk change ready for a page."""
        row, id = made.row, global_id(BulkChange, made.row.id)
        settings: list[Setting] = await ask.scope.read(settings_of, row)
        total = row.total
        return {
            "row": row,
            "id": id,
            "here": self.url(id),
            "name": _heading(row),
            "settings": [(each, cell_text(ask, each.value)) for each in settings],
            "state": badge(str(STATES[made.state]), tone_of(made.state)),
            "error_said": made.error[ask.language.startswith("zh")] if made.error else "",
            "progress": "" if total is None else f"{number(ask, made.done)}/{number(ask, total)}",
            "percent": min(100, 100 * made.done // total) if total else None,
            "is_open": made.is_open,
            "is_done": made.state is BulkState.DONE,
            "may_go_on": made.may_go_on,
            "undone_by": global_id(BulkChange, made.undone_by.id) if made.undone_by else "",
            "is_undoing": row.kind is BulkKind.UNDO,
        }


def _heading(row: BulkChange) -> str:
    said = {"records": many(BY_NAME[row.entity])}
    if row.kind is BulkKind.UNDO:
        return _("Undoing: %(records)s") % said
    return _("Change: %(list)s") % {"list": said["records"]}
