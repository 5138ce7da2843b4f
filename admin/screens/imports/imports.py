"""Imports of the user: the list, a new one, and one page for each that shows its present step."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ImportBatch
from models.errors import Refusal
from models.import_batch import ImportState
from resolvers.imports import applying, batches, mapping, results, returning, undoing, uploads
from resolvers.imports.targets import Target, target_of, targets
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.file_form import FileForm
from ...kit.pages import Further, Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext
from . import checking, matching, reading, running, summary, upload
from .corrections import OWN, Corrections
from .words import RUNNING, STEP_OF, STEPS, heading, state_badge

_ = gettext
ON_A_PAGE = 50
"""Number of imports on a page."""


class Imports(Corrections, Page):
    """The imports that the user has begun."""

    icon, group, position, path = "upload", "system", 23, "/imports"
    title, is_named = Label("Imports"), True
    hint = Label("Files that you have brought in. You may leave at any step and come back: nothing is lost.")

    @property
    def templates_used(self) -> set[str]:
        pages = ("list", "new", "upload", "match", "check", "confirm", "progress", "summary", "undo")
        return {f"imports/{name}.html" for name in pages}

    def is_listed(self, ask: PanelRequest) -> bool:
        """The menu leads here for users who may import something; everybody finds the page by the palette."""
        return bool(_importable(ask))

    def further(self, ask: PanelRequest) -> Sequence[Further]:
        """A form for everything that the user may import."""
        return [
            (partial(_named, each), f"{self.url('new')}?target={each.code}", self.icon) for each in _importable(ask)
        ]

    # -- all of them -------------------------------------------------------------------------------------

    @page_route("/imports", OWN)
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        asked = request.query_params.get("before")
        before = number_of(ImportBatch, asked) if asked else None
        found = await ask.scope.read(batches.imports, before=before, first=ON_A_PAGE + 1)
        shown = found[:ON_A_PAGE]
        more = {"before": global_id(ImportBatch, shown[-1].id)} if len(found) > ON_A_PAGE else None
        context = {
            "imports": [self._told(row) for row in shown],
            "is_busy": any(row.state in RUNNING for row in shown),
            "offered": bool(_importable(ask)),
            "older": f"{self.url()}?{urlencode(more)}" if more else "",
        }
        return await self.render(ask, "imports/list.html", context)

    @page_route("/imports/new", OWN)
    async def new(self, request: Request) -> Response:
        ask = panel_request(request)
        return await self._new(ask, request.query_params.get("target", "")[:100])

    @page_route("/imports/new", OWN, "POST")
    async def upload(self, request: Request) -> Response:
        ask, form = panel_request(request), FileForm(request)
        try:
            id = await upload.begin(ask, form)
        except Refusal as refusal:
            return await self._new(ask, form.fields.get("target", ""), refusal.say(ask.language))
        return self._to(id)

    async def _new(self, ask: PanelRequest, target: str, error: str = "") -> Response:
        offered = upload.offered(ask)
        if not offered:
            raise HTTPException(403)
        context = {
            "offered": offered,
            "target": target if target in dict(offered) else offered[0][0],
            "kinds": upload.FILE_KINDS,
            "limit": uploads.largest(ask.scope),
            "error": error,
            "steps": _steps("upload"),
        }
        return await self.render(ask, "imports/new.html", context, 422 if error else 200)

    # -- one ---------------------------------------------------------------------------------------------

    @page_route("/imports/{id}", OWN)
    async def show_import(self, request: Request) -> Response:
        """The present step; `step` in the address goes back to an earlier one, or on to the confirmation."""
        return await self.show_step(panel_request(request))

    @page_route("/imports/{id}/read", OWN, "POST")
    async def read(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        row = await self.row_of(ask)
        choices = reading.choices_from(form, batches.choices_of(row))
        return await self.change(ask, form, lambda scope: batches.read_anew(scope, row.id, choices))

    @page_route("/imports/{id}/match", OWN, "POST")
    async def match(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        row = await self.row_of(ask)
        plan = matching.plan_from(form, row)
        return await self.change(ask, form, lambda scope: mapping.set_mapping(scope, row.id, plan), "match")

    @page_route("/imports/{id}/confirm", OWN, "POST")
    async def confirm(self, request: Request) -> Response:
        return await self._do(request, applying.confirm, "confirm")

    @page_route("/imports/{id}/results", OWN, "POST")
    async def results(self, request: Request) -> Response:
        """Let a job write the workbook with the rows and what is wrong with them."""
        return await self._do(request, results.begin)

    @page_route("/imports/{id}/workbook", OWN, "POST")
    async def workbook(self, request: Request) -> Response:
        """Go on with the corrected workbook, or with the corrected original."""
        ask = panel_request(request)
        row = await self.row_of(ask)
        try:
            await upload.go_on(ask, row)
        except Refusal as refusal:
            return await self.show_step(ask, "", refusal.say(ask.language))
        return self._to(row.id)

    @page_route("/imports/{id}/go-on", OWN, "POST")
    async def go_on(self, request: Request) -> Response:
        """Let a new job go on where the last one has failed."""
        return await self._do(request, batches.go_on)

    @page_route("/imports/{id}/stop", OWN, "POST")
    async def stop(self, request: Request) -> Response:
        return await self._do(request, applying.stop)

    @page_route("/imports/{id}/cancel", OWN, "POST")
    async def cancel(self, request: Request) -> Response:
        return await self._do(request, batches.cancel)

    @page_route("/imports/{id}/undo", OWN, "POST")
    async def undo(self, request: Request) -> Response:
        return await self._do(request, undoing.begin_undoing)

    # -- steps -------------------------------------------------------------------------------------------

    async def _do(self, request: Request, use_case: Callable[[Scope, int], None], step: str = "") -> Response:
        ask, form = panel_request(request), await request.form()
        row = await self.row_of(ask)
        return await self.change(ask, form, lambda scope: use_case(scope, row.id), step)

    async def change(self, ask: PanelRequest, form: FormData, call: Callable[[Scope], Any], step: str = "") -> Response:
        """Do what a form asks for, and show the step that follows; a refusal shows the form again."""
        try:
            await ask.scope.run(call)
        except Refusal as refusal:
            return await self.show_step(ask, step, refusal.say(ask.language), form)
        return self._to(number_of(ImportBatch, ask.request.path_params["id"]))

    async def row_of(self, ask: PanelRequest) -> ImportBatch:
        """The import that the address names.  Raises HTTPException 404 where it is not the user's."""
        row = await ask.scope.read(batches.find, number_of(ImportBatch, ask.request.path_params["id"]))
        if row is None:
            raise HTTPException(404)
        return row

    async def show_step(
        self, ask: PanelRequest, step: str = "", error: str = "", form: FormData | None = None
    ) -> Response:
        row = await self.row_of(ask)
        name = _step(row, step or ask.request.query_params.get("step", ""))
        context = {**self._common(row, name), "error": error or _told_late(ask, row)}
        if running.is_running(row):
            context, name = context | await running.found(ask, row), "progress"
        match name:
            case "upload":
                context |= await reading.found(ask, row)
            case "match":
                context |= await reading.found(ask, row) | await matching.found(ask, row, form if step else None)
            case "check":
                context |= await checking.found(ask, row, context["here"], form if step else None)
            case "confirm":
                context |= await checking.consequences(ask, row)
            case "undo" | "summary":
                context |= await summary.found(ask, row, self.panel)
        return await self.render(ask, f"imports/{name}.html", context, 422 if error else 200)

    def _common(self, row: ImportBatch, step: str) -> dict[str, Any]:
        return {
            **self._told(row),
            "steps": _steps(step),
            "step": step,
            "has_results": row.state in results.SETTLED and bool(row.rows),
            "may_return": row.state in returning.OPEN and row.returned is None,
            "may_cancel": row.state in batches.UNREAD and row.state is not ImportState.FAILED,
        }

    def _told(self, row: ImportBatch) -> dict[str, Any]:
        """An import ready for a page."""
        id = global_id(ImportBatch, row.id)
        return {
            "row": row,
            "id": id,
            "here": self.url(id),
            "target": heading(target_of(row.target)),
            "state": state_badge(row.state),
            "may_undo": row.state in undoing.UNDOABLE,
            "is_over": row.state in batches.ENDED,
        }

    def _to(self, id: int) -> Response:
        return RedirectResponse(self.url(global_id(ImportBatch, id)), 303)


def _told_late(ask: PanelRequest, row: ImportBatch) -> str:
    """What a job has found wrong with a corrected workbook; the import itself is as it was."""
    if row.state is ImportState.FAILED or not row.error:
        return ""
    return (row.error_zh or row.error) if ask.language.startswith("zh") else row.error


def _importable(ask: PanelRequest) -> list[Target]:
    """What the user has some right to import; asked on every page, so without the fields, which take milliseconds."""
    return [each for each in targets() if ask.may(each.right)]


def _named(target: Target) -> str:
    return _("Import: %(kind)s") % {"kind": heading(target)}


def _step(row: ImportBatch, asked: str) -> str:
    """The step that the page shows: the present one, or the one that was asked for as far as it is open."""
    present = STEP_OF.get(row.state, "summary")
    if asked == "match" and row.state in mapping.MAPPABLE:
        return "match"
    if asked == "confirm" and row.state is ImportState.CHECKED:
        return "confirm"
    return "undo" if asked == "undo" and row.state in undoing.UNDOABLE else present


def _steps(present: str) -> list[Mapping[str, Any]]:
    """The steps, each with whether it is behind, or the present one."""
    names = [*STEPS]
    at = names.index(present) if present in STEPS else len(names) - 1
    return [
        {"name": name, "label": STEPS[name], "is_done": n < at, "is_present": n == at} for n, name in enumerate(names)
    ]
