"""The review of a draft before it takes effect, and the history of the policy with every revision."""

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import NotFound, Refusal
from policies.edit import difference
from policies.logic import witness
from policies.review import Change, possible
from policies.saying import Called, sentence_of_others
from policies.tables import Table
from resolvers.access import policy_drafts, policy_review, policy_revisions
from resolvers.access.policy_impact import effects
from resolvers.access.policy_review import Review

from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext

_ = gettext
MOST_COUNTED = 12
"""Maximum number of changes whose records the browser has counted by itself; the user may ask for the others."""


class PolicyReview(Page):
    """What a draft changes, for whom."""

    icon, path = "shield-check", "/policy/review"
    title = Label("Review")
    needs = "policy.review"

    @page_route("/policy/review", ("policy", "review"))
    async def show(self, request: Request) -> Response:
        return await self._page(panel_request(request), request.query_params.get("draft", ""))

    async def _page(self, ask: PanelRequest, wanted: str, status: int = 200, **more: Any) -> Response:
        workspace = await ask.scope.read(policy_drafts.workspace)
        draft = workspace.draft(wanted)
        context: dict[str, Any] = {
            "workspace": workspace,
            "draft": draft,
            "review": None,
            "refused": "",
            "reason": "",
            **more,
        }
        if draft is not None:
            review = await ask.scope.read(policy_review.review_policy, draft.text)
            context |= {
                "review": review,
                "described": await self._described(ask, review),
                "when": _when(ask, review.called),
                "names": await ask.scope.read(policy_drafts.role_titles),
                "counted": MOST_COUNTED,
            }
        return await self.render(ask, "policy_review.html", context, status)

    async def _described(self, ask: PanelRequest, review: Review) -> list[dict[str, Any]]:
        """Each change with its meaning and its people.  `effects` is None until the records are counted."""
        is_counted = ask.request.query_params.get("count") == "all"
        described = []
        for change in review.changes:
            found = await ask.scope.read(effects, review, change) if is_counted else None
            cases = {
                "gained": _case(ask, change, change.gained, review),
                "lost": _case(ask, change, change.lost, review),
            }
            described.append({"change": change, "people": review.people_of(change), "effects": found, **cases})
        return described

    @page_route("/policy/effect", ("policy", "review"))
    async def effect(self, request: Request) -> Response:
        """The records that one change wins and loses, as a piece that the page loads afterwards."""
        ask, query = panel_request(request), request.query_params
        draft = (await ask.scope.read(policy_drafts.workspace)).draft(query.get("draft", ""))
        if draft is None:
            return await self.render(ask, "policy/effects.html", {"effects": ()})
        review = await ask.scope.read(policy_review.review_policy, draft.text)
        found = [change for place, change in enumerate(review.changes) if str(place) == query.get("change", "")]
        counted = [effect for change in found for effect in await ask.scope.read(effects, review, change)]
        return await self.render(ask, "policy/effects.html", {"effects": counted})

    @page_route("/policy/activate", ("policy", "activate"), "POST")
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
            return await self._page(ask, draft, 422, refused=refusal.say(ask.language), reason=reason)
        return RedirectResponse(f"{BASE}/policy/history?done={number}", 303)


class PolicyHistory(Page):
    """Every revision of the policy, each of which can be brought back."""

    icon, path = "history", "/policy/history"
    title = Label("History of the policy")
    needs = "policy.view"

    @page_route("/policy/history", ("policy", "view"))
    async def show(self, request: Request) -> Response:
        return await self._page(panel_request(request), request.query_params.get("number", ""))

    async def _page(self, ask: PanelRequest, wanted: str, status: int = 200, **more: Any) -> Response:
        before = ask.request.query_params.get("before", "")
        last = int(before) if before.isdecimal() and len(before) < 10 else None
        found = await ask.scope.read(policy_revisions.revisions, last)
        names = await ask.scope.read(policy_drafts.role_titles)
        context: dict[str, Any] = {
            "revisions": found,
            "names": names,
            "shown": None,
            "refused": "",
            "reason": "",
            **more,
        }
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

    @page_route("/policy/rollback", ("policy", "activate"), "POST")
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
            return await self._page(ask, number, 422, refused=refusal.say(ask.language), reason=reason)
        return RedirectResponse(f"{BASE}/policy/history?done={made}", 303)


def _case(ask: PanelRequest, change: Change, table: Table, review: Review) -> str | None:
    """The case in which rights are won or lost, in words; None if none are."""
    found = witness(table, possible(change.objects[0]))
    return None if found is None else _when(ask, review.called)(found)


def _when(ask: PanelRequest, called: Called) -> Callable[[tuple[str, ...]], str]:
    """A function that puts the conditions of a case into words."""

    def sentence(conditions: tuple[str, ...]) -> str:
        if not conditions:
            return _("always")
        return _(" and ").join(sentence_of_others(each, ask.language, called) for each in conditions)

    return sentence
