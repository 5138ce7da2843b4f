"""Commands of a screen: the dialog before, the use case, and what became of each record."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import Refusal
from resolvers.reading.pages import one
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from . import forms
from .commands import DETAIL, LIST, Command
from .form_page import FormPage
from .panel_request import PanelRequest, panel_request
from .screen import names_in
from .translation import gettext as _
from .translation import ngettext


class CommandPage(FormPage):
    """GET asks, POST does; nothing is ever done by a GET."""

    async def command_options(
        self, ask: PanelRequest, which: Command, ids: list[int]
    ) -> dict[str, list[tuple[str, str]]]:
        """The choices of a dialog's fields that are offered as a plain list."""
        return {}

    async def ask_command(self, request: Request, which: Command) -> Response:
        """The dialog of a command: what it asks for, or whether one is sure."""
        ask = panel_request(request)
        if not ask.may(which.action):
            raise HTTPException(403)
        ids = _ids_in(request.query_params.getlist("one") or request.query_params.getlist("ids"))
        form = await self._command_form(ask, which, ids)
        return await self._show_command(ask, which, ids, form())

    async def do_command(self, request: Request, which: Command) -> Response:
        """Do it, and say what became of each record."""
        ask = panel_request(request)
        data = forms.posted(await request.form())
        ids = _ids_in([str(text) for text in data.getlist("one") or data.getlist("ids")])
        form = (await self._command_form(ask, which, ids))(data)
        if not ids:
            return await self._show_command(ask, which, ids, form, 422, _("Nothing is selected."))
        if which.typed and str(data.get("typed", "")).strip() != str(which.typed):
            said = _("Type “%(word)s” to go on.") % {"word": which.typed}
            return await self._show_command(ask, which, ids, form, 422, said)
        if not form.validate():
            return await self._show_command(ask, which, ids, form, 422, forms.require_any(form))
        numbers = [number_of(self.model, text) for text in ids]
        names = await ask.scope.read(names_in, self.model, ids)
        given = forms.values_of(ask, which.fields, form)
        try:
            outcome = await ask.scope.run(self._call(which), numbers, given)
        except Refusal as refusal:
            said = forms.blame(form, refusal, ask.language) or forms.require_any(form)
            return await self._show_command(ask, which, ids, form, 422, said)
        return await self._answer(ask, which, outcome, names, str(data.get("from", LIST)))

    def _call(self, which: Command) -> Callable[[Scope, list[int], Mapping[str, Any]], Outcome]:
        return lambda scope, ids, given: which.call(self, scope, ids, given)

    async def _command_form(self, ask: PanelRequest, which: Command, ids: list[str]) -> type[forms.PanelForm]:
        numbers = [number_of(self.model, text) for text in ids]
        await ask.load_words({each.dictionary for each in which.fields if each.dictionary})
        return forms.form_class(ask, which.fields, await self.command_options(ask, which, numbers))

    async def _show_command(
        self, ask: PanelRequest, which: Command, ids: list[str], form: Any, status: int = 200, error: str = ""
    ) -> Response:
        await self._offer_chosen(ask, list(which.fields), form, None)
        names = await ask.scope.read(names_in, self.model, ids)
        context = {
            "command": which,
            "form": form,
            "fields": {each.key: each for each in which.fields},
            "ids": ids,
            "names": [names[id] for id in ids if id in names],
            "error": error,
            "origin": ask.request.query_params.get("from", LIST),
            "points": (),
        }
        return await self.render(ask, "command.html", context, status)

    async def _answer(
        self, ask: PanelRequest, which: Command, outcome: Outcome, names: Mapping[str, str], origin: str
    ) -> Response:
        """What was done and, record by record, why the rest was not."""
        done = len(outcome.ids)
        message = f"{which.label}: " + ngettext("%(num)s done", "%(num)s done", done) % {"num": done}
        refused = [(names.get(r.record_id or "", ""), r.say(ask.language)) for r in outcome.problems]
        if refused:
            number = len(refused)
            message += ", " + ngettext("%(num)s refused", "%(num)s refused", number) % {"num": number}
        go = await self._where_next(ask, outcome, origin)
        context = {
            "command": which,
            "message": message,
            "refused": refused,
            "go": go or self.url("list"),
            "done": done,
            "why": await self.explain(ask, which, outcome),
        }
        if not ask.is_partial:
            return await self.render(ask, "results.html", context)
        response = await self.render(ask, "results.html", context) if refused else Response(status_code=204)
        told = {"millpond:done": {"message": message, "go": go, "refused": len(refused)}}
        response.headers["HX-Trigger"] = json.dumps(told)
        return response

    async def explain(self, ask: PanelRequest, which: Command, outcome: Outcome) -> list[tuple[str, bool, str]]:
        """Rule by rule, why a single record was refused: (rule, passed, words)."""
        return []

    async def _where_next(self, ask: PanelRequest, outcome: Outcome, origin: str) -> str | None:
        """Back to the list when the record whose page this was is out of sight now; else stay."""
        if origin != DETAIL or len(outcome.ids) != 1:
            return None
        row = await ask.scope.read(one, replace(self.asked_one(), may=()), outcome.ids[0])
        return self.url("list") if row is None else self.url("details", global_id(self.model, row.id))


def _ids_in(texts: list[str]) -> list[str]:
    """The ids that were named, each once."""
    return list(dict.fromkeys(text for text in texts if text))[:1000]
