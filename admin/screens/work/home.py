"""Home: agenda, pools and limits of the user, their month, stages of customers and opportunities, load of the team."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models import Customer, Plan, User
from resolvers.access.explain import whom_to_ask
from resolvers.people import view_as
from resolvers.pool import workload
from resolvers.pool.my_limits import my_limits
from resolvers.reading import pages
from resolvers.reading.pages import ListRequest
from resolvers.runtime.ids import global_id

from ...kit.charts import Bar
from ...kit.fields import field_of
from ...kit.formatting import number
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext
from .agenda import agenda
from .falling_customers import falling_days
from .first_steps import shown_steps
from .limit_bars import limit_bars
from .my_month import my_month
from .open_opportunities import funnel, stale
from .quiet_customers import count_quiet
from .word_bars import branch_bars, word_bars

_ = gettext
SHORT = ListRequest(Customer, (), size=6, counts=False)
"""The request of a short list, without its columns."""
NEWS = timedelta(days=2)
"""Time for which Home tells a user who viewed as them."""
POOLED: tuple[str, ...] = ("number", "name", "pool_id", "pooled_at")
RECENT: tuple[str, ...] = ("number", "name", "stage", "updated_at")


class Home(Page):
    """The first page: each part under its own right."""

    icon, group, position, path = "home", "work", 10, "/"
    title = Label("Home")

    @page_route("/", ("open", "shows what other screens show, each part under its own right"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        await ask.load_words({"stage", "category"})
        # The stages count every customer, so the rest is read at the same time.
        stages, lists = await gather(self._stages(ask), self._lists(ask))
        return await self.render(ask, "home.html", {**lists, **stages})

    async def _lists(self, ask: PanelRequest) -> dict[str, Any]:
        """Every part that is read quickly."""
        sees, claims = ask.may("customer.view"), ask.may("customer.claim")
        return {
            "steps": await shown_steps(ask),
            "roleless": not ask.scope.person.roles,
            "whom": [] if ask.scope.person.roles else await ask.scope.read(whom_to_ask),
            "views": await ask.scope.read(view_as.views_of_me, NEWS),
            "limits": await limit_bars(ask, await ask.scope.read(my_limits)) if claims else [],
            "waiting": await self._pooled(ask, descending=False) if claims else None,
            "arrived": await self._pooled(ask, descending=True) if claims else None,
            "agenda": await agenda(ask),
            "plan_model": Plan,
            "quiet": await count_quiet(ask) if sees else 0,
            "recent": await self._recent(ask) if sees else None,
            "falling": await falling_days(ask) if sees else [],
            "stale": await stale(ask),
            "funnel": await funnel(ask),
            "month": await my_month(ask),
            "team": await self._team(ask) if ask.may("user.view") and sees else [],
        }

    async def _pooled(self, ask: PanelRequest, *, descending: bool) -> pages.Page:
        """The customers that are in the user's pools for longest, or for the shortest time."""
        pools = sorted(ask.scope.person.member_pools)
        if not pools:
            return pages.Page([], None, None, None)
        mine = {"pool_id": {"in": pools}, "pooled_at": {"is_null": False}}
        wanted = replace(SHORT, columns=POOLED, filter=mine, order=(("pooled_at", descending),), may=("claim",))
        found: pages.Page = await ask.scope.read(pages.page, wanted)
        return found

    async def _recent(self, ask: PanelRequest) -> pages.Page:
        """The user's own customers that were changed last, or all customers if the user owns none."""
        changed = replace(SHORT, columns=RECENT, order=(("updated_at", True),))
        found: pages.Page = await ask.scope.read(
            pages.page, replace(changed, filter={"owner_id": {"eq": ask.scope.me}})
        )
        return found if found.rows else await ask.scope.read(pages.page, changed)

    async def _stages(self, ask: PanelRequest) -> dict[str, Sequence[Bar]]:
        if not ask.may("customer.view"):
            return {}
        stages, categories = await ask.scope.read(workload.by_words)
        return {
            "stages": word_bars(ask, field_of(Customer, "stage"), stages, _("Without a stage")),
            "categories": branch_bars(ask, field_of(Customer, "category"), categories),
        }

    async def _team(self, ask: PanelRequest) -> Sequence[Bar]:
        rows = await ask.scope.read(workload.of_team)
        found = []
        for x in rows:
            text = number(ask, x.held)
            if x.limit is not None:
                text = _("%(used)s of %(limit)s") % {"used": text, "limit": number(ask, x.limit)}
            share = (round(100 * x.held / x.limit) if x.limit else 100) if x.limit is not None else None
            found.append(Bar(x.name, x.held, text, f"{BASE}/customer/list?f_owner_id={global_id(User, x.id)}", share))
        return found
