"""The limits of the user as bars: what is used of each quota and of the capacity."""

from models import Pool
from resolvers.pool.my_limits import Limits
from resolvers.reading.pages import names_of
from resolvers.runtime.ids import global_id

from ...kit.charts import Bar
from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import gettext as _


async def limit_bars(ask: PanelRequest, limits: Limits) -> list[Bar]:
    """One bar for each limit, linked to the list of what it counts."""
    names = await ask.scope.read(names_of, Pool, [pool for pool, _quota in limits.quotas]) if limits.quotas else {}
    found = []
    for pool, quota in limits.quotas:
        period = {"day": _("today"), "week": _("this week")}[quota.kind]
        label = _("Claimed %(period)s · %(pool)s") % {"period": period, "pool": names.get(pool, "")}
        href = f"{BASE}/pooled/list?f_pool_id={global_id(Pool, pool)}"
        found.append(_bar(ask, label, quota.used, quota.limit, href))
    href = f"{BASE}/customer/list?tab=mine"
    found.append(_bar(ask, _("Capacity"), limits.capacity.held, limits.capacity.limit, href))
    return found


def _bar(ask: PanelRequest, label: str, used: int, limit: int | None, href: str) -> Bar:
    if limit is None:
        return Bar(label, used, number(ask, used), href, 0)
    text = _("%(used)s of %(limit)s") % {"used": number(ask, used), "limit": number(ask, limit)}
    return Bar(label, used, text, href, round(100 * used / limit) if limit else 100)
