"""Jobs: what runs in the background, how far it is, and why something failed."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Job, User
from models.errors import Refusal
from models.job import JobState
from resolvers.jobs import control
from resolvers.reading.pages import names_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.formatting import badge, number, tone_of
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext

_ = gettext
ON_A_PAGE = 50
"""Number of jobs on a page."""
OPEN = (JobState.WAITING, JobState.RUNNING)
STATES: dict[JobState, Label] = {
    JobState.WAITING: Label("Waiting"),
    JobState.RUNNING: Label("Running"),
    JobState.DONE: Label("Finished"),
    JobState.FAILED: Label("Failed"),
    JobState.CANCELLED: Label("Cancelled"),
}
TABS: dict[str, tuple[Label, tuple[JobState, ...]]] = {
    "": (Label("All jobs"), ()),
    "open": (Label("Waiting and running"), OPEN),
    "failed": (Label("Failed"), (JobState.FAILED,)),
}
CONTROLS: dict[JobState, tuple[tuple[str, Label, str], ...]] = {
    JobState.WAITING: (("cancel", Label("Cancel"), "x"),),
    JobState.RUNNING: (("cancel", Label("Cancel"), "x"),),
    JobState.FAILED: (("retry", Label("Try again"), "restore"),),
    JobState.CANCELLED: (("resume", Label("Resume"), "arrow-right"),),
}
"""State -> (address, label, icon) of what can be done in it."""
USE_CASES: dict[str, Callable[[Scope, int], None]] = {
    "cancel": control.cancel,
    "resume": control.resume,
    "retry": control.retry,
}


class Jobs(Page):
    """Background jobs of the user, or of all users."""

    icon, group, position, path = "clock", "system", 25, "/jobs"
    live = "jobs"
    title, is_named = Label("Jobs"), True
    hint = Label(
        "What runs in the background: releases, reminders, clean-up. You may leave this page; the work goes on."
    )

    @property
    def templates_used(self) -> set[str]:
        return {"jobs.html", "job.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        """The menu leads here for users who see the jobs of others; everybody finds their own by the palette."""
        return ask.may_all("job.view")

    @page_route("/jobs", ("job", "view"))
    async def show(self, request: Request) -> Response:
        ask, asked = panel_request(request), request.query_params
        tab = asked.get("tab", "") if asked.get("tab", "") in TABS else ""
        before = number_of(Job, asked["before"]) if asked.get("before") else None
        rows = await ask.scope.read(control.jobs, states=TABS[tab][1], before=before, first=ON_A_PAGE + 1)
        shown = rows[:ON_A_PAGE]
        more = {"tab": tab, "before": global_id(Job, shown[-1].id)} if len(rows) > ON_A_PAGE else None
        context = {
            "tabs": [(f"{self.url()}?tab={key}" if key else self.url(), key == tab, TABS[key][0]) for key in TABS],
            "jobs": await self._told(ask, shown),
            "older": f"{self.url()}?{urlencode(more)}" if more else "",
        }
        return await self.render(ask, "jobs.html", context)

    @page_route("/jobs/job", ("job", "view"))
    async def details(self, request: Request) -> Response:
        """One job; the list for an address that names none."""
        if "id" not in request.query_params:
            return await self.show(request)
        return await self._details(panel_request(request), request.query_params["id"])

    @page_route("/jobs/cancel", ("job", "edit"), "POST")
    async def cancel(self, request: Request) -> Response:
        return await self._change(request, "cancel")

    @page_route("/jobs/resume", ("job", "edit"), "POST")
    async def resume(self, request: Request) -> Response:
        return await self._change(request, "resume")

    @page_route("/jobs/retry", ("job", "edit"), "POST")
    async def retry(self, request: Request) -> Response:
        return await self._change(request, "retry")

    async def _change(self, request: Request, what: str) -> Response:
        ask, form = panel_request(request), await request.form()
        id = str(form.get("id", ""))[:40]
        try:
            await ask.scope.run(USE_CASES[what], number_of(Job, id))
        except Refusal as refusal:
            return await self._details(ask, id, refusal)
        return RedirectResponse(f"{self.url('job')}?{urlencode({'id': id})}", 303)

    async def _details(self, ask: PanelRequest, id: str, refusal: Refusal | None = None) -> Response:
        row = await ask.scope.read(control.job, number_of(Job, id))
        if row is None:
            raise HTTPException(404)
        (told,) = await self._told(ask, [row])
        error = refusal.say(ask.language) if refusal else ""
        return await self.render(ask, "job.html", {"job": told, "error": error}, 422 if refusal else 200)

    async def _told(self, ask: PanelRequest, rows: list[Job]) -> list[dict[str, Any]]:
        names = await ask.scope.read(_actors, rows)
        return [self._row(ask, row, names) for row in rows]

    def _row(self, ask: PanelRequest, row: Job, names: dict[int, str]) -> dict[str, Any]:
        """A job ready for the page."""
        is_chinese, kind, id = ask.language.startswith("zh"), control.name_of(row.kind), global_id(Job, row.id)
        state = _("Stopping") if row.stopping else str(STATES[row.state])
        return {
            "row": row,
            "id": id,
            "href": f"{self.url('job')}?{urlencode({'id': id})}",
            "name": kind.zh if is_chinese else kind.one,
            "state": badge(state, tone_of(row.state)),
            "is_open": row.state in OPEN,
            "actor": names.get(row.actor_id, "–") if row.actor_id else _("by the clock"),
            "progress": _progress(ask, row),
            "percent": min(100, 100 * (row.done + row.failed) // row.total) if row.total else None,
            "error": row.error_zh if is_chinese else row.error,
            "controls": CONTROLS.get(row.state, ()) if control.may_change(ask.scope, row) and not row.stopping else (),
        }


def _progress(ask: PanelRequest, row: Job) -> str:
    """`1,200 of 20,000 · 3 refused`; nothing for a job that has not begun."""
    if not row.done and not row.failed and row.total is None:
        return ""
    done = number(ask, row.done + row.failed)
    words = _("%(used)s of %(limit)s") % {"used": done, "limit": number(ask, row.total)} if row.total else done
    return words + (" · " + _("%(count)s refused") % {"count": number(ask, row.failed)} if row.failed else "")


def _actors(scope: Scope, db: Session, rows: list[Job]) -> dict[int, str]:
    """User id -> name, of those who started the jobs."""
    return names_of(scope, db, User, sorted({row.actor_id for row in rows if row.actor_id is not None}))
