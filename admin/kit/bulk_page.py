"""The bulk change of a list: a form beside every list over records that take part, which works without scripts."""

from typing import Any

from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import BulkChange
from models.errors import Refusal
from models.export import ExportRange
from resolvers.bulk import changing, wanted
from resolvers.bulk.previewing import preview
from resolvers.bulk.wanted import OWNER
from resolvers.records.form_schema import EXTRA_INPUTS
from resolvers.runtime import denials
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from . import form_values, forms
from .bulk_form import NEW_OWNER, RELATED, Filled, filled_in, given_of, mark_of, shown, ways
from .export_form import LONGEST_QUERY, Source
from .export_page import ExportPage
from .fields import Field, Kind
from .finding import Finding, find_typed
from .labels import many
from .lists import ListState
from .once import act_once
from .panel_request import PanelRequest, panel_request
from .routes import BASE, page_route
from .translation import gettext as _


class BulkPage(ExportPage):
    """The button “Change” of a list leads here, with the address of the list and the chosen records."""

    def routes(self) -> list[Any]:
        found = super().routes()
        if self.takes_part:
            return found
        return [x for x in found if x.path != f"/{self.identity}/change"]

    @property
    def takes_part(self) -> bool:
        return bool(getattr(self.model, "in_bulk", False)) and self.offers_edit and self.binned is False

    @property
    def _forms(self) -> Any:
        """The same screen with its forms, which every screen over records has."""
        return self

    def may_change(self, ask: PanelRequest) -> bool:
        """Whether the user is offered the bulk change of this list."""
        return self.takes_part and bool(self.bulk_fields(ask))

    def bulk_fields(self, ask: PanelRequest) -> list[Field]:
        """The fields that the user may set in many records at once; the owner, by a transfer, comes last."""
        may_edit = ask.may(f"{self.module}.edit")
        fields: list[Field] = self._forms.form_fields(ask, creating=False) if may_edit else []
        kinds = (Kind.POINTS, Kind.CONDITION)
        found = [each for each in fields if each.kind not in kinds and each.key not in EXTRA_INPUTS]
        return [*found, NEW_OWNER] if wanted.may_transfer(ask.scope, self.model) else found

    def change_url(self, state: ListState, **more: str) -> str:
        """The form for the list as it is."""
        query = state.url().partition("?")[2]
        named = "&".join(f"{name}={value}" for name, value in more.items())
        query = "&".join(part for part in (query, named) if part)
        return f"{self.url('change')}?{query}" if query else self.url("change")

    @page_route("/change", "edit")
    async def change_page(self, request: Request) -> Response:
        """The form; `field` in the address chooses the field."""
        ask, query = panel_request(request), request.query_params
        await self._check_change(ask)
        asked = QueryParams(query["list"][:LONGEST_QUERY]) if "list" in query else query
        source = await self._source(ask, asked, query.getlist("ids") if query.get("from") == "list" else [])
        return await self._show_change(ask, source, FormData([("field", query.get("field", ""))]))

    @page_route("/change", "edit", "POST")
    async def change_records(self, request: Request) -> Response:
        ask, form = panel_request(request), forms.without_files(await request.form())
        await self._check_change(ask)
        asked = QueryParams(str(form.get("list", ""))[:LONGEST_QUERY])
        source = await self._source(ask, asked, [str(x) for x in form.getlist("ids")])
        do = str(form.get("do", ""))
        return await self._show_change(ask, source, form, do if do in ("preview", "confirm") else "")

    async def _check_change(self, ask: PanelRequest) -> None:
        """Answer 403 to users who may change nothing here; an attempt to change is logged."""
        if self.bulk_fields(ask):
            return
        if ask.request.method == "POST":
            await ask.scope.run(denials.refuse, self.module, "edit")
        raise HTTPException(403)

    async def _show_change(self, ask: PanelRequest, source: Source, form: FormData, do: str = "") -> Response:
        """The form with what was sent, and where that is asked for its preview; or the way to the change that was begun."""
        fields = {each.key: each for each in self.bulk_fields(ask)}
        first = Filled(ExportRange.SELECTION if source.ids else ExportRange.FILTER)
        filled = filled_in(form, first, [*fields])
        field = fields.get(filled.key)
        context: dict[str, Any] = {"source": source, "filled": filled, "problem": "", "found": None, "mark": ""}
        context |= {"form": None, "field": None, "ways": {}}
        if field is not None:
            inputs, finding = await self._bulk_inputs(ask, field, form)
            context |= {"form": inputs, "field": field, "ways": ways(field)}
            if do and not finding.is_open:
                answer = await self._bulk_answer(ask, source, filled, field, inputs, form, do, context)
                if answer is not None:
                    return answer
            finding.fill(inputs)
            await self._forms.offer_chosen(ask, [field], inputs)
        elif do:
            context["problem"] = _("Choose what to change.")
        context |= {
            "fields": fields.values(),
            "chosen": [global_id(self.model, id) for id in source.ids],
            "related": [(kind.module, many(kind)) for kind in RELATED] if self.module == "customer" else [],
            "owner": OWNER,
        }
        return await self.render(ask, "bulk_change.html", context, 422 if context["problem"] else 200)

    async def _bulk_inputs(self, ask: PanelRequest, field: Field, form: FormData) -> tuple[Any, Finding]:
        await ask.load_words({field.dictionary} if field.dictionary else set())
        finding = await find_typed(self.panel, ask, [field], form)
        options = await self._forms.options(ask, [field], creating=False)
        return forms.form_class(ask, [field], options)(finding.data), finding

    async def _bulk_answer(
        self,
        ask: PanelRequest,
        source: Source,
        filled: Filled,
        field: Field,
        inputs: Any,
        form: FormData,
        do: str,
        context: dict[str, Any],
    ) -> Response | None:
        """Preview or begin; None where the form is shown again, with what `context` says."""
        is_valid = filled.how == "clear" or inputs.validate()
        given = given_of(filled, field, form_values.value_of(ask, field, inputs[field.key].data)) if is_valid else None
        if given is None:
            context["problem"] = forms.mistakes_in(inputs) or _("Give the value that the field shall have.")
            return None
        listing = source.listing(filled.range)
        mark = mark_of(listing, given, filled.reason)
        try:
            if do == "confirm" and form.get("mark") == mark:
                return await self._bulk_begun(ask, form, listing, given, filled.reason)
            found = await preview(ask.scope, self.model, listing, given, filled.reason)
            context |= {"found": shown(ask, found), "mark": mark}
        except Refusal as refusal:
            context["problem"] = forms.place_refusal(inputs, refusal, ask.language) or forms.mistakes_in(inputs)
        return None

    async def _bulk_begun(self, ask: PanelRequest, form: FormData, listing: Any, given: Any, reason: str) -> Response:
        def call(scope: Scope) -> Outcome:
            return Outcome([changing.begin(scope, self.model, listing, given, reason)])

        begun = await act_once(ask, form, "bulk.change", {"screen": self.identity}, call, None)
        address = f"{BASE}/bulk/{global_id(BulkChange, begun.ids[0])}"
        if "hx-request" in ask.request.headers:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)
