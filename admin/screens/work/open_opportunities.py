"""Opportunities on Home: the open ones by stage, and those of the user that stand still."""

from collections.abc import Sequence

from models import Opportunity
from resolvers.customers.opportunity_sums import Group, SumsBy, groups
from resolvers.reading.conditions import Condition
from resolvers.reading.pages import ListRequest, Page, page

from ...kit.charts import Bar
from ...kit.fields import field_of
from ...kit.formatting import number, word
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext as _
from .list_links import list_of
from .opportunities import OPEN as OPEN_STATES
from .opportunities import stale as is_stale

OPEN: Condition = {"state": {"in": OPEN_STATES}}
SHOWN: tuple[str, ...] = ("name", "customer_id", "stale_at")
MOST = 6
"""Maximum number of opportunities on Home."""


async def stale(ask: PanelRequest) -> Page | None:
    """The opportunities of the user that stand still, for longest first; None for a user who sees none at all."""
    if not ask.may("opportunity.view"):
        return None
    mine = {**is_stale(ask), "owner_id": {"eq": ask.scope.me}}
    found: Page = await ask.scope.read(
        page, ListRequest(Opportunity, SHOWN, filter=mine, order=(("stale_at", False),), size=MOST)
    )
    return found


async def funnel(ask: PanelRequest) -> Sequence[Bar]:
    """Open opportunities by stage, in the order of the dictionary, each with the list of exactly these."""
    if not ask.may("opportunity.view"):
        return []
    await ask.load_words({"opportunity_stage"})
    found: list[Group] = await ask.scope.read(groups, SumsBy.STAGE, OPEN)
    place = {key: n for n, key in enumerate(ask.words.get("opportunity_stage", {}))}
    return [_bar(ask, each) for each in sorted(found, key=lambda x: place.get(x.key or "", len(place)))]


def _bar(ask: PanelRequest, found: Group) -> Bar:
    label = word(ask, field_of(Opportunity, "stage"), found.key) if found.key else _("Without a stage")
    narrow: Condition = {"stage": {"eq": found.key} if found.key else {"isNull": True}}
    return Bar(label, found.open, number(ask, found.open), list_of("opportunity", {**OPEN, **narrow}))
