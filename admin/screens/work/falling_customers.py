"""Customers that go back to a pool soon: a tab of their list, the strip of days on Home, the sentence on their page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from markupsafe import Markup, escape

from models import Customer
from resolvers.pool.countdown import Countdown
from resolvers.pool.release_forecast import forecast
from resolvers.reading.conditions import Asker, Condition, filter_of

from ...kit.declared import Tab
from ...kit.formatting import day, moment, number
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import Label, gettext, ngettext

_ = gettext
DAYS = 14
"""Number of days of the strip on Home."""
SOON = 3
"""Number of days before the release from which on the page warns."""
MINE_AND_FALLING: Condition = {"ownerId": {"eq": "me"}, "releaseDueAt": {"during": "next 30 days"}}


def _narrowed(ask: PanelRequest) -> Mapping[str, Any]:
    return filter_of(Customer, MINE_AND_FALLING, Asker.of(ask.scope.person, ask.scope.now()))


FALLING_TAB = Tab(
    "falling",
    Label("Going back soon"),
    _narrowed,
    (("release_due_at", False),),
    empty=Label("None of your customers goes back to a pool within 30 days."),
    condition=MINE_AND_FALLING,
)


@dataclass(frozen=True)
class StripDay:
    """One day of the strip, with the list behind its number."""

    short: str
    said: str
    count: int
    text: str
    href: str


async def falling_days(ask: PanelRequest) -> list[StripDay]:
    """The next DAYS days with the number of the user's customers that go back; nothing where none does."""
    found = await ask.scope.read(forecast, ask.scope.me, DAYS)
    if not found:
        return []
    today = ask.local(ask.scope.now()).date()
    return [strip_day(ask, today + timedelta(days=n), found.get(today + timedelta(days=n), 0)) for n in range(DAYS)]


def strip_day(ask: PanelRequest, at: date, count: int) -> StripDay:
    """A day of a strip.  Its link leads to the user's customers that go back then."""
    locale = "zh_CN" if ask.language == "zh" else "en_GB"
    short = format_date(at, "M/d" if ask.language == "zh" else "d MMM", locale)
    href = f"{BASE}/customer/list?f_owner_id=me&f_release_due_at_from={at}&f_release_due_at_to={at}"
    said = _("%(day)s: %(count)s") % {"day": day(ask, at), "count": number(ask, count)}
    return StripDay(short, said, count, number(ask, count), href)


@dataclass(frozen=True)
class Fall:
    """The countdown in words."""

    sentence: Markup
    left: str
    is_soon: bool
    short: str


def fall_in_words(ask: PanelRequest, countdown: Countdown) -> Fall:
    """When the customer goes back, why, and how often that may be put off."""
    days = countdown.days(ask.scope.now())
    at = moment(ask, countdown.due_at)
    if days == 0:
        sentence = escape(_("Goes back to the pool today, %(at)s, unless there is a follow-up before.")) % {"at": at}
    elif days == 1:
        sentence = escape(_("Goes back to the pool tomorrow, on %(at)s.")) % {"at": at}
    else:
        said = {"days": number(ask, days), "at": at}
        sentence = escape(_("Goes back to the pool in %(days)s days, on %(at)s.")) % said
    if countdown.rule:
        sentence += Markup(" ") + escape(_("The rule: %(name)s.")) % {"name": countdown.rule}
    left = "" if not countdown.left else _("Times it can still be put off: %(count)s.") % {"count": countdown.left}
    short = ngettext("%(num)s day left", "%(num)s days left", days) % {"num": number(ask, days)}
    return Fall(sentence, left, days <= SOON, short)
