"""The value of a customer above its page: what it brought, what it may bring, and when it bought last."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from models import Customer
from resolvers.customers.opportunity_sums import of_customer
from resolvers.reading.conditions import Condition
from resolvers.runtime.ids import global_id

from ...kit.formatting import NOTHING, moment, number
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext as _
from .list_links import list_of
from .open_opportunities import OPEN


@dataclass(frozen=True)
class Figure:
    """A figure with its label, and the list of the records behind it, if there are any."""

    label: str
    value: Markup
    href: str | None


async def value_of(ask: PanelRequest, id: int) -> list[Figure]:
    """The figures of a customer; none for a user who may not see opportunities."""
    if not ask.may("opportunity.view"):
        return []
    sums = await ask.scope.read(of_customer, id)
    mine: Condition = {"customerId": {"eq": global_id(Customer, id)}}
    won, open_ones = (list_of("opportunity", {**mine, **state}) for state in ({"state": {"eq": "WON"}}, OPEN))
    last = moment(ask, sums.last_deal_at) if sums.last_deal_at is not None else NOTHING
    return [
        _figure(_("Won"), amounts(ask, sums.won), won),
        _figure(_("In progress"), amounts(ask, sums.open), open_ones),
        *([_figure(_("In progress, weighted"), amounts(ask, sums.weighted), open_ones)] if sums.weighted else []),
        _figure(_("Last deal"), last, won),
    ]


def _figure(label: str, value: Markup, href: str) -> Figure:
    return Figure(label, value, href if value is not NOTHING else None)


def amounts(ask: PanelRequest, found: Mapping[str, Decimal]) -> Markup:
    """Amounts of several currencies side by side: `CNY 1,200.00 · EUR 30.00`."""
    shown = [Markup('<span class="amount">%s %s</span>') % (currency, number(ask, x)) for currency, x in found.items()]
    return Markup(" · ").join(shown) if shown else NOTHING
