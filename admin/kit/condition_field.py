"""A field that holds a condition about customers: built on a page of its own, shown as a sentence."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Customer
from models.errors import Validation
from resolvers.reading.conditions import checked
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id

from . import form_values
from .book import held_book
from .condition_address import SAFE, condition_in
from .condition_form import kept_in
from .condition_words import words_for
from .fields import Field, Kind
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .search_page import Builder
from .short_json import written
from .translation import gettext as _
from .view import PolicyModelView

FIELD = "condition"


async def in_words(ask: PanelRequest, text: str | None) -> str:
    """The sentence of a stored condition, "" for none.  One about custom fields that the reader does not see says that."""
    condition = _read(text)
    if not condition:
        return _("It asks about fields that you do not see.") if text and text != "{}" else ""
    return (await words_for(ask, Customer, condition)).sentence(Customer, condition)


def _read(text: str | None) -> dict[str, Any]:
    """The condition of a text that a form may have brought, {} for one that cannot be said in words."""
    try:
        found: dict[str, Any] = json.loads(text or "{}")
        checked(Customer, found, book=held_book())
    except (Validation, ValueError, RecursionError):
        return {}
    return found


class HoldsCondition(PolicyModelView):
    """The base of screens over records with a condition.  Their form leads to the builder, which leads back to it."""

    def keys(self) -> list[str]:
        return [key for key in super().keys() if key != FIELD]  # noqa: SIM118  a method of screens, no dictionary

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        return super().initial_values(ask) | self._built(ask)

    def _built(self, ask: PanelRequest) -> dict[str, Any]:
        """The condition of the address, which the builder has made."""
        condition, _error = condition_in(ask, Customer, ask.request.query_params.get(FIELD, ""))
        return {FIELD: json.dumps(condition, ensure_ascii=False)} if condition else {}

    @page_route("/edit/{id}", "edit")
    async def show_edit(self, request: Request) -> Response:
        ask = panel_request(request)
        edited = await self._load_edited(ask)
        form_class = await self._form_class(ask, edited.fields, creating=False)
        was = form_values.snapshot(edited.fields, edited.values)
        values = edited.values | self._built(ask)
        return await self._show_form(ask, edited.fields, form_class(data=values), edited.row, was=was)

    @page_route("/condition", "view")
    async def condition_page(self, request: Request) -> Response:
        """The builder.  `for` in the address is the record whose condition it is."""
        ask = panel_request(request)
        id = request.query_params.get("for", "")
        form = self.url("edit", id) if id else self.url("create")
        title = _("Which customers?")
        return await self.build(
            ask, Builder(Customer, self.url("condition"), form, partial(self._back, ask, form), title)
        )

    def _back(self, ask: PanelRequest, form: str, condition: Mapping[str, Any]) -> Response:
        kept = [(name, text) for name, text in kept_in(ask.request.query_params) if name != "for"]
        address = f"{form}?{urlencode([*kept, (FIELD, written(condition))], safe=SAFE)}"
        if "hx-request" in ask.request.headers:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)

    async def _show_form(
        self, ask: PanelRequest, fields: list[Field], form: Any, row: Row | None, **more: Any
    ) -> Response:
        """The form with the sentence of the condition that it holds, and the address of its builder."""
        if any(field.kind is Kind.CONDITION for field in fields):
            text = form[FIELD].data
            shown = {"said": await in_words(ask, text), "to": self._builder(ask, text, row)}
            more["conditions"] = {FIELD: shown}
        return await super()._show_form(ask, fields, form, row, **more)

    def _builder(self, ask: PanelRequest, text: str | None, row: Row | None) -> str:
        condition = _read(text)
        given = [("for", global_id(self.model, row.id))] if row is not None else []
        given += [(name, x) for name, x in ask.request.query_params.multi_items() if name in ("pool_id", "user_id")]
        given += [("c", written(condition))] if condition else []
        return f"{self.url('condition')}?{urlencode(given, safe=SAFE)}"
