"""The forms that correct a checked import: one row, one value in all rows, rows that are left out, the order of dates."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ImportBatch
from models.errors import Refusal
from resolvers.imports import correcting, mapping
from resolvers.imports.advance import plan_of
from resolvers.imports.correcting import LONGEST_CELL
from resolvers.imports.date_columns import Order
from resolvers.runtime.scope import Scope

from ...kit.form_values import whole_number
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from . import checking

OWN: tuple[str, str] = ("open", "shows a user's own imports, and to nobody else")


class ImportScreen(Protocol):
    """What the forms use of the screen."""

    def url(self, *path: str) -> str: ...
    async def row_of(self, ask: PanelRequest) -> ImportBatch: ...
    async def show_step(
        self, ask: PanelRequest, step: str = "", error: str = "", form: FormData | None = None
    ) -> Response: ...
    async def change(
        self, ask: PanelRequest, form: FormData, call: Callable[[Scope], Any], step: str = ""
    ) -> Response: ...


class Corrections:
    """The routes of these forms."""

    @page_route("/imports/{id}/dates", OWN, "POST")
    async def dates(self: ImportScreen, request: Request) -> Response:
        """Read the dates of one column in another order; everything else stays as it was chosen."""
        ask, form = panel_request(request), await request.form()
        row, place, order = await self.row_of(ask), _number(form, "place"), str(form.get("order", ""))
        if order not in tuple(Order):
            return await self.show_step(ask)
        plan = plan_of(row)
        plan = replace(plan, dates={**(plan.dates or {}), place: Order(order)})
        return await self.change(ask, form, lambda scope: mapping.set_mapping(scope, row.id, plan), "check")

    @page_route("/imports/{id}/row", OWN, "POST")
    async def edit(self: ImportScreen, request: Request) -> Response:
        """Write into the cells of one row, and judge it again."""
        ask, form = panel_request(request), await request.form()
        row, at = await self.row_of(ask), _number(form)
        shown = await ask.scope.read(checking.one_row, row, at)
        edits = checking.edits_from(form, shown)
        return await _corrected(self, ask, form, lambda scope: correcting.edit_row(scope, row.id, at, edits), at)

    @page_route("/imports/{id}/skip", OWN, "POST")
    async def skip(self: ImportScreen, request: Request) -> Response:
        """Leave a row out, or take it in again."""
        ask, form = panel_request(request), await request.form()
        row, at, is_skipped = await self.row_of(ask), _number(form), form.get("skipped") == "y"
        return await _corrected(
            self, ask, form, lambda scope: correcting.skip_rows(scope, row.id, [at], skipped=is_skipped), at
        )

    @page_route("/imports/{id}/fix", OWN, "POST")
    async def fix(self: ImportScreen, request: Request) -> Response:
        """Write another value wherever a column holds this one."""
        ask, form = panel_request(request), await request.form()
        row, place = await self.row_of(ask), _number(form, "place")
        wrong, right = (str(form.get(name, ""))[:LONGEST_CELL] for name in ("wrong", "right"))
        right = right or str(form.get("typed", ""))[:LONGEST_CELL]
        is_learnt = form.get("learn") == "y"
        return await _corrected(
            self, ask, form, lambda scope: correcting.fix_value(scope, row.id, place, wrong, right, learn=is_learnt)
        )


async def _corrected(
    self: ImportScreen, ask: PanelRequest, form: FormData, call: Callable[[Scope], Any], at: int | None = None
) -> Response:
    """Correct a checked import, and show the same part of its rows; a refusal shows the row as it was typed."""
    try:
        await ask.scope.run(call)
    except Refusal as refusal:
        return await self.show_step(ask, "check", refusal.say(ask.language), form if at is not None else None)
    more = {"saved": str(at)} if at is not None else {}
    address = f"{self.url(ask.request.path_params['id'])}?{checking.back_to(form, **more)}"
    return RedirectResponse(address if at is None else f"{address}#r{at}", 303)


def _number(form: FormData, name: str = "number") -> int:
    """A number in a form; -1 where it holds none, which no row and no column has."""
    found = whole_number(str(form.get(name, "")))
    return -1 if found is None else found
