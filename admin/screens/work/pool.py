"""The customer pool as those see it who claim from it: who waits, why, since when and how long yet."""

from typing import Any

from sqlalchemy.orm import Session

from models import Customer
from resolvers.pool import time_in_pool
from resolvers.pool.my_limits import my_limits
from resolvers.reading.pages import Row
from resolvers.runtime.scope import Scope

from ...kit.lists import ListState, Tab
from ...kit.panel_request import PanelRequest
from ...kit.phrases import left, why
from ...kit.translation import Label, gettext
from .customers import CustomerCommands
from .my_limits import shown

_ = gettext


class Pooled(CustomerCommands, model=Customer):
    """Customers nobody works on."""

    slug = "pooled"
    icon, group = "ripple", "work"
    title = Label("Customer pool")
    hint = Label("Customers nobody works on. Claim one and it is yours.")
    empty = Label("Nobody waits here. Customers come back when they are released or neglected.")
    columns = ("number", "name", "pool_id", "stage", "industry", "pooled_at")
    filters = ("pool_id", "stage", "industry", "level", "region", "source", "pooled_at")
    base = {"pool_id": {"is_null": False}, "pooled_at": {"is_null": False}}  # noqa: RUF012  declared as the others
    makes = edits = False
    tabs = (
        Tab("longest", Label("Waiting longest"), lambda _ask: {}, order=(("pooled_at", False),)),
        Tab("newest", Label("Newest"), lambda _ask: {}, order=(("pooled_at", True),)),
        Tab(
            "open",
            Label("Where I may claim"),
            lambda ask: {"pool_id": {"in": sorted(ask.scope.person.member_pools)}},
            order=(("pooled_at", False),),
            needs="customer.claim",
        ),
    )

    def record_url(self, row: Row) -> str:
        return f"{self.url('list').replace('/pooled/list', '/customer/details')}/cus_{row.id}"

    def enrich(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        found = time_in_pool.of(scope, db, [row.id for row in rows])
        return {id: {"why": why(stay), "left": left(stay.days_left(scope.now()))} for id, stay in found.items()}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        return [("why", _("Why it is here")), ("left", _("May stay"))]

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        if not ask.may("customer.claim"):
            return {"standing": []}
        return {"standing": await shown(ask, await ask.scope.read(my_limits))}
