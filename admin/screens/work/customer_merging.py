"""Merging customers: the page with columns side by side, what was done, and its undoing."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Contact, Customer, Entity, MergeRecord, Pool, User
from models.errors import NotFound, Refusal
from resolvers.merging.comparison import PLACE, Comparison, Difference
from resolvers.merging.merge import Choices, check_ids, merge, preview
from resolvers.merging.merges import PastMerge, past_merge
from resolvers.merging.unmerge import unmerge
from resolvers.reading.pages import names_of
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit import forms
from ...kit.commands import LIST, answering_command
from ...kit.fields import field_of
from ...kit.formatting import NOTHING, text
from ...kit.labels import many
from ...kit.once import act_once
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import gettext
from .customer_commands import CustomerCommands

_ = gettext


@dataclass(frozen=True)
class Option:
    """The value of a field in one record, ready for the page."""

    id: str
    value: Markup | str
    may_stay: bool
    is_chosen: bool


@dataclass(frozen=True)
class Line:
    """One field that differs: the name of its radio buttons, its label, and an option for each record."""

    name: str
    label: str
    options: list[Option]


class CustomerMerging(CustomerCommands):
    """The pages of a merge, which a screen over customers adds to its own."""

    @property
    def templates_used(self) -> set[str]:
        return super().templates_used | {"merge.html", "merged.html"}

    @answering_command(icon="copy", action="customer.merge", where=(LIST,), when=lambda row: row["deleted_at"] is None)
    async def merge(self, ask: PanelRequest, ids: list[int], given: Any) -> Response:
        """Go to the page that shows the chosen customers side by side."""
        check_ids(ids[0], ids[1:])
        page = f"{self.url('merge')}?{urlencode([('ids', global_id(Customer, id)) for id in ids])}"
        return (
            Response(status_code=204, headers={"HX-Redirect": page}) if ask.is_partial else RedirectResponse(page, 303)
        )

    @page_route("/merge", "merge")
    async def show_merge(self, request: Request) -> Response:
        ask = _asked_to_merge(request)
        return await self._show_merge(ask, _ids_in(request.query_params.getlist("ids")))

    @page_route("/merge", "merge", "POST")
    async def run_merge(self, request: Request) -> Response:
        """Merge as chosen; a refusal shows the page again, with what was chosen."""
        ask, data = _asked_to_merge(request), forms.without_files(await request.form())
        ids = _ids_in([str(text) for text in data.getlist("ids")])
        choices, reason = _choices(data), str(data.get("reason", "")) or None

        def call(scope: Scope) -> Outcome:
            return Outcome([merge(scope, ids[0], ids[1:], choices, reason).id])

        try:
            outcome = await act_once(ask, data, "customer.merge", {"ids": ids}, call, None)
        except Refusal as refusal:
            return await self._show_merge(ask, ids, data, refusal)
        return RedirectResponse(self.url("merged", global_id(MergeRecord, outcome.ids[0])), 303)

    @page_route("/merged/{id}", "merge")
    async def show_merged(self, request: Request) -> Response:
        """What a merge, or its undoing, has done."""
        return await self._show_merged(_asked_to_merge(request), number_of(MergeRecord, request.path_params["id"]))

    @page_route("/merged/{id}", "merge", "POST")
    async def undo_merge(self, request: Request) -> Response:
        ask, data = _asked_to_merge(request), forms.without_files(await request.form())
        id = number_of(MergeRecord, request.path_params["id"])

        def call(scope: Scope) -> Outcome:
            return Outcome([unmerge(scope, merge_id=id).id])

        try:
            await act_once(ask, data, "customer.unmerge", {"id": id}, call, None)
        except Refusal as refusal:
            return await self._show_merged(ask, id, refusal)
        return RedirectResponse(self.url("merged", global_id(MergeRecord, id)), 303)

    # -- pages -------------------------------------------------------------------------------------------

    async def _show_merge(
        self, ask: PanelRequest, ids: list[int], data: FormData | None = None, refusal: Refusal | None = None
    ) -> Response:
        error, found = refusal, None
        try:
            found = await ask.scope.read(preview, ids[0] if ids else 0, ids[1:])
        except Refusal as closed:
            error = error or closed
        if isinstance(error, NotFound):
            raise HTTPException(404)
        chosen = {key: str(value) for key, value in (data or {}).items()}
        context = {
            "error": error.say(ask.language) if error else "",
            "ids": [global_id(Customer, id) for id in ids],
            "reason": chosen.get("reason", ""),
            "title": _("Merge customers"),
            **(await self._side_by_side(ask, found, chosen) if found else {"customers": ()}),
        }
        return await self.render(ask, "merge.html", context, 422 if error else 200)

    async def _side_by_side(self, ask: PanelRequest, found: Comparison, chosen: dict[str, str]) -> dict[str, Any]:
        await ask.load_words({x.dictionary for x in self.fields(ask) if x.dictionary})
        names = await ask.scope.read(names_of, Customer, [row.id for row in found.customers])
        places = await self._places(ask, found)
        ids = [row.id for row in found.customers]
        short = {id: found.numbers.get(id) or names.get(id, "") for id in ids}
        return {
            "customers": [(global_id(Customer, id), names.get(id, ""), short[id]) for id in ids],
            "lines": [_line(ask, Customer, x, ids, chosen, places) for x in found.differences],
            "people": [
                (
                    person.name,
                    [(id, names.get(id, ""), short[id]) for id in person.customer_ids],
                    [_line(ask, Contact, x, list(person.ids), chosen, {}) for x in person.differences],
                )
                for person in found.people
            ],
        }

    async def _places(self, ask: PanelRequest, found: Comparison) -> dict[tuple[Any, Any], str]:
        """(owner, pool) -> what it is called."""
        places = {(row.owner_id, row.pool_id) for row in found.customers}
        owners = await ask.scope.read(names_of, User, [owner for owner, _pool in places if owner is not None])
        pools = await ask.scope.read(names_of, Pool, [pool for _owner, pool in places if pool is not None])
        return {(owner, pool): owners.get(owner or 0, "") or pools.get(pool or 0, "") for owner, pool in places}

    async def _show_merged(self, ask: PanelRequest, id: int, refusal: Refusal | None = None) -> Response:
        found: PastMerge | None = await ask.scope.read(past_merge, id)
        if found is None:
            raise HTTPException(404)
        names = await ask.scope.read(
            names_of, Customer, [found.winner_id, *(found.loser_ids if found.is_undone else ())]
        )
        context = {
            "merge": found,
            "id": global_id(MergeRecord, id),
            "error": refusal.say(ask.language) if refusal else "",
            "winner": (self.url("details", global_id(Customer, found.winner_id)), names.get(found.winner_id, "")),
            "restored": [
                (self.url("details", global_id(Customer, x)), names[x]) for x in found.loser_ids if x in names
            ],
            "moved": [(many(model), count) for model, count in found.moved.items()],
            "kept": [note.say(ask.language) for note in found.kept],
        }
        return await self.render(ask, "merged.html", context, 422 if refusal else 200)


# --- steps -----------------------------------------------------------------------------------------------


def _asked_to_merge(request: Request) -> PanelRequest:
    """The request of a user who may merge some customers.  Raises HTTPException 403."""
    ask = panel_request(request)
    if not ask.may("customer.merge"):
        raise HTTPException(403)
    return ask


def _ids_in(texts: list[str]) -> list[int]:
    return list(dict.fromkeys(number_of(Customer, text) for text in texts))


def _choices(data: FormData) -> Choices:
    """The choices of the form: `f.stage` is a field, `c.con_3.title` one of a contact that stays."""
    fields: dict[str, int] = {}
    contacts: dict[int, dict[str, int]] = defaultdict(dict)
    for name, given in data.items():
        match name.split("."):
            case ["f", key]:
                fields[key] = number_of(Customer, given)
            case ["c", contact, key]:
                contacts[number_of(Contact, contact)][key] = number_of(Contact, given)
    return Choices(fields, dict(contacts))


def _line(
    ask: PanelRequest,
    model: type[Entity],
    x: Difference,
    ids: list[int],
    chosen: dict[str, str],
    places: dict[tuple[Any, Any], str],
) -> Line:
    """A field that differs.  What the user has chosen before is chosen, else what is proposed."""
    name = f"f.{x.key}" if model is Customer else f"c.{global_id(model, ids[0])}.{x.key}"
    stays = chosen.get(name) or global_id(model, x.proposed)
    label = _("Owner or pool") if x.key == PLACE else str(field_of(model, x.key).label)
    options = [
        Option(global_id(model, id), _shown(ask, model, x, id, places), id in x.choices, global_id(model, id) == stays)
        for id in ids
    ]
    return Line(name, label, options)


def _shown(
    ask: PanelRequest, model: type[Entity], x: Difference, id: int, places: dict[tuple[Any, Any], str]
) -> Markup | str:
    value = x.values.get(id)
    if id in x.hidden:
        return _("hidden")
    if x.key == PLACE:
        return places.get(value or (None, None)) or NOTHING
    return NOTHING if value in (None, "", []) else text(ask, field_of(model, x.key), value)
