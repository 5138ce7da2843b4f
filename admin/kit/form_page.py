"""What the forms of a screen have in common: their fields, how they are shown, and where a refusal appears."""

import json
from typing import Any, ClassVar

from starlette.responses import RedirectResponse, Response

from models.custom_field import is_custom
from models.errors import Refusal
from resolvers.reading.pages import Row
from resolvers.records.form_schema import settable
from resolvers.runtime.ids import global_id

from . import form_values, forms
from .book import custom_keys
from .fields import Field, Kind, input_of, word_of
from .finding import Finding
from .formatting import word_label
from .panel_request import PanelRequest
from .screen import Screen, names_in
from .translation import gettext as _

Options = dict[str, list[tuple[str, str]]]
"""Field -> (value, label) of its choices, for fields with a plain list instead of a search."""


class FormPage(Screen):
    """A form holds the fields that the user may set.  A refusal appears beside the field that it is about."""

    create_template: ClassVar[str] = "form.html"
    """The template of the form of a new record."""
    edit_template: ClassVar[str] = "form.html"
    """The template of the form of a record that is there."""

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """The fields that the user may set in some record."""
        known = (*settable(self.model, creating=creating), *custom_keys(self.model))
        keys = [key for key in dict.fromkeys(known) if self.is_offered(ask, key, creating=creating)]
        ordered = [key for _label, section in self.sections for key in section if key in keys]
        return [input_of(self.model, key) for key in [*ordered, *(key for key in keys if key not in ordered)]]

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        return self.is_seen(ask, key) and (creating or ask.edits(self.module, word_of(key)))

    def form_sections(self, fields: list[Field]) -> list[tuple[str, list[str]]]:
        keys = [field.key for field in fields]
        named = [(str(label), [key for key in section if key in keys]) for label, section in self.sections]
        own = [key for key in keys if is_custom(key)]
        rest = [key for key in keys if key not in own and not any(key in section for _label, section in named)]
        ordered = [*named[:1], (_("More about it"), own), *named[1:], ("", rest)]
        return [(label, section) for label, section in ordered if section]

    async def options(self, ask: PanelRequest, fields: list[Field], *, creating: bool) -> Options:
        """The fields that offer a plain list instead of a search."""
        return {}

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        """What the template of a special form needs."""
        return {}

    async def _form_class(self, ask: PanelRequest, fields: list[Field], *, creating: bool) -> type[forms.PanelForm]:
        return forms.form_class(ask, fields, await self.options(ask, fields, creating=creating))

    async def _show_form(
        self,
        ask: PanelRequest,
        fields: list[Field],
        form: Any,
        row: Row | None,
        *,
        was: str = "",
        status: int = 200,
        error: str = "",
        finding: Finding | None = None,
        **more: Any,
    ) -> Response:
        """The form as a page, for a new record if `row` is None.  `was`: the text of `form_values.snapshot` when it opened."""
        if finding is not None:
            finding.fill(form)
        await self.offer_chosen(ask, fields, form)
        context = {
            "form": form,
            "fields": {field.key: field for field in fields},
            "sections": self.form_sections(fields),
            "row": row,
            "id": global_id(self.model, row.id) if row else None,
            "name": self.name_of(row) if row else None,
            "error": error,
            "was": was or form_values.snapshot(fields, {}),
            "version": row["version"] if row else None,
            "points": forms.PointsInput.kinds,
            **more,
        }
        context |= await self.form_extra(ask, row)
        template = self.edit_template if row else self.create_template
        return await self.render(ask, template, context, status)

    async def offer_chosen(self, ask: PanelRequest, fields: list[Field], form: Any) -> None:
        """Add an option for the value that an input holds already: an archived word, or a record found by search."""
        for field in fields:
            if field.kind is Kind.WORD_LIST:
                _offer_held(ask, field, form[field.key])
            held = form[field.key].data if field.kind in (Kind.RECORD, Kind.WORDS) else None
            if not held or held in dict(form[field.key].choices):
                continue
            if field.kind is Kind.WORDS:
                known = ask.words.get(field.dictionary or "", {}).get(held)
                label = word_label(known) if known else held
            else:
                label = (await ask.scope.read(names_in, field.target, [held])).get(held, "")
            if label:
                form[field.key].choices = [*form[field.key].choices, (held, label)]

    async def _show_refusal(
        self,
        ask: PanelRequest,
        fields: list[Field],
        form: Any,
        row: Row | None,
        refusal: Refusal,
        was: str = "",
        **more: Any,
    ) -> Response:
        message = forms.place_refusal(form, refusal, ask.language) or forms.mistakes_in(form)
        return await self._show_form(ask, fields, form, row, was=was, status=422, error=message, **more)

    def _show_saved(self, ask: PanelRequest, id: int) -> Response:
        """The browser goes to the page of the record, which says that it was saved; from a drawer it stays where it is."""
        to = self.url("details", global_id(self.model, id))
        if not ask.is_partial:
            return RedirectResponse(f"{to}?saved=1", 303)
        event = {"millpond:done": {"message": _("Saved."), "go": None, "refused": 0, "marked": to}}
        return Response(status_code=204, headers={"HX-Trigger": json.dumps(event)})


def _offer_held(ask: PanelRequest, field: Field, given: Any) -> None:
    """Add a choice for each word that a list holds although it is archived; none for a field that the user does not see."""
    known, offered = ask.words.get(field.dictionary or "", {}), dict(given.choices)
    missing = [key for key in given.data or () if key not in offered and (key in known or not is_custom(key))]
    given.choices = [*given.choices, *((key, word_label(known[key]) if key in known else key) for key in missing)]
