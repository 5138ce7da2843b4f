"""Why: what somebody may do with a record and what stands against it, line for line; and who else may."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ENTITIES, Entity, User
from models.errors import Refusal
from policies import matrix
from policies.lines import parse
from policies.objects import FIELDS
from policies.saying import said, sentence, sentence_of_others
from resolvers.access import explain, policy_drafts
from resolvers.runtime.ids import BY_PREFIX, number_of

from ...kit.labels import namer
from ...kit.pages import Page, page_at
from ...kit.panel_request import BASE, PanelRequest, panel_request
from ...kit.translation import Label

OWN = ("open", "explains one's own rights on what one sees")


class Simulator(Page):
    """What would happen if this person did that to this record."""

    icon, path = "help", "/policy/simulator"
    title = Label("Simulator")
    hint = Label("Choose a person, a record and an action: every line that speaks about it says why, or why not.")
    needs = "policy.view"

    @page_at("/policy/simulator", ("policy", "view"))
    async def show(self, request: Request) -> Response:
        ask, query = panel_request(request), request.query_params
        context: dict[str, Any] = {
            "query": query,
            "told": None,
            "casbin": None,
            "who": None,
            "refused": "",
            "actions": [],
            "fields": [],
        }
        model, id = record_of(query.get("record", ""))
        action, field = query.get("action", "view"), query.get("field", "") or None
        if model is not None:
            context["actions"] = matrix.actions_of(model.module)
            context["fields"] = [x.partition(".")[2] for x, module in FIELDS.items() if module == model.module]
            try:
                if person := number_of(User, query.get("person", "")):
                    told = await ask.scope.read(explain.explain_access, person, action, model, id, field)
                    context |= {"told": told, "casbin": await explain.verdict_of_casbin(ask.scope, told)}
                context["who"] = await ask.scope.read(explain.who_can_access, model, id, action)
            except Refusal as refusal:
                context["refused"] = refusal.say(ask.language)
        names = await ask.scope.read(policy_drafts.role_titles)
        context |= {
            "module": model.module if model else "",
            "spoken": _spoken(ask, names),
            "roles": [names.get(code, code) for code in sorted(context["told"].person.roles)]
            if context["told"]
            else [],
            "action": action,
            "field": field,
        }
        context["needed"] = lambda reason: sentence_of_others(reason.missing, ask.language)
        return await self.render(ask, "policy_simulator.html", context)


class Why(Page):
    """What I may do with a record that I see, and why not the rest."""

    icon, path = "help", "/why"
    title = Label("What may I do here?")

    @page_at("/why", OWN)
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        if not (record := request.query_params.get("record", "")):
            return RedirectResponse(f"{BASE}/", 303)
        model, id = record_of(record)
        if model is None:
            raise HTTPException(404)
        me, asked = ask.scope.me, explain.explain_access
        told = [await ask.scope.read(asked, me, action, model, id) for action in matrix.actions_of(model.module)]
        helpers = await ask.scope.read(explain.whom_to_ask)
        back = self.panel.address(ask, model, id)
        context = {
            "told": told,
            "spoken": _spoken(ask, await ask.scope.read(policy_drafts.role_titles)),
            "helpers": helpers,
            "back": back,
            "model": model,
        }
        context["needed"] = lambda reason: sentence(reason.missing, ask.language)
        return await self.render(ask, "why.html", context)


def record_of(text: str) -> tuple[type[Entity] | None, int]:
    """The kind of record that a global id means, and its number; None for what is no id."""
    model = BY_PREFIX.get(text.strip().partition("_")[0])
    found = next((entity for entity in ENTITIES if entity is model), None)
    return (found, number_of(found, text.strip())) if found is not None else (None, 0)


def _spoken(ask: PanelRequest, names: Mapping[str, str]) -> Any:
    """A line of the policy as a sentence in the reader's language."""
    return lambda text: said(parse(text)[0], ask.language, namer(names))
