"""What is left of one's quotas and capacity, as bars."""

from models import Pool
from resolvers.pool.my_limits import Limits
from resolvers.reading.pages import names_of

from ...kit.charts import Bar
from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext as _


async def shown(ask: PanelRequest, stands: Limits) -> list[Bar]:
    """One bar for each limit: how much of it is used, where a click leads."""
    names = await ask.scope.read(names_of, Pool, [pool for pool, _quota in stands.quotas]) if stands.quotas else {}
    found = []
    for pool, quota in stands.quotas:
        period = {"day": _("today"), "week": _("this week")}[quota.kind]
        label = _("Claimed %(period)s · %(pool)s") % {"period": period, "pool": names.get(pool, "")}
        found.append(_bar(ask, label, quota.used, quota.limit, f"/admin/pooled/list?f_pool_id=poo_{pool}"))
    room = stands.capacity
    found.append(_bar(ask, _("Customers held"), room.held, room.limit, "/admin/customer/list?tab=mine"))
    return found


def _bar(ask: PanelRequest, label: str, used: int, limit: int | None, href: str) -> Bar:
    if limit is None:
        return Bar(label, used, number(ask, used), href, 0)
    said = _("%(used)s of %(limit)s") % {"used": number(ask, used), "limit": number(ask, limit)}
    return Bar(label, used, said, href, round(100 * used / limit) if limit else 100)
