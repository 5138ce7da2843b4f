"""The tab of a pool with its fairness report; every number links to the list behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from models import Pool, User
from models.errors import Validation
from resolvers.pool.health import COMING, AgeHealth, Health, PersonHealth, may_read, pool_health
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id

from ...kit.charts import Bar
from ...kit.condition_address import SAFE
from ...kit.declared import RecordScreen, Related
from ...kit.formatting import day, number
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.short_json import written
from ...kit.translation import gettext as _

DAYS = 14
"""Days that the report covers at first."""


@dataclass(frozen=True, kw_only=True)
class HealthTab(Related):
    """Who claims how much, what comes and goes, how long it takes, and what lies there, for administrators of the pool."""

    template: str = "related/health.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return "edit" in row.may

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        query = ask.request.query_params
        today = ask.local(ask.scope.now()).date()
        first = _date(query.get("from", "")) or today - timedelta(days=DAYS - 1)
        last = _date(query.get("to", "")) or today
        shown: dict[str, Any] = {"first": first.isoformat(), "last": last.isoformat(), "error": "", "report": None}
        if not await ask.scope.read(may_read, row.id):
            return shown
        try:
            found = await ask.scope.read(pool_health, row.id, first, last)
        except Validation as refusal:
            return shown | {"error": refusal.say(ask.language)}
        return shown | {"report": found, **_charts(ask, found)}


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _charts(ask: PanelRequest, x: Health) -> dict[str, Any]:
    pool = global_id(Pool, x.pool_id)
    return {
        "people": [_person(ask, x, who) for who in x.people],
        "arrived": [
            Bar(day(ask, each.day), each.arrived, number(ask, each.arrived), _pooled(pool, _on(each.day)))
            for each in x.days
            if each.arrived
        ],
        "left": [
            Bar(day(ask, each.day), each.left, number(ask, each.left), _list(claimedAt=_on(each.day)))
            for each in x.days
            if each.left
        ],
        "ages": [
            Bar(_age(each), each.count, number(ask, each.count), _pooled(pool, _since(ask, each))) for each in x.ages
        ],
        "releases": [
            Bar(day(ask, at), count, number(ask, count), _list(releaseDueAt=_on(at)))
            for at, count in x.releases
            if count
        ],
        "coming": COMING,
        "quota": x.daily_quota,
        "assignments": [
            {"strategy": choice_label(each.strategy), "assigned": each.assigned, "nobody": each.nobody}
            for each in x.assignments
        ],
        "median": _time(x.median),
        "ninetieth": _time(x.ninetieth),
    }


def _person(ask: PanelRequest, x: Health, who: PersonHealth) -> Bar:
    """Claims and assignments of a user; the bar is their busiest day beside the daily quota, where there is one."""
    share = None
    if x.daily_quota is not None:
        share = round(100 * who.most / x.daily_quota) if x.daily_quota else 100
    text = f"{number(ask, who.claimed)} + {number(ask, who.assigned)}"
    owner = global_id(User, who.user_id)
    return Bar(
        who.name or _("not visible to you"), who.claimed, text, f"{BASE}/customer/list?f_owner_id={owner}", share
    )


def _age(x: AgeHealth) -> str:
    if x.below is None:
        return _("%(days)s days and more") % {"days": x.days}
    return _("%(from)s to %(to)s days") % {"from": x.days, "to": x.below - 1}


def _time(waited: timedelta | None) -> str:
    if waited is None:
        return "–"
    hours = waited.total_seconds() / 3600
    return (
        _("%(number)s hours") % {"number": f"{hours:.1f}"}
        if hours < 48
        else _("%(number)s days") % {"number": f"{hours / 24:.1f}"}
    )


# --- links -------------------------------------------------------------------------------------------------


def _on(at: date) -> Mapping[str, str]:
    return {"during": f"on {at.isoformat()}"}


def _since(ask: PanelRequest, x: AgeHealth) -> Mapping[str, str]:
    now = ask.scope.now()
    until = {"lte": (now - timedelta(days=x.days)).isoformat()}
    return until if x.below is None else {**until, "gt": (now - timedelta(days=x.below)).isoformat()}


def _pooled(pool: str, when: Mapping[str, str]) -> str:
    condition = {"poolId": {"in": [pool]}, "pooledAt": when}
    return f"{BASE}/pooled/list?{urlencode([('c', written(condition))], safe=SAFE)}"


def _list(**condition: Mapping[str, str]) -> str:
    return f"{BASE}/customer/list?{urlencode([('c', written(condition))], safe=SAFE)}"
