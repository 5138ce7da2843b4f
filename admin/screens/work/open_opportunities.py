"""Opportunities that are open, and those that nobody has changed for long: tabs of their list, and parts of Home."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Opportunity
from resolvers.customers import open_opportunities, stale_opportunities
from resolvers.reading.conditions import Asker, Condition, filter_of
from resolvers.reading.pages import ListRequest, Page, page

from ...kit.charts import Bar
from ...kit.declared import Tab
from ...kit.fields import field_of
from ...kit.formatting import number, word
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext
from .list_links import list_of

_ = gettext
SHOWN: tuple[str, ...] = ("name", "customer_id", "updated_at")
MOST = 6
"""Maximum number of opportunities on Home."""


def _narrowed(condition: Condition, ask: PanelRequest) -> Mapping[str, Any]:
    return filter_of(Opportunity, condition, Asker.of(ask.scope.person, ask.scope.now()))


OPEN_TAB = Tab(
    "open",
    Label("In progress"),
    lambda ask: _narrowed(open_opportunities.OPEN, ask),
    (("expected_close", False),),
    condition=open_opportunities.OPEN,
)
STALE_TAB = Tab(
    "stale",
    Label("Without progress"),
    lambda ask: _narrowed(stale_opportunities.MY_STALE, ask),
    (("updated_at", False),),
    empty=Label("Each of your open opportunities was changed within the last 30 days."),
    condition=stale_opportunities.MY_STALE,
)


async def stale(ask: PanelRequest) -> Page | None:
    """The user's stale opportunities, the one changed longest ago first; None for a user who sees none at all."""
    if not ask.may("opportunity.view"):
        return None
    wanted = ListRequest(
        Opportunity, SHOWN, condition=stale_opportunities.MY_STALE, order=(("updated_at", False),), size=MOST
    )
    found: Page = await ask.scope.read(page, wanted)
    return found


async def funnel(ask: PanelRequest) -> Sequence[Bar]:
    """Open opportunities by stage, in the order of the dictionary, each with the list of exactly these."""
    if not ask.may("opportunity.view"):
        return []
    await ask.load_words({"opportunity_stage"})
    counted = await ask.scope.read(open_opportunities.by_stage)
    field, words = field_of(Opportunity, "stage"), list(ask.words.get("opportunity_stage", {}))
    place = {key: n for n, key in enumerate(words)}
    found = []
    for key, count in sorted(counted.items(), key=lambda x: place.get(x[0] or "", len(place))):
        label = word(ask, field, key) if key else _("Without a stage")
        narrow = {"stage": {"eq": key} if key else {"isNull": True}}
        found.append(Bar(label, count, number(ask, count), list_of("opportunity", narrow)))
    return found
