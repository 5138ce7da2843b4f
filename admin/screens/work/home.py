"""Home: what waits for this person, how much room is left, where his team stands."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models import Customer
from resolvers.pool import workload
from resolvers.pool.my_limits import my_limits
from resolvers.reading.pages import Asked, page
from resolvers.reading.pages import Page as Listed

from ...kit.charts import Bar
from ...kit.fields import field_of
from ...kit.formatting import number, word
from ...kit.pages import Page, page_at
from ...kit.panel_request import BASE, PanelRequest, panel_request
from ...kit.translation import Label, gettext
from .my_limits import shown

_ = gettext
_FEW = Asked(Customer, (), size=6, counts=False)
POOLED: tuple[str, ...] = ("number", "name", "pool_id", "pooled_at")
RECENT: tuple[str, ...] = ("number", "name", "stage", "updated_at")


class Home(Page):
    """The first page, by what one may do."""

    icon, group, path = "home", "work", "/"
    title = Label("Home")

    @page_at("/", ("open", "shows what other screens show, each part under its own right"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        await ask.load_words({"stage"})
        # For the stages every customer is counted; the rest is read meanwhile.
        stages, lists = await gather(self._stages(ask), self._lists(ask))
        return await self.render(ask, "home.html", {**lists, "stages": stages})

    async def _lists(self, ask: PanelRequest) -> dict[str, Any]:
        """All that is quickly read."""
        sees, claims = ask.may("customer.view"), ask.may("customer.claim")
        return {
            "standing": await shown(ask, await ask.scope.read(my_limits)) if claims else [],
            "waiting": await self._pooled(ask, descending=False) if claims else None,
            "arrived": await self._pooled(ask, descending=True) if claims else None,
            "recent": await self._recent(ask) if sees else None,
            "team": await self._team(ask) if ask.may("user.view") and sees else [],
            "address": partial(self.panel.address, ask),
            "customer": Customer,
        }

    async def _pooled(self, ask: PanelRequest, *, descending: bool) -> Any:
        pools = sorted(ask.scope.person.member_pools)
        if not pools:
            return Listed([], None, None, None)
        mine = {"pool_id": {"in": pools}, "pooled_at": {"is_null": False}}
        asked = replace(_FEW, columns=POOLED, filter=mine, order=(("pooled_at", descending),), may=("claim",))
        return await ask.scope.read(page, asked)

    async def _recent(self, ask: PanelRequest) -> Any:
        """One's own customers that were touched last; everybody's for who owns none."""
        touched = replace(_FEW, columns=RECENT, order=(("updated_at", True),))
        found = await ask.scope.read(page, replace(touched, filter={"owner_id": {"eq": ask.scope.me}}))
        return found if found.rows else await ask.scope.read(page, touched)

    async def _stages(self, ask: PanelRequest) -> Sequence[Bar]:
        if not ask.may("customer.view"):
            return []
        counted = await ask.scope.read(workload.by_stage)
        field, found = field_of(Customer, "stage"), []
        order = {key: n for n, key in enumerate(ask.words.get("stage", {}))}
        for key, count in sorted(counted.items(), key=lambda x: order.get(x[0] or "", len(order))):
            label = word(ask, field, key) if key else _("Without a stage")
            href = f"{BASE}/customer/list?f_stage={key}" if key else None
            found.append(Bar(label, count, number(ask, count), href))
        return found

    async def _team(self, ask: PanelRequest) -> Sequence[Bar]:
        rows = await ask.scope.read(workload.of_team)
        found = []
        for x in rows:
            said = number(ask, x.held)
            if x.limit is not None:
                said = _("%(used)s of %(limit)s") % {"used": said, "limit": number(ask, x.limit)}
            share = (round(100 * x.held / x.limit) if x.limit else 100) if x.limit is not None else None
            found.append(Bar(x.name, x.held, said, f"{BASE}/customer/list?f_owner_id=usr_{x.id}", share))
        return found
