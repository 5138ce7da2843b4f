"""The tab of a customer that says why it was assigned to whom automatically."""

from dataclasses import dataclass
from typing import Any

from models import Customer, Pool
from resolvers.pool.decisions import DecisionShown, decisions_of
from resolvers.reading.pages import Row, names_of

from ...kit.declared import RecordScreen, Related
from ...kit.formatting import moment, number
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext as _


@dataclass(frozen=True, kw_only=True)
class AssignmentTab(Related):
    """Every automatic assignment of a customer, with its candidates for those who may assign."""

    template: str = "related/assignment.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return ask.sees(Customer.module, "owner")

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        found = await ask.scope.read(decisions_of, row.id)
        pools = await ask.scope.read(names_of, Pool, sorted({x.pool_id for x in found})) if found else {}
        return {"decisions": [_shown(ask, x, pools.get(x.pool_id)) for x in found]}


def _shown(ask: PanelRequest, x: DecisionShown, pool: str | None) -> dict[str, Any]:
    chosen = (x.chosen_name or _("not visible to you")) if x.chosen is not None else None
    return {
        "at": moment(ask, x.at) if x.at is not None else "",
        "chosen": chosen,
        "pool": pool or _("not visible to you"),
        "strategy": choice_label(x.strategy),
        "by_clock": x.actor_id is None,
        "candidates": [
            {
                "name": each.name or _("not visible to you"),
                "is_chosen": each.user_id == x.chosen,
                "reason": choice_label(each.reason),
                "load": _load(ask, each.held, each.limit),
                "weight": number(ask, each.weight),
            }
            for each in sorted(x.candidates, key=lambda each: each.user_id != x.chosen)
        ],
    }


def _load(ask: PanelRequest, held: int | None, limit: int | None) -> str:
    if held is None:
        return "–"
    return number(ask, held) if limit is None else f"{number(ask, held)} / {number(ask, limit)}"
