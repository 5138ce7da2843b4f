"""The policy for role managers: as a table, field by field, as lines.  Every change goes into a draft."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Refusal
from policies import InvalidPolicy, Snapshot, edit, matrix, parse, saying
from policies.objects import ACTIONS, FIELDS, GROUPS, MODULES, OBJECTS
from policies.saying import Called
from policies.words import SCOPES, STATES
from resolvers.access import branch_names, policy_drafts, policy_review
from resolvers.access.policy_drafts import PolicyWorkspace
from resolvers.runtime.scope import Scope

from ...kit.labels import field_label, namer
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label

TABS = {
    "matrix": (Label("Table"), "columns-3"),
    "fields": (Label("Fields"), "list"),
    "lines": (Label("Lines"), "template"),
}
WORDS = {
    "object": sorted(MODULES | FIELDS.keys()),
    "action": [*ACTIONS, *GROUPS, "*"],
    "scope": [*SCOPES],
    "state": [*STATES],
    "effect": ["allow", "deny"],
}
"""The words of each column of a line, for completion."""
_CONDITIONS = ["any", *(word for state in STATES if state != "any" for word in (state, f"!{state}"))]


class Policy(Page):
    """The policy in force, with the user's draft."""

    icon, group, position, path = "shield-check", "company", 50, "/policy"
    title = Label("Policy")
    hint = Label("Who may do what. A change goes into your draft, and takes effect when you have reviewed it.")
    needs = "policy.view"

    @page_route("/policy", ("policy", "view"))
    async def show(self, request: Request) -> Response:
        return await self._page(panel_request(request), request.query_params)

    async def _page(self, ask: PanelRequest, query: Any, status: int = 200, **more: Any) -> Response:
        workspace = await ask.scope.read(policy_drafts.workspace)
        tab = query.get("tab", "matrix")
        context = {
            "tabs": TABS,
            "tab": tab if tab in TABS else "matrix",
            "workspace": workspace,
            "difference": edit.difference(workspace.in_force, workspace.text),
            "may_edit": ask.may("policy.edit"),
            "problems": self.panel.backend.policy_problems_in(ask.language),
            **self._role(workspace, query),
            **more,
        }
        context |= await self._tab(ask, workspace, context, query)
        return await self.render(ask, "policy.html", context, status)

    def _role(self, workspace: PolicyWorkspace, query: Any) -> dict[str, Any]:
        names = role_names(workspace)
        role = query.get("role", next(iter(names)))
        if role not in names:
            raise HTTPException(404)
        return {"role": role, "names": names, "other": query.get("other", "")}

    async def _tab(
        self, ask: PanelRequest, workspace: PolicyWorkspace, known: dict[str, Any], query: Any
    ) -> dict[str, Any]:
        tab, role = known["tab"], known["role"]
        if tab == "lines":
            return await self._lines(ask, workspace.text, namer(known["names"]))
        book = ask.scope.policy.book
        try:
            policy, base = (Snapshot(text, book=book) for text in (workspace.text, workspace.in_force))
        except InvalidPolicy as failure:
            return {"broken": failure.problems}
        if tab == "fields":
            module = query.get("module", "customer")
            if module not in MODULES:
                raise HTTPException(404)
            with_fields = [x for x in dict.fromkeys(FIELDS.values()) if matrix.fields(policy, base, role, x)]
            return {
                "broken": [],
                "module": module,
                "modules": with_fields,
                "fields": matrix.fields(policy, base, role, module),
                "states": matrix.FIELD_STATES,
            }
        other = query.get("other", "")
        compared = matrix.grid(policy, base, other) if other in (*workspace.roles, "*") and other != role else None
        grid = matrix.grid(policy, base, role)
        return {"broken": [], "grid": grid, "compared": compared, "ladder": matrix.LADDER, "actions": matrix.COLUMNS}

    async def _lines(self, ask: PanelRequest, text: str, named: Callable[[str, str], str]) -> dict[str, Any]:
        problems: list[str] = []
        branches = await ask.scope.read(branch_names.choices)
        called = await ask.scope.read(_called_in, text)
        if ask.may("policy.review"):
            problems = (await ask.scope.read(policy_review.review_policy, text)).problems
        sentences = [(line.number, str(line), _sentence(line, ask.language, named, called)) for line in parse(text)]
        known = {**WORDS, "state": [*STATES, *(x.branch for field in branches.values() for x in field)]}
        return {
            "broken": problems,
            "text": text,
            "sentences": sentences,
            "words": known,
            "branches": {field_label(None, field): list for field, list in branches.items()},
            "modules": [*matrix.modules(), "*"],
            "actions": [*ACTIONS, *GROUPS],
            "scopes": [*SCOPES],
            "conditions": {word: saying.sentence(word, ask.language) for word in _CONDITIONS},
        }

    # -- changing ----------------------------------------------------------------------------------------

    @page_route("/policy/cell", ("policy", "edit"), "POST")
    async def set_cell(self, request: Request) -> Response:
        """Set one cell, or every cell of a row or column."""
        form = await request.form()
        role, cells = str(form.get("role", "")), _cells(form)

        def change(text: str) -> str:
            for object, action, scope in cells:
                text = matrix.with_scope(text, role, object, action, scope)
            return text

        return await self._change(request, form, change)

    @page_route("/policy/field", ("policy", "edit"), "POST")
    async def set_field(self, request: Request) -> Response:
        form = await request.form()
        field, state = str(form.get("field", "")), str(form.get("state", ""))
        if field not in FIELDS or state not in matrix.FIELD_STATES:
            raise HTTPException(422)
        change = partial(matrix.with_field, role=str(form.get("role", "")), field=field, state=state)
        return await self._change(request, form, change)

    @page_route("/policy/copy", ("policy", "edit"), "POST")
    async def copy(self, request: Request) -> Response:
        """Give a role all lines of another role too."""
        form = await request.form()
        change = partial(edit.copied, role=str(form.get("other", "")), other=str(form.get("role", "")))
        return await self._change(request, form, change)

    @page_route("/policy/lines", ("policy", "edit"), "POST")
    async def set_lines(self, request: Request) -> Response:
        form = await request.form()
        text = str(form.get("text", ""))
        return await self._change(request, form, lambda _: text)

    @page_route("/policy/line", ("policy", "edit"), "POST")
    async def add_line(self, request: Request) -> Response:
        """Add a line that was put together of choices, behind the last one of its role."""
        ask, form = panel_request(request), await request.form()
        chosen = {
            name: str(form.get(name, "")) for name in ("role", "object", "action", "scope", "state", "branch", "effect")
        }
        branches = await ask.scope.read(branch_names.choices)
        known = {x.branch for field in branches.values() for x in field} | {""}
        fits = chosen["branch"].removeprefix("!") in known and all(
            chosen[x] in WORDS[x] for x in ("action", "scope", "effect")
        )
        if not (fits and chosen["object"] in OBJECTS and chosen["state"] in _CONDITIONS):
            raise HTTPException(422)
        states = [word for word in (chosen["state"], chosen["branch"]) if word not in ("", "any")]
        columns = (chosen[x] for x in ("role", "object", "action", "scope"))
        line = ", ".join(("p", *columns, "&".join(states) or "any", chosen["effect"]))
        return await self._change(request, form, lambda text: edit.replaced(text, [], [line], chosen["role"]))

    @page_route("/policy/foreign", ("policy", "edit"), "POST")
    async def take_foreign_lines(self, request: Request) -> Response:
        """Take lines that another program has written into the table as a draft."""
        workspace = await panel_request(request).scope.read(policy_drafts.workspace)
        return await self._change(request, await request.form(), lambda text: workspace.foreign or text)

    @page_route("/policy/discard", ("policy", "edit"), "POST")
    async def discard(self, request: Request) -> Response:
        of_system = "system" in await request.form()
        await panel_request(request).scope.run(policy_drafts.discard_draft, of_system=of_system)
        return RedirectResponse(f"{BASE}/policy", 303)

    @page_route("/policy/catch-up", ("policy", "edit"), "POST")
    async def catch_up(self, request: Request) -> Response:
        system = str((await request.form()).get("system", ""))
        await panel_request(request).scope.run(policy_drafts.catch_up, of_system=bool(system))
        which = f"?draft={system}" if system.isdecimal() else ""
        return RedirectResponse(f"{BASE}/policy/review{which}", 303)

    async def _change(self, request: Request, form: FormData, change: Callable[[str], str]) -> Response:
        ask = panel_request(request)
        query = {x: str(form[x]) for x in ("tab", "role", "module", "other") if form.get(x)}
        workspace = await ask.scope.read(policy_drafts.workspace)
        if query.get("role", "*") not in (*workspace.roles, "*"):
            raise HTTPException(422)
        try:
            await ask.scope.run(policy_drafts.change_draft, change)
        except Refusal as refusal:
            return await self._page(ask, query, 422, refused=refusal.say(ask.language))
        return RedirectResponse(f"{BASE}/policy?{urlencode(query)}", 303)


def _cells(form: FormData) -> list[tuple[str, str, str | None]]:
    """(object, action, scope) of the cells that a form sets.  `step` names one cell, `fill` a row, `column` a column."""
    if form.get("column"):
        action, _, scope = str(form["column"]).partition(":")
        modules = [module for module in matrix.modules() if action in matrix.actions_of(module)]
        if not modules or scope not in ("", *matrix.LADDER):
            raise HTTPException(422)
        return [(module, action, scope or None) for module in modules]
    module, _, rest = str(form.get("step") or form.get("fill", "")).partition(":")
    actions = matrix.actions_of(module)
    if form.get("step"):
        action, _, scope = rest.partition(":")
        actions = tuple(x for x in actions if x == action)
    else:
        scope = rest
    if not actions or scope not in ("", *matrix.LADDER):
        raise HTTPException(422)
    return [(module, action, scope or None) for action in actions]


def role_names(workspace: PolicyWorkspace) -> dict[str, str]:
    """Code -> name of each role, with “everybody” as the last."""
    return {**{code: name for code, (_, name) in workspace.roles.items()}, "*": str(Label("Everybody"))}


def _called_in(_scope: Scope, db: Session, text: str) -> Called:
    """What the words of the branches are called that a text names."""
    return branch_names.called(db, branch_names.branches_in(parse(text)))


def _sentence(line: Any, language: str, named: Callable[[str, str], str], called: Called) -> str:
    """What a line says, "" for an unfinished line."""
    try:
        return saying.said(line, language, named, called)
    except (KeyError, ValueError):
        return ""
