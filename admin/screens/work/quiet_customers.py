"""Customers that were not contacted for long: a tab of their list, and their number on Home."""

from collections.abc import Mapping
from typing import Any

from models import Customer
from resolvers.reading.conditions import Asker, Condition, filter_of
from resolvers.reading.pages import ListRequest, count

from ...kit.declared import Tab
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label

DAYS = 30
"""The number of days after which a customer without a contact is quiet."""
MINE_AND_QUIET: Condition = {
    "ownerId": {"eq": "me"},
    "or": [
        {"lastFollowUpAt": {"during": f"more than {DAYS} days ago"}},
        {"lastFollowUpAt": {"during": "never"}},
    ],
}


def _narrowed(ask: PanelRequest) -> Mapping[str, Any]:
    return filter_of(Customer, MINE_AND_QUIET, Asker.of(ask.scope.person, ask.scope.now()))


QUIET_TAB = Tab(
    "quiet",
    Label("Not contacted"),
    _narrowed,
    (("last_follow_up_at", False),),
    empty=Label("You spoke to each of your customers within the last 30 days."),
    condition=MINE_AND_QUIET,
)


async def count_quiet(ask: PanelRequest) -> int:
    """The number of the user's own customers without a contact for DAYS days."""
    found: int = await ask.scope.read(count, ListRequest(Customer, (), filter=_narrowed(ask)))
    return found
