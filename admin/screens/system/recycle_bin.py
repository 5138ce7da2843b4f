"""The recycle bin: one list for each kind of record, and the menu entry that leads to the first of them."""

from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ENTITIES, Entity
from resolvers.duplicates.check import CHECKED
from resolvers.reading.pages import Row, display_column
from resolvers.records import recycle_bin
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.commands import LIST, ROW, command
from ...kit.fields import Field, Kind
from ...kit.labels import many
from ...kit.lists import ListState
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.screen import LAST
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView

_ = gettext
PURGE = Label("delete")
WHY = Field(
    "reason", Kind.TEXT, name=Label("Reason"), length=200, help=Label("Needed where one like it is there already.")
)


class Bin(PolicyModelView):
    """Deleted records of one kind."""

    icon, group, needs = "trash", "", "restore"
    binned = True
    can_create = can_edit = False
    hint = Label("What was deleted. Restored records come back with all that went with them.")
    empty = Label("Nothing of this kind is in the bin.")
    default_order = (("deleted_at", True),)

    @command(icon="restore", action="*.restore", where=(ROW, LIST), tone="primary")
    def restore(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return recycle_bin.restore(scope, self.model, ids)

    @command(
        icon="trash-x",
        action="*.purge",
        where=(ROW, LIST),
        tone="danger",
        confirm=Label("This cannot be undone. Only the log and the number stay."),
        typed=PURGE,
    )
    def purge(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return recycle_bin.purge(scope, self.model, ids, confirm=True, mode=Mode.BEST_EFFORT)

    def record_url(self, row: Row) -> str:
        """The page of the record, which is that of the main screen."""
        return f"{BASE}/{self.slug.removeprefix('bin-')}/details/{global_id(self.model, row.id)}"

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        return {"bins": open_bins(self.panel, ask)}


class CheckedBin(Bin):
    """The bin of records that are checked for duplicates: what comes back may be there already, so a reason is taken."""

    @command(icon="restore", action="*.restore", where=(ROW, LIST), tone="primary", fields=(WHY,))
    def restore(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return recycle_bin.restore(scope, self.model, ids, reason=given["reason"])


def _screen(model: type[Entity], position: int) -> type[Bin]:
    shown = [display_column(model), model.named_by, "deleted_at", "deleted_by_id"]
    columns = tuple(dict.fromkeys(key for key in shown if key != "id"))
    members = {
        "slug": f"bin-{model.__tablename__.replace('_', '-').removeprefix('app-')}",
        "position": position,
        "columns": columns,
        "filters": ("deleted_by_id", "deleted_at"),
        "title": Label("Recycle bin"),
        "of": many(model),
        "__module__": __name__,
    }
    base, meta = CheckedBin if model in CHECKED else Bin, cast("Any", type(Bin))
    made: type[Bin] = meta(f"Bin{model.__name__}", (base,), members, model=model)
    return made


BIN_SCREENS = [_screen(model, LAST + n) for n, model in enumerate(ENTITIES, 1) if not model.singleton]
"""The bins in the order of their tabs.  The name keeps the classes alive, so that the panel finds them."""


def open_bins(panel: Any, ask: PanelRequest) -> list[Any]:
    """The bins that the user may open."""
    return [view for view in panel.views if isinstance(view, Bin) and view.is_accessible(ask.request)]


class RecycleBin(Page):
    """The menu entry: it leads to the first bin that the user may open."""

    icon, group, position, path = "trash", "system", 40, "/bin"
    title = Label("Recycle bin")

    def is_accessible(self, request: Request) -> bool:
        return hasattr(request.state, "panel_request") and bool(open_bins(self.panel, panel_request(request)))

    @page_route("/bin", ("open", "leads to a bin; each bin asks for the right to restore"))
    async def go(self, request: Request) -> Response:
        return RedirectResponse(open_bins(self.panel, panel_request(request))[0].url("list"), 303)
