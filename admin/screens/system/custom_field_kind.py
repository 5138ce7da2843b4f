"""Another kind for a custom field: what it would do, and doing it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import CustomField
from models.custom_field import CHOICES, CustomKind
from models.errors import Refusal
from resolvers.reading.pages import Row, one
from resolvers.records.custom_conversion import convertible, model_of
from resolvers.records.custom_kinds import change_kind, preview_kind
from resolvers.runtime.ids import global_id

from ...kit.fields import DICTIONARIES
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import gettext as _
from ...kit.view import PolicyModelView


class ChangesKind(PolicyModelView):
    """The page of a screen over custom fields on which one gets another kind."""

    @page_route("/kind/{id}", "edit")
    async def show_kind(self, request: Request) -> Response:
        ask, query = panel_request(request), request.query_params
        return await self._show_kind(ask, query.get("kind", ""), query.get("dictionary", "")[:40])

    @page_route("/kind/{id}", "edit", "POST")
    async def change_kind(self, request: Request) -> Response:
        """Change the kind as it was shown; what stands in the way now is said on the same page."""
        ask, form = panel_request(request), await request.form()
        said, dictionary = str(form.get("kind", "")), str(form.get("dictionary", ""))[:40]
        kind, id = _kind(said), self._record_id(request)
        if kind is None:
            return await self._show_kind(ask, said, dictionary)
        try:
            await ask.scope.run(change_kind, id, kind, _fit(kind, dictionary))
        except Refusal as refusal:
            return await self._show_kind(ask, said, dictionary, refusal)
        return RedirectResponse(f"{self.url('details', global_id(CustomField, id))}?saved=1", 303)

    async def _show_kind(
        self, ask: PanelRequest, said: str, dictionary: str, refusal: Refusal | None = None
    ) -> Response:
        row = await ask.scope.read(one, self.record_request(), self._record_id(ask.request))
        if row is None:
            raise HTTPException(404)
        if "edit" not in row.may or row["deleted_at"]:
            raise HTTPException(403)
        kind, error, found = _kind(said), refusal.say(ask.language) if refusal else "", None
        if kind is not None and refusal is None:
            try:
                found = await ask.scope.read(preview_kind, row.id, kind, _fit(kind, dictionary))
            except Refusal as why:
                error = why.say(ask.language)
        elif said and kind is None:
            error = _("Choose a kind.")
        await ask.load_words({DICTIONARIES})
        context = {
            "row": row,
            "id": global_id(CustomField, row.id),
            "name": self.name_of(row),
            "kinds": _kinds(row),
            "kind": kind,
            "dictionary": dictionary,
            "dictionaries": ask.words[DICTIONARIES].values(),
            "found": found,
            "stuck": [(x, self._address(ask, row, x.id) if x.name else None) for x in (found.stuck if found else ())],
            "error": error,
        }
        return await self.render(ask, "custom_field_kind.html", context, 422 if error else 200)

    def _address(self, ask: PanelRequest, row: Row, id: int) -> Any:
        return self.address(ask)(model_of(str(row["for_module"])), id)


def _kind(said: str) -> CustomKind | None:
    return CustomKind(said) if said in tuple(CustomKind) else None


def _fit(kind: CustomKind, dictionary: str) -> str | None:
    return dictionary or None if kind in CHOICES else None


def _kinds(row: Row) -> list[CustomKind]:
    """The kinds into which its values may come, a choice of other options among them."""
    kind = CustomKind(row["kind"])
    return [*convertible(kind), *([kind] if kind in CHOICES else [])]
