"""A new record: a form derived from the fields of its model, shown by GET and saved by POST."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import Refusal
from resolvers.reading.offers import may_create
from resolvers.records import create_update
from resolvers.runtime import denials

from . import form_values, forms
from .fields import Kind
from .form_page import FormPage
from .panel_request import PanelRequest, panel_request
from .routes import page_route


class CreatePage(FormPage):
    """The form of a new record."""

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        """The values of a new form: what its address names, like the customer of a new contact, and the defaults."""
        values: dict[str, Any] = {}
        for field in self.form_fields(ask, creating=True):
            named = ask.request.query_params.get(field.key)
            if named and field.kind is Kind.RECORD:
                values[field.key] = named
            elif (column := self.model.__table__.c.get(field.key)) is not None and column.default is not None:
                values[field.key] = column.default.arg if column.default.is_scalar else None
        return values

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
        return await self._show_form(ask, fields, form_class(data=self.initial_values(ask)), None)

    @page_route("/create", "create", "POST")
    async def save_new(self, request: Request) -> Response:
        ask = panel_request(request)
        if not ask.may(f"{self.module}.create"):
            await ask.scope.run(denials.refuse, self.module, "create")
            raise HTTPException(403)
        fields = self.form_fields(ask, creating=True)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        form = (await self._form_class(ask, fields, creating=True))(forms.without_files(await request.form()))
        if not form.validate():
            return await self._show_form(ask, fields, form, None, status=422, error=forms.mistakes_in(form))
        typed = {
            key: value for key, value in form_values.values_of(ask, fields, form).items() if value not in (None, [])
        }
        try:
            return await self.create(ask, typed)
        except Refusal as refusal:
            return await self._show_refusal(ask, fields, form, None, refusal)

    async def create(self, ask: PanelRequest, typed: dict[str, Any]) -> Response:
        """Create the record of what was typed, and answer.  Raises its Refusal."""
        created = await ask.scope.run(create_update.create, self.model, self.creation_values(typed))
        return self._show_saved(ask, created.id)
