"""A new record: a form derived from the fields of its model, shown by GET and saved by POST."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import KeyReused, Refusal
from resolvers.reading.offers import may_create
from resolvers.reading.pages import ListRequest, one, parent_of
from resolvers.records import create_update
from resolvers.runtime import denials
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from . import form_values, forms
from .fields import Field, Kind
from .finding import find_typed
from .form_page import FormPage
from .once import act_once
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .translation import gettext as _


class CreatePage(FormPage):
    """The form of a new record."""

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        """The defaults of a new form."""
        values: dict[str, Any] = {}
        for field in self.form_fields(ask, creating=True):
            column = self.model.__table__.c.get(field.key)
            if column is not None and column.default is not None:
                values[field.key] = column.default.arg if column.default.is_scalar else None
        return values

    async def named_values(self, ask: PanelRequest, fields: Sequence[Field]) -> dict[str, str]:
        """The records that the address of the form names, and their parents: a contact and with it the customer."""
        records = {field.key: field.target for field in fields if field.kind is Kind.RECORD and field.target}
        named = {key: id for key in records if (id := ask.request.query_params.get(key, ""))}
        for key, id in [*named.items()]:
            parent = parent_of(records[key])
            if parent is not None and parent[1] in records and parent[1] not in named:
                row = await ask.scope.read(one, ListRequest(records[key], (parent[1],)), number_of(records[key], id))
                named |= {parent[1]: global_id(parent[0], row[parent[1]])} if row and row[parent[1]] else {}
        return named

    def creation_values(self, typed: dict[str, Any]) -> dict[str, Any]:
        """What the use case takes, out of what was typed.  Raises Validation."""
        return typed

    @page_route("/create", "create")
    async def show_new(self, request: Request) -> Response:
        ask = panel_request(request)
        if not await may_create(ask.scope, self.model, {}):
            raise HTTPException(403)
        fields = self.form_fields(ask, creating=True)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        form_class = await self._form_class(ask, fields, creating=True)
        named = await self.named_values(ask, fields)
        form = form_class(data={**self.initial_values(ask), **named})
        return await self._show_form(ask, fields, form, None, fixed=named.keys())

    @page_route("/create", "create", "POST")
    async def save_new(self, request: Request) -> Response:
        ask = panel_request(request)
        if not ask.may(f"{self.module}.create"):
            await ask.scope.run(denials.refuse, self.module, "create")
            raise HTTPException(403)
        fields = self.form_fields(ask, creating=True)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        finding = await find_typed(self.panel, ask, fields, forms.without_files(await request.form()))
        data = finding.data
        form = (await self._form_class(ask, fields, creating=True))(data)
        fixed = (await self.named_values(ask, fields)).keys()
        if finding.is_open:
            return await self._show_form(ask, fields, form, None, finding=finding, fixed=fixed)
        if not form.validate():
            await self._judge_new(ask, fields, form)
            return await self._show_form(
                ask, fields, form, None, status=422, error=forms.mistakes_in(form), fixed=fixed
            )
        typed = {
            key: value for key, value in form_values.values_of(ask, fields, form).items() if value not in (None, [])
        }

        try:
            return await self.create(ask, data, typed)
        except KeyReused:
            again = _("This form was saved already. To add another record with these values, save again.")
            return await self._show_form(ask, fields, form, None, status=422, error=again, fixed=fixed)
        except Refusal as refusal:
            return await self._show_refusal(ask, fields, form, None, refusal, fixed=fixed)

    async def _judge_new(self, ask: PanelRequest, fields: list[Field], form: forms.PanelForm) -> None:
        """Let the use case name what is wrong with the values that the form could read, so that all is told at once."""
        read = [field for field in fields if not form[field.key].errors]
        typed = {key: value for key, value in form_values.values_of(ask, read, form).items() if value not in (None, [])}
        try:
            found = await ask.scope.run(create_update.wrong_in, self.model, self.creation_values(typed))
        except Refusal as refusal:
            found = refusal.all
        forms.place_others(form, found, ask.language)

    async def create(self, ask: PanelRequest, data: FormData, typed: dict[str, Any]) -> Response:
        """Create the record of what was typed, once, and answer.  Raises its Refusal, KeyReused among them."""

        def create(scope: Scope) -> Outcome:
            return single(create_update.create(scope, self.model, self.creation_values(typed)))

        created = await act_once(ask, data, f"{self.module}.create", {"screen": self.identity}, create, self.model)
        return self._show_saved(ask, created.ids[0])
