"""Saved views of a list: their tabs, the form that saves, shares and deletes them, and their counts."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from cachetools import TTLCache
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from models import ENTITIES, Department, Role, SavedView
from models.errors import NotFound, Refusal
from models.saved_view import SAVED_VIEW
from resolvers.reading.pages import MOST_COUNTED
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope
from resolvers.views import saved_views as use_cases
from resolvers.views.saved_views import View
from resolvers.views.settings import ViewSettings

from .form_values import whole_number
from .lists import ListState
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .screen import Screen

MOST_COUNTS = 12
"""Maximum number of views whose records are counted for one page."""
STEPS = {"earlier": -1, "later": 1}
"""Button -> by how many places it moves the tab of a view."""
SECONDS = 30
"""How long a count is shown: pages that follow one another count once."""


class ViewPage(Screen):
    """A view is an address: `?view=viw_3`.  What the address says beside it is a change that can be saved."""

    async def show_list(self, ask: PanelRequest, status: int = 200, **more: Any) -> Response:
        raise NotImplementedError

    def list_state(self, ask: PanelRequest, saved: View | None) -> ListState:
        raise NotImplementedError

    async def views_for(self, ask: PanelRequest) -> list[View]:
        """The views of this list that the user has, their own first; none for a list under another address."""
        if self.model not in ENTITIES or self.slug or self.is_whole:
            return []
        return await ask.scope.read(use_cases.saved_views, self.model)

    def view_in(self, ask: PanelRequest, views: Sequence[View]) -> View | None:
        """The view that the address names."""
        id = number_of(SavedView, ask.request.query_params.get("view", ""))
        return next((view for view in views if view.id == id), None)

    def view_url(self, view: View) -> str:
        return f"{self.url('list')}?view={global_id(SavedView, view.id)}"

    def view_id(self, view: View) -> str:
        return global_id(SavedView, view.id)

    @page_route("/views", "view", "POST")
    async def change_view(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        views = await self.views_for(ask)
        saved = self.view_in(ask, views)
        try:
            id = await self._change(ask, self.list_state(ask, saved), views, form)
        except Refusal as refusal:
            error, typed = refusal.say(ask.language), str(form.get("name", ""))[:200]
            return await self.show_list(ask, 422, view_error=error, typed=typed)
        return RedirectResponse(f"{self.url('list')}?view={global_id(SavedView, id)}" if id else self.url("list"), 303)

    async def _change(self, ask: PanelRequest, state: ListState, views: Sequence[View], form: FormData) -> int:
        """Do what the button asks for; the id of the view to show, 0 for none.  Raises Refusal."""
        saved = state.saved
        run, do, name = ask.scope.run, str(form.get("do", "")), str(form.get("name", ""))[:200]
        if do == "new":
            return await run(use_cases.save_view, self.model, name, state.settings())
        if saved is None:
            raise NotFound(what=SAVED_VIEW)
        if do == "save":
            settings, version = state.settings(), whole_number(str(form.get("version", "")))
            return await run(use_cases.save_view, self.model, saved.name, settings, id=saved.id, version=version)
        if do == "rename":
            return await run(use_cases.save_view, self.model, name, _stored(saved), id=saved.id)
        if do in STEPS:
            place = [view.id for view in views if view.is_mine].index(saved.id) if saved.is_mine else 0
            more = {"id": saved.id, "position": max(0, place + STEPS[do])}
            return await run(use_cases.save_view, self.model, saved.name, _stored(saved), **more)
        if do == "share":
            await run(_share, saved.id, form)
        if do == "delete":
            await run(use_cases.delete_view, saved.id)
            return 0
        return saved.id

    @page_route("/view-counts", "view")
    async def view_counts(self, request: Request) -> Response:
        """Global id of a view -> its count as text, of the first MOST_COUNTS views, for the page to put into its tabs."""
        ask = panel_request(request)
        views, person = (await self.views_for(ask))[:MOST_COUNTS], ask.scope.person
        who = person.id, ask.scope.policy, person.roles, person.departments, person.pools
        known = {
            view.id: text for view in views if (text := self._counts.get((*who, view.id, view.version))) is not None
        }
        counted = await ask.scope.read(_counted, [view for view in views if view.id not in known])
        self._counts.update({(*who, view.id, view.version): counted[view.id] for view in views if view.id in counted})
        counts = {global_id(SavedView, id): text for id, text in {**known, **counted}.items()}
        return JSONResponse(counts, headers={"cache-control": "no-store"})

    @cached_property
    def _counts(self) -> TTLCache[Any, str]:
        """The counts of the last seconds, each for a user with their rights."""
        return TTLCache(4_000, ttl=SECONDS)

    async def share_choices(self, ask: PanelRequest) -> dict[str, list[tuple[str, str]]]:
        """The roles and departments with which the user may share: those that they see."""
        return await share_choices(ask)


async def share_choices(ask: PanelRequest) -> dict[str, list[tuple[str, str]]]:
    """The roles and departments with which the user may share what they keep: those that they see."""
    return await ask.scope.read(_grantees) if ask.may("user.share_views") else {}


def _stored(saved: View) -> ViewSettings:
    return saved.settings


def _share(scope: Scope, id: int, form: FormData) -> None:
    roles, departments = ([number_of(of, str(x)) for x in form.getlist(name)] for of, name in ((Role, "role"), (Department, "department")))  # fmt: skip
    use_cases.share_view(scope, id, everyone=form.get("everyone") == "y", roles=roles, departments=departments)


def _counted(scope: Scope, db: Session, views: Sequence[View]) -> dict[int, str]:
    """View -> its count."""
    found = {}
    for view in views:
        try:
            count = use_cases.count(scope, db, view)
        except Refusal:
            continue  # the budget of searches is spent
        found[view.id] = f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
    return found


def _grantees(scope: Scope, db: Session) -> dict[str, list[tuple[str, str]]]:
    chinese = scope.language.startswith("zh")
    roles = db.execute(select(Role.id, Role.name, Role.name_zh).where(Role.deleted_at.is_(None)).order_by(Role.name))
    departments = (
        select(Department.id, Department.name).where(Department.deleted_at.is_(None)).order_by(Department.path)
    )
    return {
        "role": [(global_id(Role, id), (zh if chinese and zh else name)) for id, name, zh in roles],
        "department": [(global_id(Department, id), name) for id, name in db.execute(departments)],
    }
