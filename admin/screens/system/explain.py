"""Explanations of the policy: whether a user may do something to a record, by which lines, and which users may."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ENTITIES, Entity, User
from models.errors import Refusal
from policies import matrix
from policies.lines import parse
from policies.objects import FIELDS
from policies.saying import Called, said, sentence, sentence_of_others
from resolvers.access import explain, policy_drafts
from resolvers.access.branch_names import called_in_force
from resolvers.runtime.ids import BY_PREFIX, number_of

from ...kit.finding import find
from ...kit.labels import namer
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.screen import names_in
from ...kit.translation import Label

OWN = ("open", "explains the rights of the user on records that they see")


class Simulator(Page):
    """Whether a person may do something to a record, and by which lines."""

    icon, path = "help", "/policy/simulator"
    title = Label("Simulator")
    hint = Label("Choose a person, a record and an action: every line that speaks about it says why, or why not.")
    needs = "policy.view"

    @page_route("/policy/simulator", ("policy", "view"))
    async def show(self, request: Request) -> Response:
        ask, query = panel_request(request), request.query_params
        found = await find(self.panel, ask, query, "person", User)
        chosen = found.best or query.get("person", "")
        model, id = record_of(query.get("record", ""))
        action, field = query.get("action", "view"), query.get("field", "") or None
        told = await self._explained(ask, chosen, action, model, id, field) if model is not None else {}
        names = await ask.scope.read(policy_drafts.role_titles)
        called = await ask.scope.read(names_in, User, [chosen]) if chosen else {}
        words = await ask.scope.read(called_in_force)
        explained = told.get("explained")
        context: dict[str, Any] = {
            **dict.fromkeys(("explained", "casbin", "who")),
            "refused": "",
            "actions": [],
            "fields": [],
            **told,
            "query": query,
            "found": found,
            "module": model.module if model else "",
            "sentence_of": _sentences(ask, names, words),
            "roles": [names.get(code, code) for code in sorted(explained.person.roles)] if explained else [],
            "action": action,
            "field": field,
            "person": (chosen, called[chosen]) if chosen in called else None,
            "condition_of": lambda reason: sentence_of_others(reason.missing, ask.language, words),
        }
        return await self.render(ask, "policy_simulator.html", context)

    async def _explained(
        self, ask: PanelRequest, chosen: str, action: str, model: type[Entity], id: int, field: str | None
    ) -> dict[str, Any]:
        """What may be asked of a record of this kind, and the answer, or the sentence why there is none."""
        fields = [x.partition(".")[2] for x, module in FIELDS.items() if module == model.module]
        fields += [x.word for x in ask.scope.policy.book.of(model.module)]
        told: dict[str, Any] = {"actions": matrix.actions_of(model.module), "fields": fields}
        try:
            if person := number_of(User, chosen):
                explained = await ask.scope.read(explain.explain_access, person, action, model, id, field)
                told |= {"explained": explained, "casbin": await explain.verdict_of_casbin(ask.scope, explained)}
            told["who"] = await ask.scope.read(explain.who_can_access, model, id, action)
        except Refusal as refusal:
            told["refused"] = refusal.say(ask.language)
        return told


class Why(Page):
    """What the user may do to a record that they see, and why not the rest."""

    icon, path = "help", "/why"
    title = Label("What may I do here?")

    @page_route("/why", OWN)
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        if not (record := request.query_params.get("record", "")):
            return RedirectResponse(f"{BASE}/", 303)
        model, id = record_of(record)
        if model is None:
            raise HTTPException(404)
        me, actions = ask.scope.me, matrix.actions_of(model.module)
        explanations = [await ask.scope.read(explain.explain_access, me, each, model, id) for each in actions]
        helpers = await ask.scope.read(explain.whom_to_ask)
        back = self.panel.address(ask, model, id)
        words = await ask.scope.read(called_in_force)
        context = {
            "explanations": explanations,
            "sentence_of": _sentences(ask, await ask.scope.read(policy_drafts.role_titles), words),
            "helpers": helpers,
            "back": back,
            "model": model,
        }
        context["condition_of"] = lambda reason: sentence(reason.missing, ask.language, words)
        return await self.render(ask, "why.html", context)


def record_of(text: str) -> tuple[type[Entity] | None, int]:
    """The kind of record of a global id, and its number; None and 0 for a text that is no id."""
    model = BY_PREFIX.get(text.strip().partition("_")[0])
    found = next((entity for entity in ENTITIES if entity is model), None)
    return (found, number_of(found, text.strip())) if found is not None else (None, 0)


def _sentences(ask: PanelRequest, names: Mapping[str, str], words: Called) -> Callable[[str], str]:
    """A function that puts a line of the policy into a sentence in the language of the user."""
    return lambda text: said(parse(text)[0], ask.language, namer(names), words)
