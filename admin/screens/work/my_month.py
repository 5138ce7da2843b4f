"""My month on Home: what the user won, entered and followed up this month, beside last month."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import Base, Customer, FollowUp, Opportunity
from resolvers.reading.conditions import Condition
from resolvers.reading.pages import MOST_COUNTED, ListRequest, count
from resolvers.runtime.scope import Scope

from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label
from .list_links import list_of

MINE: Condition = {"ownerId": {"eq": "me"}}
_Figure = tuple[str, str, type[Base], str, Condition]
FIGURES: tuple[_Figure, ...] = (
    (Label("Opportunities won"), "opportunity", Opportunity, "closedOn", {"state": {"eq": "WON"}}),
    (Label("New customers"), "customer", Customer, "createdAt", {}),
    (Label("Follow-ups"), "follow-up", FollowUp, "happenedAt", {}),
)
"""(label, screen, kind of record, the field that dates it, what else holds)."""
MONTHS = ("this month", "last month")


@dataclass(frozen=True)
class Month:
    """One figure of a month, with the list of exactly these records."""

    text: str
    href: str


@dataclass(frozen=True)
class Compared:
    """A figure of this month beside that of last month; `trend`: 1 for more, -1 for less, 0 for as many."""

    label: str
    now: Month
    before: Month
    trend: int


async def my_month(ask: PanelRequest) -> list[Compared]:
    """The figures about kinds of records that the user may see."""
    shown = [x for x in FIGURES if ask.may(f"{x[2].module}.view")]
    wanted = [
        [ListRequest(model, (), condition=_condition(at, more, month)) for month in MONTHS]
        for _label, _screen, model, at, more in shown
    ]
    counts = await ask.scope.read(_counted, wanted)
    return [_compared(ask, *each) for each in zip(shown, wanted, counts, strict=True)]


def _compared(ask: PanelRequest, figure: _Figure, requests: list[ListRequest], counts: list[int]) -> Compared:
    label, screen, *_ = figure
    now, before = (
        Month(_text(ask, n), list_of(screen, each.condition)) for n, each in zip(counts, requests, strict=True)
    )
    return Compared(str(label), now, before, (counts[0] > counts[1]) - (counts[0] < counts[1]))


def _condition(at: str, more: Condition, month: str) -> Condition:
    return {**MINE, **more, at: {"during": month}}


def _counted(scope: Scope, db: Session, wanted: list[list[ListRequest]]) -> list[list[int]]:
    return [[count(scope, db, each) for each in requests] for requests in wanted]


def _text(ask: PanelRequest, count: int) -> str:
    return number(ask, count) if count <= MOST_COUNTED else f"{number(ask, MOST_COUNTED)}+"
