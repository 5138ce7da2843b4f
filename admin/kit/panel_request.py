"""One request of the panel: the user who sends it, in their language and time zone, and how their browser shows it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from models import Approval, Customer, Entity, Opportunity, Organisation, Tone
from models.custom_field import is_custom
from policies import Facts
from policies.objects import FIELDS
from resolvers.customers.pipelines import askable
from resolvers.people.preferences import panel_settings
from resolvers.reading.offers import Offers, Place, offers
from resolvers.records.custom_options import dictionaries
from resolvers.records.dictionaries import Word, words_of
from resolvers.runtime.custom_fields import visible_book
from resolvers.runtime.scope import Scope

from .fields import DICTIONARIES, Field
from .labels import field_label
from .preferences import Preferences


@dataclass
class PanelRequest:
    """A request of a user who is signed in, named `ask` in code and templates.

    `words` holds the dictionaries that were loaded so far, `fields` the fields that the user sees on each screen, as
    far as a screen has asked for them.  `offers` says what is there for the user now, once `load_offers` has run.
    """

    request: Request
    scope: Scope
    preferences: Preferences
    organisation: str
    zone: ZoneInfo
    currency: str
    support: str | None
    contact_required: bool
    has_approvals: bool
    """Whether new customers are approved, or one that the user sees still waits since they were."""
    language_of_new_people: str
    words: dict[str, dict[str, Word]] = field(default_factory=dict)
    fields: dict[str, list[Field]] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)
    unread: int = 0
    """The number of unread notifications, for the bell."""

    @property
    def unread_text(self) -> str:
        """The number beside the bell; "" for none."""
        return bell_text(self.unread)

    @property
    def language(self) -> str:
        return self.scope.language

    @property
    def is_partial(self) -> bool:
        """Whether the answer goes into a dialog or the drawer of a page that is open already."""
        return self.request.headers.get("hx-target") in ("dialog-body", "drawer-body")

    def may(self, action: str) -> bool:
        """Whether the policy lets the user do an action, like `customer.claim`, to some record."""
        module, _, verb = action.partition(".")
        return self.scope.policy.ever(self.scope.person, verb, module)

    def may_all(self, action: str) -> bool:
        """Whether the policy lets the user do an action to records of any user, like `session.view`."""
        module, _, verb = action.partition(".")
        return self.scope.policy.may(self.scope.person, verb, module, Facts())

    def sees(self, module: str, field: str) -> bool:
        """Whether the user sees this field in some record of the module; what is no field is seen with the record."""
        word = f"{module}.{field}"
        return self.scope.policy.ever(self.scope.person, "view", word if word in FIELDS or is_custom(field) else module)

    def edits(self, module: str, field: str) -> bool:
        """Whether the user may change this field in some record of the module."""
        return self.scope.policy.ever(self.scope.person, "edit", f"{module}.{field}")

    async def load_offers(self, places: tuple[Place, ...]) -> None:
        """Find out what is offered in these places, and which kinds of records the user could create."""
        self.offers = await offers(self.scope, places)

    # -- times -------------------------------------------------------------------------------------------

    def local(self, moment: datetime) -> datetime:
        """A moment in the time zone of the organisation."""
        return moment.astimezone(self.zone)

    def moment(self, local: datetime) -> datetime:
        """The moment of a local time of the organisation."""
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def day(self, day: date, *, end: bool = False) -> datetime:
        """The moment at which a day begins for the organisation, or with `end` the one at which the next day does."""
        return self.moment(datetime.combine(day + timedelta(days=int(end)), time()))

    # -- dictionaries ------------------------------------------------------------------------------------

    async def load_words(self, codes: set[str]) -> None:
        """Load these dictionaries: one query for those that are not loaded yet."""
        self.words |= {code: field_words(self.scope, code) for code in codes & FIELDS_OF.keys()}
        if DICTIONARIES in codes - self.words.keys():
            self.words[DICTIONARIES] = await self.scope.read(dictionaries)
        if missing := codes - self.words.keys():
            self.words |= {code: {} for code in missing} | await self.scope.read(words_of, missing)


FIELDS_OF: dict[str, type[Entity]] = {f"fields.{model.module}": model for model in (Opportunity, Customer)}
"""Code of a list of fields -> the kind of record that has them."""


def field_words(scope: Scope, code: str) -> dict[str, Word]:
    """The fields that a stage may ask for, custom ones that the user sees last, as words; retired ones are archived."""
    model = FIELDS_OF[code]
    found = {key: Word(key, field_label(model, key), False, Tone.GREY) for key in askable(model)}
    customs = visible_book(scope.policy, scope.person).all_of(model.module)
    return found | {x.word: Word(x.word, x.label(scope.language), x.is_retired, Tone.GREY) for x in customs}


def bell_text(unread: int) -> str:
    """A number of unread notifications as it stands beside the bell; "" for none."""
    return "99+" if unread > 99 else str(unread or "")


def panel_preferences(scope: Scope, db: Session) -> dict[str, Any]:
    """How the user has arranged the panel, as `Preferences.with_stored` reads it."""
    return db.execute(panel_settings(scope)).scalar_one_or_none() or {}


def request_settings(scope: Scope, db: Session) -> dict[str, Any]:
    """The settings of the organisation, and the preferences of the user, that every screen needs."""
    o = Organisation
    waits = select(Customer.id).where(Customer.approval == Approval.PENDING, Customer.deleted_at.is_(None)).exists()
    approves = or_(o.approve_customers, waits)
    columns = select(o.name, o.time_zone, o.currency, o.support_contact, o.contact_required, approves, o.language)
    found = db.execute(columns).first()
    name, zone, currency, support, contact_required, approve, language = found or (
        None,
        None,
        None,
        None,
        True,
        False,
        None,
    )
    return {
        "preferences": panel_preferences(scope, db),
        "organisation": name or "Millpond",
        "zone": ZoneInfo(zone or "UTC"),
        "currency": currency or "CNY",
        "support": support,
        "contact_required": bool(contact_required),
        "has_approvals": bool(approve),
        "language_of_new_people": language or "en",
    }


def panel_request(request: Request) -> PanelRequest:
    """The PanelRequest that `Authentication.authenticate` has prepared."""
    found: PanelRequest = request.state.panel_request
    return found
