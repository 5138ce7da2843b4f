"""The customer pool for users who claim: the customers in it, why, since when and for how long."""

from typing import Any

from sqlalchemy.orm import Session

from models import Customer
from resolvers.pool import time_in_pool
from resolvers.pool.my_limits import my_limits
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.declared import Tab
from ...kit.lists import ListState
from ...kit.panel_request import PanelRequest
from ...kit.phrases import days_left_text, pool_reason
from ...kit.routes import BASE
from ...kit.translation import Label, gettext
from .customer_commands import CustomerCommands
from .limit_bars import limit_bars

_ = gettext


class Pooled(CustomerCommands, model=Customer):
    """The customers in pools."""

    slug, live, imports = "pooled", "pool", "pooled_customer"
    icon, group, position = "ripple", "work", 40
    title = Label("Customer pool")
    hint = Label("Customers nobody works on. Claim one and it is yours.")
    empty = Label("Nobody waits here. Customers come back when they are released or neglected.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    columns = ("number", "name", "pool_id", "stage", "industry", "pooled_at")
    filters = ("pool_id", "stage", "category", "industry", "level", "region", "source", "pooled_at")
    base_filter = {"pool_id": {"is_null": False}, "pooled_at": {"is_null": False}}  # noqa: RUF012  declared like the others
    can_create = can_edit = False
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

    def is_listed(self, ask: PanelRequest) -> bool:
        """Also while nothing lies there, for users who have a seat in a pool."""
        return super().is_listed(ask) or bool(ask.scope.person.pools)

    def record_url(self, row: Row) -> str:
        """The page of the customer, which is that of the main screen."""
        return f"{BASE}/customer/details/{global_id(Customer, row.id)}"

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        found = time_in_pool.of(scope, db, [row.id for row in rows])
        return {
            id: {"why": pool_reason(stay), "left": days_left_text(stay.days_left(scope.now()))}
            for id, stay in found.items()
        }

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        return [("why", _("Why it is here")), ("left", _("May stay"))]

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        if not ask.may("customer.claim"):
            return {"limits": []}
        return {"limits": await limit_bars(ask, await ask.scope.read(my_limits))}
