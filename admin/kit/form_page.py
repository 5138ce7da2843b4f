"""Making and editing a record: a form derived from its fields, refusals beside them, conflicts side by side."""

from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Conflict, NotFound, Refusal
from resolvers.reading.pages import Row, one
from resolvers.records import create_update
from resolvers.records.field_rights import open_fields
from resolvers.runtime import denials
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from . import forms
from .fields import Field, Kind, editable, field_of
from .formatting import cell
from .panel_request import PanelRequest, panel_request
from .screen import Screen, names_in, served


class FormPage(Screen):
    """Forms hold what this person may set; what the use case refuses stands beside the field it is about."""

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """The fields that this person may set in some record."""
        keys = [key for key in editable(self.model, creating=creating) if self.is_offered(ask, key, creating=creating)]
        ordered = [key for _label, part in self.sections for key in part if key in keys]
        return [field_of(self.model, key) for key in [*ordered, *(key for key in keys if key not in ordered)]]

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        field = key.removesuffix("_id")
        return self.is_seen(ask, key) and (creating or ask.edits(self.module, field))

    def form_sections(self, fields: list[Field]) -> list[tuple[str, list[str]]]:
        keys = [each.key for each in fields]
        named = [(str(label), [key for key in part if key in keys]) for label, part in self.sections]
        rest = [key for key in keys if not any(key in part for _label, part in named)]
        return [(label, part) for label, part in [*named, ("", rest)] if part]

    async def options(
        self, ask: PanelRequest, fields: list[Field], *, creating: bool
    ) -> dict[str, list[tuple[str, str]]]:
        """The choices of fields that are offered as a plain list instead of a search."""
        return {}

    def starting(self, ask: PanelRequest) -> dict[str, Any]:
        """What a new form holds: what its address says, like the customer of a new contact."""
        given: dict[str, Any] = {}
        for each in self.form_fields(ask, creating=True):
            value = ask.request.query_params.get(each.key)
            if value and each.kind is Kind.RECORD:
                given[each.key] = value
            elif (column := self.model.__table__.c.get(each.key)) is not None and column.default is not None:
                given[each.key] = column.default.arg if column.default.is_scalar else None
        return given

    @served("/create", "create", "GET", "POST")
    async def create_page(self, request: Request) -> Response:
        ask = panel_request(request)
        if not self.is_made:
            raise HTTPException(404)
        if not ask.may(f"{self.module}.create"):
            if request.method == "POST":
                await ask.scope.run(denials.refuse, self.module, "create")
            raise HTTPException(403)
        fields = self.form_fields(ask, creating=True)
        await self._prepare(ask, fields)
        form_class = forms.form_class(ask, fields, await self.options(ask, fields, creating=True))
        if request.method == "GET":
            return await self._show_form(ask, fields, form_class(data=self.starting(ask)), None)
        data = forms.posted(await request.form())
        form = form_class(data)
        if not form.validate():
            return await self._show_form(ask, fields, form, None, status=422, error=forms.require_any(form))
        typed = {key: value for key, value in forms.values_of(ask, fields, form).items() if value not in (None, [])}
        try:
            given = self.given(typed)
            made = await ask.scope.run(create_update.create, self.model, given)
        except Refusal as refusal:
            return await self._refused(ask, fields, form, None, refusal)
        return self._saved(ask, made.id)

    @served("/edit/{id}", "edit", "GET", "POST")
    async def edit_page(self, request: Request) -> Response:
        ask = panel_request(request)
        if not self.is_edited:
            raise HTTPException(404)
        fields = self.form_fields(ask, creating=False)
        await self._prepare(ask, fields)
        try:
            row, fields, shown = await ask.scope.read(self._read_form, self._asked_id(request), fields)
        except (HTTPException, NotFound):
            if request.method == "POST":
                with suppress(Refusal):  # the use case says no as well, and logs it
                    await ask.scope.run(create_update.update, self.model, self._asked_id(request), {})
            raise
        form_class = forms.form_class(ask, fields, await self.options(ask, fields, creating=False))
        held = {each.key: forms.typed(ask, each, shown[each.key]) for each in fields}
        if request.method == "GET":
            return await self._show_form(ask, fields, form_class(data=held), row, was=held)
        data = forms.posted(await request.form())
        form = form_class(data)
        was = data.get(forms.WAS, "")
        if not form.validate():
            return await self._show_form(ask, fields, form, row, 422, forms.require_any(form), was_text=str(was))
        touched = forms.changed(fields, form, str(was))
        given = forms.values_of(ask, touched, form)
        version = int(text) if (text := str(data.get("version", ""))).isdecimal() and len(text) < 10 else 0
        try:
            if given:
                await ask.scope.run(create_update.update, self.model, row.id, given, version)
        except Conflict as conflict:
            return await self._conflicting(ask, fields, form, row, conflict, held)
        except Refusal as refusal:
            return await self._refused(ask, fields, form, row, refusal, str(was))
        return self._saved(ask, row.id)

    def given(self, typed: dict[str, Any]) -> dict[str, Any]:
        """What a new record is made from, out of what was typed.  Raises Validation."""
        return typed

    async def _prepare(self, ask: PanelRequest, fields: list[Field]) -> None:
        await ask.load_words({each.dictionary for each in fields if each.dictionary})

    def _read_form(
        self, scope: Scope, db: Session, id: int, fields: list[Field]
    ) -> tuple[Row, list[Field], dict[str, Any]]:
        """The record, the fields that may be edited in this very one, what they hold.  404 unless it may be edited."""
        row = one(scope, db, self.asked_one(), id)
        if row is None:
            raise NotFound
        if "edit" not in row.may or row["deleted_at"] is not None:
            raise HTTPException(403)
        free = open_fields(scope, db, self.model, row.id, [each.key for each in fields])
        fields = [each for each in fields if each.key in free]
        return row, fields, {**row.values, **self.held_beside(scope, db, row)}

    def held_beside(self, scope: Scope, db: Session, row: Row) -> dict[str, Any]:
        """What a form holds that is no column: the phones of a contact."""
        return {}

    async def _show_form(
        self,
        ask: PanelRequest,
        fields: list[Field],
        form: Any,
        row: Row | None,
        status: int = 200,
        error: str = "",
        **more: Any,
    ) -> Response:
        await self._offer_chosen(ask, fields, form, row)
        context = {
            "form": form,
            "fields": {each.key: each for each in fields},
            "sections": self.form_sections(fields),
            "row": row,
            "id": global_id(self.model, row.id) if row else None,
            "name": self.name_of(row) if row else None,
            "error": error,
            "was": more.pop("was_text", None) or forms.written(fields, more.pop("was", {})),
            "version": row["version"] if row else None,
            "points": forms.PointsInput.kinds,
            **more,
        }
        context |= await self.form_extra(ask, row)
        return await self.render(ask, "form.html", context, status)

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        """What the template of a special form needs."""
        return {}

    async def _offer_chosen(self, ask: PanelRequest, fields: list[Field], form: Any, row: Row | None) -> None:
        """Give every choice an option for what it holds already: an archived word, a record found by search."""
        for each in fields:
            held = form[each.key].data if each.kind in (Kind.RECORD, Kind.WORDS) else None
            if not held or held in dict(form[each.key].choices):
                continue
            if each.kind is Kind.WORDS:
                known = ask.words.get(each.dictionary or "", {}).get(held)
                label = known.label if known else held
            else:
                label = (await ask.scope.read(names_in, each.target, [held])).get(held, "")
            if label:
                form[each.key].choices = [*form[each.key].choices, (held, label)]

    async def _refused(
        self, ask: PanelRequest, fields: list[Field], form: Any, row: Row | None, refusal: Refusal, was: str = ""
    ) -> Response:
        said = forms.blame(form, refusal, ask.language)
        return await self._show_form(ask, fields, form, row, 422, said or forms.require_any(form), was_text=was or None)

    async def _conflicting(
        self, ask: PanelRequest, fields: list[Field], form: Any, row: Row, conflict: Conflict, held: dict[str, Any]
    ) -> Response:
        """The same form with everything he typed, and beside each field in dispute what it holds by now."""
        current = conflict.params.get("current", {})
        disputed = [each for each in fields if camel(each.key) in current]
        theirs = {each.key: (held[each.key], cell(ask, each, row, self.address(ask))) for each in disputed}
        said = conflict.say(ask.language)
        return await self._show_form(ask, fields, form, row, 409, said, was=held, theirs=theirs)

    def _saved(self, ask: PanelRequest, id: int) -> Response:
        to = f"{self.url('details', global_id(self.model, id))}?saved=1"
        if ask.is_partial:
            return Response(status_code=204, headers={"HX-Redirect": to})
        return RedirectResponse(to, 303)
