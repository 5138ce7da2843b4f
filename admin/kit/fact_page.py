"""One fact of a page edited in its place: the input of its kind, saved by the rules of the whole form."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Conflict, NotFound, Refusal
from resolvers.reading.pages import Row
from resolvers.records.field_rights import open_fields
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from . import form_values, forms
from .edit_page import EditedRecord, EditPage
from .fields import Kind
from .formatting import cell
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .translation import gettext as _

ALONE = "parts/fact.html"
"""The form of one fact."""


class FactPage(EditPage):
    """The facts of a page that the user may edit, each with a form of its own.

    Without a script the link of a fact leads to the whole form.
    """

    def editable_keys(self, scope: Scope, db: Session, ask: PanelRequest, row: Row) -> Collection[str]:
        """The fields of this record that the user may edit in their place.  At most one query."""
        if not self.offers_edit or "edit" not in row.may or row["deleted_at"] is not None:
            return ()
        offered = [x.key for x in self.form_fields(ask, creating=False) if x.kind is not Kind.CONDITION]
        return open_fields(scope, db, self.model, row.id, offered)

    @page_route("/fact/{id}", "edit")
    async def show_fact(self, request: Request) -> Response:
        ask = panel_request(request)
        if "hx-request" not in request.headers:
            return RedirectResponse(self.url("edit", request.path_params["id"]), 303)
        edited = await self._load_fact(ask)
        form = (await self._form_class(ask, edited.fields, creating=False))(data=edited.values)
        was = form_values.snapshot(edited.fields, edited.values)
        return await self._show_fact(ask, edited, form, was=was, version=edited.row["version"])

    @page_route("/fact/{id}", "edit", "POST")
    async def save_fact(self, request: Request) -> Response:
        ask = panel_request(request)
        try:
            edited = await self._load_fact(ask)
        except (HTTPException, NotFound):
            await self._log_denial(ask)
            raise
        data = await request.form()
        form = (await self._form_class(ask, edited.fields, creating=False))(data)
        was, version = str(data.get(form_values.WAS, "")), str(data.get("version", ""))
        if not form.validate():
            return await self._show_fact(ask, edited, form, was=was, version=version, status=422)
        try:
            await self._save(ask, edited, form, data)
        except Conflict as conflict:
            return await self._show_fact_conflict(ask, edited, form, conflict)
        except Refusal as refusal:
            error = forms.place_refusal(form, refusal, ask.language)
            return await self._show_fact(ask, edited, form, was=was, version=version, error=error, status=422)
        told = {"millpond:fact": {"field": edited.fields[0].key, "message": _("Saved.")}}
        return Response(status_code=204, headers={"HX-Trigger": json.dumps(told)})

    async def _load_fact(self, ask: PanelRequest) -> EditedRecord:
        """The record with the one field that the address names.  Raises NotFound, and HTTPException 403."""
        edited = await self._load_edited(ask)
        named = [x for x in edited.fields if x.key == ask.request.query_params.get("field")]
        if not named or named[0].kind is Kind.CONDITION:
            raise HTTPException(403)
        return EditedRecord(edited.row, named, edited.values)

    async def _show_fact(
        self, ask: PanelRequest, edited: EditedRecord, form: Any, *, status: int = 200, **more: Any
    ) -> Response:
        await self.offer_chosen(ask, edited.fields, form)
        context = {
            "form": form,
            "field": edited.fields[0],
            "id": global_id(self.model, edited.row.id),
            "points": forms.PointsInput.kinds,
            "error": "",
            "theirs": None,
            **more,
        }
        return await self.render(ask, ALONE, context, status)

    async def _show_fact_conflict(
        self, ask: PanelRequest, edited: EditedRecord, form: Any, conflict: Conflict
    ) -> Response:
        """The same input with what was typed, and the value that somebody else has saved; saving again replaces it."""
        (field,), row = edited.fields, edited.row
        was = form_values.snapshot(edited.fields, edited.values)
        theirs = cell(ask, field, row, self.address(ask))
        more = {"error": conflict.say(ask.language), "theirs": theirs, "was": was, "version": row["version"]}
        return await self._show_fact(ask, edited, form, status=409, **more)
