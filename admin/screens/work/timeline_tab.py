"""The tab with the timeline of a customer: read when it is opened, narrowed by kind, page by page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from models import FollowUp, Plan
from models.errors import NotFound
from resolvers.customers.comments import comments_of
from resolvers.customers.timeline import Event, EventKind, Timeline, timeline
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id

from ...kit.declared import RecordScreen, Related
from ...kit.panel_request import PanelRequest
from ...kit.related import MOST_ROWS
from ...kit.routes import BASE
from ...kit.translation import Label

KINDS = {
    EventKind.FOLLOW_UP: Label("Follow-ups"),
    EventKind.PLAN: Label("Plans"),
    EventKind.OWNERSHIP: Label("Ownership"),
    EventKind.STAGE: Label("Stages"),
    EventKind.EDIT: Label("Edits"),
}
SIGNS = {
    EventKind.FOLLOW_UP: "message-circle",
    EventKind.PLAN: "clock",
    EventKind.OWNERSHIP: "arrows-exchange",
    EventKind.STAGE: "chart-bar",
    EventKind.EDIT: "pencil",
}


@dataclass(frozen=True)
class RelatedTimeline(Related):
    """Everything that happened at a customer, the newest first."""

    template: str = "related/timeline.html"

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        query = ask.request.query_params
        kind = next((each for each in EventKind if each == query.get("kind")), None)
        try:
            found: Timeline = await ask.scope.read(
                timeline, row.id, kinds=[kind] if kind else (), after=query.get("after"), size=MOST_ROWS
            )
        except NotFound:
            return {"events": [], "kinds": [], "next": None, "signs": SIGNS, "comments": {}}
        await ask.load_words({"stage", "industry", "source", "region", "level", "category"})
        ids = [event.id for event in found.events if event.kind is EventKind.FOLLOW_UP]
        narrowed = {"kind": kind.value} if kind else {}
        return {
            "events": [(event, _address(event)) for event in found.events],
            "comments": await ask.scope.read(comments_of, ids) if ids else {},
            "kinds": [("", None, kind is None), *((each.value, KINDS[each], kind is each) for each in KINDS)],
            "next": urlencode({"tab": self.name, **narrowed, "after": found.after}) if found.after else None,
            "signs": SIGNS,
        }


def _address(event: Event) -> str | None:
    """The page of the record that an event is about."""
    if event.kind is EventKind.FOLLOW_UP:
        return f"{BASE}/follow-up/details/{global_id(FollowUp, event.id)}"
    return f"{BASE}/plan/details/{global_id(Plan, event.id)}" if event.kind is EventKind.PLAN else None
