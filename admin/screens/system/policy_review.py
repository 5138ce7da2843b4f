"""Before a policy takes effect: what it changes for whom.  And afterwards: every state that there was."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import NotFound, Refusal
from policies.edit import difference
from policies.logic import witness
from policies.review import Change, possible
from policies.saying import sentence_of_others
from resolvers.access import policy_drafts, policy_review, policy_revisions
from resolvers.access.policy_impact import effects
from resolvers.access.policy_review import Review

from ...kit.pages import Page, page_at
from ...kit.panel_request import BASE, PanelRequest, panel_request
from ...kit.translation import Label, gettext

_ = gettext
COUNTED = 12
"""For so many changes the browser has the records counted by itself; for the others when somebody asks."""


class PolicyReview(Page):
    """A draft, as it would take effect."""

    icon, path = "shield-check", "/policy/review"
    title = Label("Review")
    needs = "policy.review"

    @page_at("/policy/review", ("policy", "review"))
    async def show(self, request: Request) -> Response:
        return await self._shown(panel_request(request), request.query_params.get("draft", ""))

    async def _shown(self, ask: PanelRequest, wanted: str, status: int = 200, **more: Any) -> Response:
        workspace = await ask.scope.read(policy_drafts.workspace)
        draft = workspace.draft(wanted)
        context: dict[str, Any] = {
            "desk": workspace,
            "draft": draft,
            "review": None,
            "refused": "",
            "reason": "",
            **more,
        }
        if draft is not None:
            review = await ask.scope.read(policy_review.review_policy, draft.text)
            context |= {"review": review, "told": await self._told(ask, review), "when": _when(ask), "counted": COUNTED}
        return await self.render(ask, "policy_review.html", context, status)

    async def _told(self, ask: PanelRequest, review: Review) -> list[dict[str, Any]]:
        """Each change with what it says and whom it concerns; `effects` are None until somebody has them counted."""
        is_counted = ask.request.query_params.get("count") == "all"
        told = []
        for change in review.changes:
            found = await ask.scope.read(effects, review, change) if is_counted else None
            said = {"change": change, "people": review.people_of(change), "effects": found}
            told.append(said | {"gained": _case(ask, change, change.gained), "lost": _case(ask, change, change.lost)})
        return told

    @page_at("/policy/effect", ("policy", "review"))
    async def effect(self, request: Request) -> Response:
        """The records that one change wins and loses: a piece of the page, counted after it is there."""
        ask, query = panel_request(request), request.query_params
        draft = (await ask.scope.read(policy_drafts.workspace)).draft(query.get("draft", ""))
        if draft is None:
            return await self.render(ask, "policy/effects.html", {"effects": ()})
        review = await ask.scope.read(policy_review.review_policy, draft.text)
        found = [change for place, change in enumerate(review.changes) if str(place) == query.get("change", "")]
        counted = [effect for change in found for effect in await ask.scope.read(effects, review, change)]
        return await self.render(ask, "policy/effects.html", {"effects": counted})

    @page_at("/policy/activate", ("policy", "activate"), "POST")
    async def activate(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        draft, reason, reviewed = (str(form.get(name, "")) for name in ("draft", "reason", "reviewed"))
        if not draft.isdecimal() or len(draft) > 9:
            raise HTTPException(404)
        try:
            number = await ask.scope.run(policy_drafts.activate_policy, int(draft), reason, reviewed)
        except NotFound:
            raise
        except Refusal as refusal:
            return await self._shown(ask, draft, 422, refused=refusal.say(ask.language), reason=reason)
        return RedirectResponse(f"{BASE}/policy/history?done={number}", 303)


class PolicyHistory(Page):
    """Every state of the policy, and the way back."""

    icon, path = "history", "/policy/history"
    title = Label("History of the policy")
    needs = "policy.view"

    @page_at("/policy/history", ("policy", "view"))
    async def show(self, request: Request) -> Response:
        return await self._shown(panel_request(request), request.query_params.get("number", ""))

    async def _shown(self, ask: PanelRequest, wanted: str, status: int = 200, **more: Any) -> Response:
        before = ask.request.query_params.get("before", "")
        last = int(before) if before.isdecimal() and len(before) < 10 else None
        found = await ask.scope.read(policy_revisions.revisions, last)
        context: dict[str, Any] = {"revisions": found, "shown": None, "refused": "", "reason": "", **more}
        if wanted.isdecimal() and len(wanted) < 10:
            shown = await ask.scope.read(policy_revisions.revision, int(wanted))
            workspace = await ask.scope.read(policy_drafts.workspace)
            back = difference(workspace.in_force, shown.text or "")
            context |= {
                "shown": shown,
                "back": back,
                "is_newest": shown.number == workspace.number,
                "newest": workspace.number,
            }
        context["done"] = ask.request.query_params.get("done", "")[:9]
        return await self.render(ask, "policy_history.html", context, status)

    @page_at("/policy/rollback", ("policy", "activate"), "POST")
    async def rollback(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        number, reason, base = (str(form.get(name, "")) for name in ("number", "reason", "base"))
        if not number.isdecimal() or len(number) > 9 or (base and not (base.isdecimal() and len(base) < 10)):
            raise HTTPException(404)
        try:
            made = await ask.scope.run(policy_drafts.rollback_policy, int(number), reason, int(base) if base else None)
        except NotFound:
            raise
        except Refusal as refusal:
            return await self._shown(ask, number, 422, refused=refusal.say(ask.language), reason=reason)
        return RedirectResponse(f"{BASE}/policy/history?done={made}", 303)


def _case(ask: PanelRequest, change: Change, table: int) -> str | None:
    """In which case rights are won or lost, in words; None where none are."""
    found = witness(table, possible(change.objects[0]))
    return None if found is None else _when(ask)(found)


def _when(ask: PanelRequest) -> Any:
    def spoken(words: tuple[str, ...]) -> str:
        joint = _(" and ")
        return joint.join(sentence_of_others(word, ask.language) for word in words) if words else _("always")

    return spoken
