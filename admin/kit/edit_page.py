"""The edit of a record: its form shown by GET and saved by POST, with conflicts side by side."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import Conflict, NotFound, Refusal
from resolvers.reading.pages import Row, one
from resolvers.records import create_update
from resolvers.records.field_rights import open_fields
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import camel
from resolvers.runtime.scope import Scope

from . import form_values, forms
from .fields import Field
from .finding import Finding, find_typed
from .form_page import FormPage
from .formatting import cell
from .once import act_once
from .panel_request import PanelRequest, panel_request
from .routes import page_route


@dataclass(frozen=True)
class EditedRecord:
    """A record that the user may edit: its row, the fields that they may set in it, and the values of those inputs."""

    row: Row
    fields: list[Field]
    values: dict[str, Any]


class EditPage(FormPage):
    """The form of a record, which saves only the fields that the user has changed."""

    def extra_form_values(self, scope: Scope, db: Session, row: Row) -> dict[str, Any]:
        """Values of the form that are no columns: the phones of a contact."""
        return {}

    @page_route("/edit/{id}", "edit")
    async def show_edit(self, request: Request) -> Response:
        ask = panel_request(request)
        edited = await self._load_edited(ask)
        form_class = await self._form_class(ask, edited.fields, creating=False)
        was = form_values.snapshot(edited.fields, edited.values)
        return await self._show_form(ask, edited.fields, form_class(data=edited.values), edited.row, was=was)

    @page_route("/edit/{id}", "edit", "POST")
    async def save_edit(self, request: Request) -> Response:
        ask = panel_request(request)
        try:
            edited = await self._load_edited(ask)
        except (HTTPException, NotFound):
            await self._log_denial(ask)
            raise
        fields, row, finding = edited.fields, edited.row, await self._typed(ask, edited, request)
        form, data = (await self._form_class(ask, fields, creating=False))(finding.data), finding.data
        was, version = str(data.get(form_values.WAS, "")), str(data.get("version", ""))
        show_again = partial(self._show_form, ask, fields, form, row, was=was, version=version)
        if finding.is_open:
            return await show_again(finding=finding)
        if not form.validate():
            await self._judge_edit(ask, edited, form, was)
            return await show_again(status=422, error=forms.mistakes_in(form))
        try:
            await self._save(ask, edited, form, data)
        except Conflict as conflict:
            return await self._show_conflict(ask, edited, form, conflict)
        except Refusal as refusal:
            return await self._show_refusal(ask, fields, form, row, refusal, was, version=version)
        return self._show_saved(ask, row.id)

    async def _judge_edit(self, ask: PanelRequest, edited: EditedRecord, form: Any, was: str) -> None:
        """Let the use case name what is wrong with the values that the form could read, so that all is told at once."""
        read = [field for field in edited.fields if not form[field.key].errors]
        values = form_values.values_of(ask, form_values.changed(read, form, was), form)
        found = await ask.scope.run(create_update.wrong_in, self.model, values, edited.row.id)
        forms.place_others(form, found, ask.language)

    async def _typed(self, ask: PanelRequest, edited: EditedRecord, request: Request) -> Finding:
        return await find_typed(self.panel, ask, edited.fields, forms.without_files(await request.form()))

    async def _load_edited(self, ask: PanelRequest) -> EditedRecord:
        """The record of the address.  Raises NotFound, and HTTPException 403 if the user may not edit it."""
        fields = self.form_fields(ask, creating=False)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        row, fields, values = await ask.scope.read(self._read_edited, self._record_id(ask.request), fields)
        return EditedRecord(row, fields, {x.key: form_values.input_value(ask, x, values[x.key]) for x in fields})

    def _read_edited(
        self, scope: Scope, db: Session, id: int, fields: list[Field]
    ) -> tuple[Row, list[Field], dict[str, Any]]:
        row = one(scope, db, self.record_request(), id)
        if row is None:
            raise NotFound
        if "edit" not in row.may or row["deleted_at"] is not None:
            raise HTTPException(403)
        settable = open_fields(scope, db, self.model, row.id, [field.key for field in fields])
        fields = [field for field in fields if field.key in settable]
        return row, fields, {**row.values, **self.extra_form_values(scope, db, row)}

    async def _log_denial(self, ask: PanelRequest) -> None:
        """Let the use case refuse the edit too, because it logs the attempt."""
        with suppress(Refusal):
            await ask.scope.run(create_update.update, self.model, self._record_id(ask.request), {})

    async def _save(self, ask: PanelRequest, edited: EditedRecord, form: Any, data: FormData) -> None:
        """Save what the user has changed.  Raises Conflict and every other Refusal of the use case."""
        was, version = (str(data.get(name, "")) for name in (form_values.WAS, "version"))
        values = form_values.values_of(ask, form_values.changed(edited.fields, form, was), form)
        number, id = int(version) if version.isdecimal() and len(version) < 10 else 0, edited.row.id

        def update(scope: Scope) -> Outcome:
            return single(create_update.update(scope, self.model, id, values, number))

        if values:
            # The content is part of what the key stands for: after Back, the same page saves what is typed then.
            await act_once(ask, data, f"{self.module}.edit", {"id": id, "values": values}, update, self.model)

    async def _show_conflict(self, ask: PanelRequest, edited: EditedRecord, form: Any, conflict: Conflict) -> Response:
        """The same form with everything that was typed, and beside each field in dispute the value of the record."""
        fields, row, address = edited.fields, edited.row, self.address(ask)
        current = conflict.params.get("current", {})
        changed = self.model.with_partners(x.key for x in fields if camel(x.key) in current)
        disputed = [field for field in fields if field.key in changed]
        theirs = {field.key: (edited.values[field.key], cell(ask, field, row, address)) for field in disputed}
        was, message = form_values.snapshot(fields, edited.values), conflict.say(ask.language)
        return await self._show_form(ask, fields, form, row, was=was, status=409, error=message, theirs=theirs)
