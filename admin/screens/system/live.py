"""The stream of an open page: the number of the bell, what has left the pools, and whether jobs got on."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from models import Customer
from models.errors import FellBehind, NotFound
from models.job import JobState
from resolvers.jobs import control
from resolvers.live.hub import Hub
from resolvers.live.listeners import ANY_COMMIT, MOST_LISTENERS, Change
from resolvers.live.pool_changes import changes_for, not_pooled, visible_pools
from resolvers.notices import inbox
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.pages import Page
from ...kit.panel_request import bell_text, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label

MOST_SHOWN = 200
"""Maximum number of rows of a page that are asked about."""
_OPEN = (JobState.WAITING, JobState.RUNNING)
_UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Live(Page):
    """What open pages listen to."""

    path, title = "/live", Label("Changes")

    @page_route("/live", ("open", "what the pages that the user has open already show"))
    async def show(self, request: Request) -> Response:
        """A stream of server-sent events; nothing for one who does not ask for it, or when all places are taken."""
        hub: Hub | None = self.panel.hub
        if hub is None or "text/event-stream" not in request.headers.get("accept", ""):
            return Response(status_code=204)
        if len(hub.listeners) >= MOST_LISTENERS:
            return Response(status_code=503)
        return StreamingResponse(self._events(request, hub), media_type="text/event-stream", headers=_UNBUFFERED)

    async def _events(self, request: Request, hub: Hub) -> AsyncIterator[str]:
        page, scope = request.query_params.get("of", ""), panel_request(request).scope
        topics = [f"user:{scope.me}"]
        if page == "pool":
            topics += [f"pool:{id}" for id in await scope.read(visible_pools)]
        elif page == "jobs":
            topics.append(ANY_COMMIT)
        told = _Told(page, hub)
        with hub.listeners.listening(topics) as listener:
            for event in await told.first(scope, request.query_params.get("shown", "")):
                yield event
            try:
                async for changes in listener.batches():
                    again: Scope | None = await self.panel.authentication.again(request)
                    if again is None or again.me != scope.me:
                        return
                    for event in await told.since(again, changes):
                        yield event
            except FellBehind:
                return  # the browser asks again, and says what it shows


class _Told:
    """What a page was told last."""

    def __init__(self, page: str, hub: Hub) -> None:
        self.page, self.hub = page, hub
        self.jobs: list[tuple[object, ...]] = []

    async def first(self, scope: Scope, shown: str) -> list[str]:
        """What has changed since the page was made."""
        self.jobs = await self._jobs(scope)
        ids = [id for id in (number_of(Customer, text) for text in shown.split()[:MOST_SHOWN]) if id]
        gone = await scope.read(not_pooled, ids) if ids and self.page == "pool" else []
        return [await _bell(scope), *_left(gone)]

    async def since(self, scope: Scope, changes: list[Change]) -> list[str]:
        """What the changes mean for the page; a comment, by which the connection stays open, for none."""
        events = _left(await _gone(scope, self.hub, changes))
        if any(change.topic.startswith("user:") for change in changes):
            events.append(await _bell(scope))
        if (jobs := await self._jobs(scope)) != self.jobs:
            self.jobs = jobs
            events.append(_event("jobs", "1"))
        return events if events or changes else [": here\n\n"]

    async def _jobs(self, scope: Scope) -> list[tuple[object, ...]]:
        if self.page != "jobs":
            return []
        found = await scope.read(control.jobs, states=_OPEN)
        return [(job.id, job.state, job.done, job.failed, job.total, job.stopping) for job in found]


async def _gone(scope: Scope, hub: Hub, changes: list[Change]) -> list[int]:
    """Customers that have left the pools, as far as the user saw them there."""
    by_pool: dict[int, list[int]] = {}
    for change in changes:
        kind, _, pool = change.topic.partition(":")
        if kind == "pool" and change.record_id is not None:
            by_pool.setdefault(int(pool), []).append(change.record_id)
    here: set[int] = set()
    left: set[int] = set()
    for pool_id, ids in by_pool.items():
        try:
            found = changes_for(scope, await hub.pool_situation(pool_id, sorted({*ids})))
        except NotFound:
            continue
        here.update(found.here)
        left.update(found.left)
    return sorted(left - here)


async def _bell(scope: Scope) -> str:
    return _event("bell", bell_text(await inbox.unread_of(scope)))


def _left(ids: list[int]) -> list[str]:
    return [_event("left", " ".join(global_id(Customer, id) for id in ids))] if ids else []


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
