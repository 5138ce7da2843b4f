"""One request of the panel: who asks, in which language and time zone, and how he likes the screen."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import Headers
from starlette.requests import Request

from models import Organisation
from resolvers.records.dictionaries import Word, words_of
from resolvers.runtime.scope import Scope

from .fields import Field
from .translation import chosen

BASE = "/admin"
PREFERENCES = "millpond_panel"
"""The cookie that keeps theme, density, language and columns of this browser.  It says nothing about anybody."""
THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")
_COLUMNS = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class Preferences:
    """How this browser shows the panel."""

    theme: str = "auto"
    density: str = "comfortable"
    language: str | None = None
    menu: str = "open"
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_change(self, name: str, value: str, of: str = "") -> "Preferences":
        """The same with one choice changed; an unknown one changes nothing."""
        kept = {**self.__dict__}
        if (name, value) in _CHOICES:
            kept[name] = value
        elif name == "columns" and _COLUMNS.fullmatch(of.replace("-", "_")):
            words = tuple(word for word in value.split(",") if _COLUMNS.fullmatch(word))[:40]
            others = {key: known for key, known in self.columns.items() if key != of}
            kept["columns"] = {**others, of: words} if words else others
        return Preferences(**kept)

    def written(self) -> str:
        known: dict[str, Any] = {**self.__dict__, "columns": {key: ",".join(x) for key, x in self.columns.items()}}
        return json.dumps(known, separators=(",", ":"))


_CHOICES = {
    *(("theme", theme) for theme in THEMES),
    *(("density", density) for density in DENSITIES),
    *(("language", language) for language in ("en", "zh")),
    *(("menu", state) for state in ("open", "closed")),
}


def preferences(request: Request) -> Preferences:
    """What the cookie says; whatever it does not say properly is as at first."""
    try:
        known = json.loads(unquote(request.cookies.get(PREFERENCES, "")))
        kept = Preferences()
        for name in ("theme", "density", "language", "menu"):
            kept = kept.with_change(name, str(known.get(name)))
        for of, columns in dict(known.get("columns", {})).items():
            kept = kept.with_change("columns", str(columns), str(of))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Preferences()
    return kept


def language_of(request: Request) -> str:
    """The language for a browser without an account."""
    return chosen(preferences(request).language, Headers(scope=request.scope).get("accept-language", ""))


@dataclass
class PanelRequest:
    """A signed-in person's request.  `words` are those dictionaries that somebody has asked for."""

    request: Request
    scope: Scope
    preferences: Preferences
    organisation: str
    zone: ZoneInfo
    currency: str
    support: str | None
    contact_required: bool
    words: dict[str, dict[str, Word]] = field(default_factory=dict)
    fields: dict[str, list[Field]] = field(default_factory=dict)
    """Screen -> the fields that the person sees there, once somebody has asked for them."""

    @property
    def language(self) -> str:
        return self.scope.language

    @property
    def is_partial(self) -> bool:
        """Whether the answer goes into a dialog or the drawer of a page that is open already."""
        return self.request.headers.get("hx-target") in ("dialog-body", "drawer-body")

    def may(self, action: str) -> bool:
        """Whether some line lets the person do `customer.claim` to some record."""
        module, _, verb = action.partition(".")
        return self.scope.policy.ever(self.scope.person, verb, module)

    def sees(self, module: str, field: str) -> bool:
        """Whether there may be a record of the module in which he sees this field."""
        return self.scope.policy.ever(self.scope.person, "view", f"{module}.{field}")

    def edits(self, module: str, field: str) -> bool:
        return self.scope.policy.ever(self.scope.person, "edit", f"{module}.{field}")

    # -- times -------------------------------------------------------------------------------------------

    def local(self, moment: datetime) -> datetime:
        """A moment on the clocks of the organisation."""
        return moment.astimezone(self.zone)

    def moment(self, local: datetime) -> datetime:
        """The moment that the clocks of the organisation show so."""
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def day(self, day: date, *, end: bool = False) -> datetime:
        """When a day begins here; its end is when the next one does."""
        return self.moment(datetime.combine(day + timedelta(days=int(end)), time()))

    @property
    def today(self) -> date:
        return self.local(self.scope.now()).date()

    # -- dictionaries ------------------------------------------------------------------------------------

    async def load_words(self, codes: set[str]) -> None:
        """Have these dictionaries at hand; one query for those that are not yet."""
        if missing := codes - self.words.keys():
            self.words |= {code: {} for code in missing} | await self.scope.read(words_of, missing)


def organisation_settings(_scope: Scope, db: Session) -> dict[str, Any]:
    """What the organisation has set and every screen needs."""
    o = Organisation
    asked = select(o.name, o.time_zone, o.currency, o.support_contact, o.contact_required)
    found = db.execute(asked).first()
    name, zone, currency, support, contact_required = found or (None, None, None, None, True)
    return {
        "organisation": name or "Millpond",
        "zone": ZoneInfo(zone or "UTC"),
        "currency": currency or "CNY",
        "support": support,
        "contact_required": bool(contact_required),
    }


def panel_request(request: Request) -> PanelRequest:
    """The request that `SignIn.authenticate` has prepared."""
    found: PanelRequest = request.state.panel_request
    return found
