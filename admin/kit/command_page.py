"""Commands of a screen: the dialog before, the use case, and what became of each record."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import Refusal, ShareFirst
from resolvers.reading.pages import one
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of

from . import form_values, forms
from .commands import DETAIL, LIST, Command
from .fields import Field
from .finding import find_typed
from .form_page import FormPage, Options
from .panel_request import PanelRequest, panel_request
from .routes import PageRoute
from .screen import names_in
from .translation import gettext as _
from .translation import ngettext

MOST_RECORDS = 1_000
"""Maximum number of records of one command."""
MOST_NAMED = 3
"""Maximum number of records that the message after a command names."""


class CommandPage(FormPage):
    """GET shows the dialog, POST runs the command; a GET changes nothing."""

    def routes(self) -> list[PageRoute]:
        return [*super().routes(), *(route for each in self.commands for route in self._command_routes(each))]

    def _command_routes(self, which: Command) -> tuple[PageRoute, PageRoute]:
        module, _dot, verb = which.action.partition(".")
        show, run = partial(type(self).show_command, which=which), partial(type(self).run_command, which=which)
        return (
            PageRoute(f"/{self.identity}/ask/{which.name}", ("GET",), (module, verb), show),
            PageRoute(f"/{self.identity}/do/{which.name}", ("POST",), (module, verb), run),
        )

    async def command_fields(self, ask: PanelRequest, which: Command, ids: list[int]) -> tuple[Field, ...]:
        """What the dialog of a command asks for, about these records and this user."""
        return which.fields

    async def command_options(self, ask: PanelRequest, which: Command, ids: list[int]) -> Options:
        """The fields of a dialog that offer a plain list instead of a search."""
        return {}

    async def show_command(self, request: Request, which: Command) -> Response:
        """The dialog of a command: its fields, or the question whether to go on."""
        ask = panel_request(request)
        if not ask.may(which.action):
            raise HTTPException(403)
        query = request.query_params
        ids = _ids_in(query.getlist("one") or query.getlist("ids"))
        fields, form = await self._command_form(ask, which, ids)
        return await self._show_command(ask, which, fields, ids, form(), query.get("from", LIST))

    async def run_command(self, request: Request, which: Command) -> Response:
        """Run the command, and report what became of each record unless its method answers itself."""
        ask = panel_request(request)
        data = forms.without_files(await request.form())
        ids = _ids_in([str(text) for text in data.getlist("one") or data.getlist("ids")])
        fields, form_class = await self._command_form(ask, which, ids)
        finding = await find_typed(self.panel, ask, fields, data)
        data, form, origin = finding.data, form_class(finding.data), str(data.get("from", LIST))
        show_again = partial(self._show_command, ask, which, fields, ids, form, origin)
        if finding.is_open:
            finding.fill(form)
            return await show_again()
        if message := _mistake(which, ids, data, form):
            return await show_again(422, message)
        names = {} if which.answers else await ask.scope.read(names_in, self.model, ids)
        numbers, given = [number_of(self.model, id) for id in ids], form_values.values_of(ask, fields, form)
        try:
            result = await which.run(self, ask, data, numbers, given)
        except Refusal as refusal:
            message = forms.place_refusal(form, refusal, ask.language) or forms.mistakes_in(form)
            return await show_again(422, message)
        if isinstance(result, Response):
            return result
        return await self._report(ask, which, result, names, origin)

    async def _command_form(
        self, ask: PanelRequest, which: Command, ids: list[str]
    ) -> tuple[tuple[Field, ...], type[forms.PanelForm]]:
        numbers = [number_of(self.model, id) for id in ids]
        fields = await self.command_fields(ask, which, numbers)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        return fields, forms.form_class(ask, fields, await self.command_options(ask, which, numbers))

    async def _show_command(
        self,
        ask: PanelRequest,
        which: Command,
        fields: tuple[Field, ...],
        ids: list[str],
        form: Any,
        origin: str,
        status: int = 200,
        error: str = "",
    ) -> Response:
        await self.offer_chosen(ask, list(fields), form)
        names = await ask.scope.read(names_in, self.model, ids)
        context = {
            "command": which,
            "form": form,
            "fields": {field.key: field for field in fields},
            "ids": ids,
            "names": [names[id] for id in ids if id in names],
            "error": error,
            "origin": origin,
            "points": (),
        }
        return await self.render(ask, "command.html", context, status)

    async def _report(
        self, ask: PanelRequest, which: Command, outcome: Outcome, names: Mapping[str, str], origin: str
    ) -> Response:
        """The number of records that are done and, reason by reason, which others were refused."""
        refused = list(_alike(outcome.problems, names, ask.language))
        message = _summary(which, len(outcome.ids), len(outcome.problems))
        message = " ".join([message, *(note.say(ask.language) for note in outcome.notes)])
        next_page = await self._next_page(ask, outcome, origin)
        done = await self._done_records(ask, outcome, names)
        context = {
            "command": which,
            "message": message,
            "done": done,
            "refused": refused,
            "next_page": next_page or self.url("list"),
            "rules": await self.explain(ask, which, outcome),
        }
        if not ask.is_partial:
            return await self.render(ask, "results.html", context)
        response = await self.render(ask, "results.html", context) if refused else Response(status_code=204)
        told = {"message": message, "go": next_page, "refused": len(outcome.problems), "records": done}
        event = {"millpond:done": told}
        response.headers["HX-Trigger"] = json.dumps(event)
        return response

    async def _done_records(
        self, ask: PanelRequest, outcome: Outcome, names: Mapping[str, str]
    ) -> list[dict[str, str | None]]:
        """Name and address of the first records that are done; no address for one that the user no longer sees."""
        ids = [global_id(self.model, id) for id in outcome.ids[:MOST_NAMED]]
        seen = await ask.scope.read(names_in, self.model, ids)
        address = self.address(ask)
        return [
            {
                "name": seen.get(id) or names[id],
                "href": address(self.model, number_of(self.model, id)) if id in seen else None,
            }
            for id in ids
            if id in seen or id in names
        ]

    async def explain(self, ask: PanelRequest, which: Command, outcome: Outcome) -> list[tuple[str, bool, str]]:
        """(rule, whether it passed, explanation) of every rule about a single record that was refused."""
        return []

    async def _next_page(self, ask: PanelRequest, outcome: Outcome, origin: str) -> str | None:
        """For a command on the page of a record: that page, or the list if the user no longer sees the record."""
        if origin != DETAIL or len(outcome.ids) != 1:
            return None
        row = await ask.scope.read(one, replace(self.record_request(), may=()), outcome.ids[0])
        return self.url("list") if row is None else self.url("details", global_id(self.model, row.id))


def _mistake(which: Command, ids: list[str], data: FormData, form: forms.PanelForm) -> str:
    """The sentence about a form that cannot be run; "" for one that can."""
    if not ids:
        return _("Nothing is selected.")
    if which.typed and str(data.get("typed", "")).strip() != str(which.typed):
        return _("Type “%(word)s” to go on.") % {"word": which.typed}
    return "" if form.validate() else forms.mistakes_in(form)


def _summary(which: Command, done: int, refused: int) -> str:
    message = str(which.label) + _(": ") + ngettext("%(num)s done", "%(num)s done", done) % {"num": done}
    if refused:
        declined = ngettext("%(num)s refused", "%(num)s refused", refused) % {"num": refused}
        message = _("%(done)s, %(refused)s") % {"done": message, "refused": declined}
    return message


def _alike(
    problems: Sequence[Refusal], names: Mapping[str, str], language: str
) -> Iterator[tuple[list[str], str, list[str]]]:
    """(names of records, why they were refused, customers to share first) for each reason once.

    One record keeps its name in the sentence.
    """
    reasons: dict[str, list[Refusal]] = {}
    for refusal in problems:
        reasons.setdefault(refusal.say_of_many(language), []).append(refusal)
    for sentence, refused in reasons.items():
        known = [name for x in refused if (name := names.get(x.record_id or "", ""))]
        to_share = dict.fromkeys(x.params["customer_id"] for x in refused if isinstance(x, ShareFirst))
        yield known, sentence if len(refused) > 1 else refused[0].say(language), list(to_share)


def _ids_in(texts: list[str]) -> list[str]:
    """The ids that the request names, each once."""
    return list(dict.fromkeys(text for text in texts if text))[:MOST_RECORDS]
