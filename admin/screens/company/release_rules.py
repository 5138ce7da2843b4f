"""Release rules of pools, and their rehearsal."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Customer, ReleaseRule, User
from models.errors import Refusal
from models.release_rule import CONDITIONS, Lapse
from resolvers.pool import release_rules
from resolvers.pool.release_forecast import DAYS, Preview, rehearse
from resolvers.reading.pages import Row, names_of
from resolvers.runtime.ids import global_id, number_of

from ...kit.charts import Bar
from ...kit.fields import field_of
from ...kit.formatting import day, moment, number, word
from ...kit.history_tab import HISTORY
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext, listed
from ...kit.view import PolicyModelView

_ = gettext
MISSING: dict[Lapse, Label] = {
    Lapse.NO_FOLLOW_UP: Label("without a follow-up"),
    Lapse.NO_OPPORTUNITY: Label("without an opportunity"),
    Lapse.NO_DEAL: Label("without a deal"),
}


class ReleaseRules(PolicyModelView, model=ReleaseRule):
    """After how many days without work customers go back to each pool."""

    icon, group = "hourglass", ""
    hint = Label("When customers that nobody works on go back to a pool.")
    empty = Label("No pool has a release rule yet, so customers stay with their owners.")
    begin = (Label("To the pools"), "pool/list", "pool.view")
    columns = ("name", "pool_id", "lapse", "days", "business_days", "enabled")
    sections = (
        (Label("When"), ("pool_id", "name", "lapse", "days", "business_days", "starts_at")),
        (Label("Which customers"), ("everybody", *CONDITIONS.values())),
        (
            Label("Not these"),
            (
                "spared_levels",
                "spared_categories",
                "spared_stages",
                "spares_opportunities",
                "spares_deals",
                "spares_plans",
            ),
        ),
        (
            Label("Reminders and extensions"),
            ("remind_days", "remind_again_days", "max_extensions", "extension_days"),
        ),
        (Label("In force"), ("enabled", "rehearsed_by_id", "rehearsed_at")),
    )
    related = (HISTORY,)
    page_template = "release_rule.html"

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """The rule as one sentence, and the way to its rehearsal."""
        codes = {field_of(ReleaseRule, key).dictionary for key in CONDITIONS.values()}
        await ask.load_words({code for code in codes if code})
        to = f"{BASE}{Rehearsal.path}?{urlencode({'id': global_id(ReleaseRule, row.id)})}"
        return {"sentence": sentence(ask, row), "rehearsal": to if ask.may("pool.edit") else None}


def sentence(ask: PanelRequest, row: Row) -> str:
    """What the rule says: `Customers of Level: A go back to North after 30 business days without a follow-up.`"""
    said = []
    for key in CONDITIONS.values():
        field = field_of(ReleaseRule, key)
        words = [word(ask, field, each) for each in row[key] or ()]
        said += [f"{field.label}: {listed(words)}"] if words else []
    parts = {
        "who": _("All customers") if row["everybody"] else _("Customers of %(words)s") % {"words": "; ".join(said)},
        "pool": row.names.get("pool_id") or _("the pool"),
        "days": _days(ask, row["days"] or 0, is_business=bool(row["business_days"])),
        "missing": MISSING.get(row["lapse"], ""),
    }
    return _("%(who)s go back to %(pool)s after %(days)s %(missing)s.") % parts


def _days(ask: PanelRequest, days: int, *, is_business: bool) -> str:
    if days == 1:
        return _("one business day") if is_business else _("one day")
    said = {"count": number(ask, days)}
    return (_("%(count)s business days") if is_business else _("%(count)s days")) % said


@dataclass(frozen=True)
class Shown:
    """A rehearsal ready for the page."""

    total: str
    at_once: int
    at_once_text: str
    days: list[Bar]
    owners: list[Bar]
    samples: list[tuple[str, str, str]]
    unknown: str


class Rehearsal(Page):
    """What a release rule would do, before it does it; here it is put in force."""

    path, needs = "/release-rehearsal", "pool.edit"
    title = Label("Rehearsal of a release rule")

    @property
    def templates_used(self) -> set[str]:
        return {"rehearsal.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        return False

    @page_route("/release-rehearsal", ("pool", "edit"))
    async def show(self, request: Request) -> Response:
        return await self._show(panel_request(request), request.query_params.get("id", "")[:40])

    @page_route("/release-rehearsal/switch", ("pool", "edit"), "POST")
    async def switch(self, request: Request) -> Response:
        """Put the rule in force as it was shown, or out of force."""
        ask, form = panel_request(request), await request.form()
        id, on, terms = str(form.get("id", ""))[:40], form.get("on") == "1", str(form.get("terms", ""))[:64]
        number = number_of(ReleaseRule, id)
        try:
            if on:
                await ask.scope.run(release_rules.note_rehearsal, number, terms)
            await ask.scope.run(release_rules.switch, number, on=on)
        except Refusal as refusal:
            return await self._show(ask, id, refusal)
        return RedirectResponse(f"{BASE}/release-rule/details/{global_id(ReleaseRule, number)}", 303)

    async def _show(self, ask: PanelRequest, id: str, refusal: Refusal | None = None) -> Response:
        rule = number_of(ReleaseRule, id)
        row = await ask.scope.read(release_rules.seen, rule) if rule else None
        if row is None:
            raise HTTPException(404)
        preview = await rehearse(ask.scope, rule)
        context = {
            "rule": row,
            "id": global_id(ReleaseRule, rule),
            "terms": preview.terms,
            "shown": await self._shown(ask, preview),
            "error": refusal.say(ask.language) if refusal else "",
            "back": f"{BASE}/release-rule/details/{global_id(ReleaseRule, rule)}",
        }
        return await self.render(ask, "rehearsal.html", context, 422 if refusal else 200)

    async def _shown(self, ask: PanelRequest, preview: Preview) -> Shown:
        owners = preview.by_owner.most_common()
        names = await ask.scope.read(names_of, User, [id for id, _count in owners])
        customers = await ask.scope.read(names_of, Customer, [id for id, _at in preview.samples])
        today = ask.local(ask.scope.now()).date()
        strip = [today + timedelta(days=n) for n in range(DAYS + 1)]
        return Shown(
            number(ask, preview.total),
            preview.at_once,
            number(ask, preview.at_once),
            [Bar(day(ask, at), n, number(ask, n)) for at in strip if (n := preview.by_day[at])],
            [Bar(names.get(id) or _("not visible to you"), n, number(ask, n)) for id, n in owners],
            [
                (customers.get(id, ""), f"{BASE}/customer/details/{global_id(Customer, id)}", moment(ask, at))
                for id, at in preview.samples
            ],
            listed(map(str, preview.unknown_years)),
        )
