"""Customers: the list and the page that sales people live in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import Contact, Customer, FollowUp, Opportunity, OwnershipPeriod, Pool, User
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.ownership import assignees
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.pool import time_in_pool
from resolvers.reading.pages import Asked, Row, page
from resolvers.records import numbering
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, ROW, Command, command
from ...kit.fields import Field, Kind
from ...kit.formatting import moment, number
from ...kit.lists import Tab
from ...kit.panel_request import PanelRequest
from ...kit.related import HISTORY, RelatedTable
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView

_ = gettext
REASON = Field("reason", Kind.TEXT, name=Label("Reason"), length=200)
TO_WHOM = Field("user_id", Kind.RECORD, target=User, name=Label("New owner"), is_required=True)
RULES = {
    "IN_POOL": Label("It lies in a pool"),
    "RIGHT": Label("You may claim there"),
    "POOL_OPEN": Label("The pool is open"),
    "PROTECTION": Label("Protection of new arrivals"),
    "COOLDOWN": Label("Waiting time of former owners"),
    "QUOTA_DAY": Label("Claims today"),
    "QUOTA_WEEK": Label("Claims this week"),
    "CAPACITY": Label("Customers held"),
}


def owned(row: Row) -> bool:
    return row["owner_id"] is not None and row["deleted_at"] is None


def pooled(row: Row) -> bool:
    return row["pool_id"] is not None and row["deleted_at"] is None


class CustomerCommands(PolicyModelView):
    """What can be done to customers, wherever they are listed."""

    always = ("owner_id", "pool_id", "locked", "deleted_at")

    @command(
        Label("Claim"),
        icon="hand-grab",
        action="customer.claim",
        where=(ROW, LIST, DETAIL),
        when=pooled,
        tone="primary",
    )
    def claim(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return claiming.claim(scope, ids)

    @command(Label("Assign"), icon="user-plus", action="customer.assign", when=pooled, fields=(TO_WHOM, REASON))
    def assign(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return assigning.assign(scope, ids, given["user_id"] or 0, reason=given["reason"])

    @command(
        Label("Transfer"), icon="arrows-exchange", action="customer.transfer", when=owned, fields=(TO_WHOM, REASON)
    )
    def transfer(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return transferring.transfer(scope, ids, given["user_id"] or 0, given["reason"])

    @command(
        Label("Put into the pool"),
        icon="arrow-back-up",
        action="customer.release",
        when=owned,
        fields=(
            Field("pool_id", Kind.RECORD, target=Pool, name=Label("Pool"), help=Label("Empty: by priority.")),
            REASON,
        ),
    )
    def release(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return releasing.release(scope, ids, given["pool_id"], given["reason"])

    @command(
        Label("Lock"),
        icon="lock",
        action="customer.lock",
        when=lambda row: owned(row) and not row["locked"],
        fields=(
            REASON,
            Field("until", Kind.TIME, name=Label("Locked until"), help=Label("Empty: until it is unlocked.")),
        ),
    )
    def lock(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return locking.lock(scope, ids, given["reason"], given["until"])

    @command(
        Label("Unlock"),
        icon="lock-open",
        action="customer.unlock",
        when=lambda row: bool(row["locked"]),
        fields=(REASON,),
    )
    def unlock(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return locking.unlock(scope, ids, given["reason"])

    async def command_options(
        self, ask: PanelRequest, which: Command, ids: list[int]
    ) -> dict[str, list[tuple[str, str]]]:
        """Whoever may be assigned, with his load, so that nobody is buried and nobody forgotten."""
        if which.name == "assign":
            found = await ask.scope.read(assignees.candidates, ids)
            return {"user_id": [(f"usr_{x.id}", _load(ask, x)) for x in found]}
        if which.name == "release":
            return {"pool_id": await ask.scope.read(_open_pools)}
        return {}

    async def explain(self, ask: PanelRequest, which: Command, outcome: Outcome) -> list[tuple[str, bool, str]]:
        """For a single claim that was refused: every rule, passed or not, and when it would pass."""
        refused = [x.record_id for x in outcome.problems if x.record_id]
        if which.name != "claim" or len(refused) != 1 or outcome.ids:
            return []
        return await claim_rules(ask, int(refused[0].partition("_")[2]))


async def claim_rules(ask: PanelRequest, id: int) -> list[tuple[str, bool, str]]:
    """(rule, passed, in words) for claiming one customer."""
    found = await ask.scope.read(claiming.claim_preview, [id])
    rules = []
    for check in found[0].checks if found else ():
        words = check.refusal.say(ask.language) if check.refusal else ""
        if check.passes_at and not words:
            words = _("From %(when)s.") % {"when": moment(ask, check.passes_at).striptags()}
        rules.append((str(RULES.get(check.rule, check.rule)), check.passed, words))
    return rules


def _load(ask: PanelRequest, x: assignees.Candidate) -> str:
    held, limit = number(ask, x.held), "" if x.limit is None else f" / {number(ask, x.limit)}"
    away = "" if not x.is_absent else f" · {_('absent')}"
    return f"{x.name} · {held}{limit}{away}"


def _open_pools(scope: Scope, db: Session) -> list[tuple[str, str]]:
    asked = Asked(
        Pool, ("name",), filter={"enabled": {"eq": True}}, order=(("priority", True),), size=200, counts=False
    )
    return [(f"poo_{row.id}", str(row["name"])) for row in page(scope, db, asked).rows]


class Customers(CustomerCommands, model=Customer):
    """Every customer that one may see."""

    icon, group = "building", "work"
    hint = Label("Companies and people you sell to.")
    empty = Label("No customer is here yet. Create one, or claim one from the pool.")
    columns = ("number", "name", "stage", "level", "owner_id", "phone", "locked", "updated_at")
    filters = (
        "stage",
        "industry",
        "level",
        "region",
        "source",
        "owner_id",
        "pool_id",
        "locked",
        "created_at",
        "updated_at",
    )
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Mine"), lambda ask: {"owner_id": {"eq": ask.scope.me}}),
        Tab(
            "team",
            Label("My team"),
            lambda ask: {"department_id": {"in": sorted(ask.scope.person.subtree)}},
        ),
        Tab("pool", Label("In a pool"), lambda _ask: {"pool_id": {"is_null": False}}),
        Tab("locked", Label("Locked"), lambda _ask: {"locked": {"eq": True}}),
    )
    sections = (
        (Label("Basics"), ("number", "name", "stage", "level", "industry", "source", "region", "category")),
        (Label("Reach"), ("phone", "email", "address")),
        (Label("First contact"), ("contact_name", "contact_title", "contact_phone", "contact_email")),
        (Label("Need"), ("latest_need", "remark")),
        (
            Label("Place"),
            ("owner_id", "pool_id", "claimed_at", "pooled_at", "locked", "locked_by_id", "locked_at", "lock_reason"),
        ),
    )
    related = (
        RelatedTable(
            "contacts",
            Label("Contacts"),
            "users",
            model=Contact,
            key="customer_id",
            columns=("name", "title", "is_primary"),
        ),
        RelatedTable(
            "follow-ups",
            Label("Follow-ups"),
            "message-circle",
            model=FollowUp,
            key="customer_id",
            columns=("happened_at", "kind", "content", "contact_id", "owner_id"),
        ),
        RelatedTable(
            "opportunities",
            Label("Opportunities"),
            "target",
            model=Opportunity,
            key="customer_id",
            columns=("name", "stage", "amount", "currency", "expected_close", "owner_id"),
        ),
        RelatedTable(
            "ownership",
            Label("Ownership"),
            "arrows-exchange",
            model=OwnershipPeriod,
            key="customer_id",
            columns=("owner_id", "began", "started_at", "ended", "ended_at", "pool_id", "reason"),
            order=(("started_at", True),),
        ),
        HISTORY,
    )
    page_template: ClassVar[str] = "customer.html"

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """In a pool: why it is here, since when, how long it may stay, and what a claim would meet."""
        if not pooled(row):
            return {"stay": None, "rules": []}
        stay = (await ask.scope.read(time_in_pool.of, [row.id])).get(row.id)
        rules = await claim_rules(ask, row.id) if ask.may("customer.claim") else []
        return {"stay": stay, "rules": rules}

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        if row is not None:
            return {}
        coming = await ask.scope.read(numbering.coming, "customer")
        return {"placeholders": {"number": _("Next: %(number)s") % {"number": coming}}}

    def starting(self, ask: PanelRequest) -> dict[str, Any]:
        given = super().starting(ask)
        if not given.get("pool_id"):
            given.setdefault("owner_id", f"usr_{ask.scope.me}")
        return given

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """The first contact is asked for where the organisation wants one."""
        fields = super().form_fields(ask, creating=creating)
        return [
            replace(x, is_required=ask.contact_required) if x.key in ("contact_name", "contact_phone") else x
            for x in fields
        ]

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        """A pool to begin in is offered to those who fill pools."""
        if key == "pool_id" and not (ask.scope.person.admin_pools or ask.may("pool.create")):
            return False
        return super().is_offered(ask, key, creating=creating)

    def is_seen(self, ask: PanelRequest, key: str) -> bool:
        return key.startswith("contact_") or super().is_seen(ask, key)
