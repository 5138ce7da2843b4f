"""The list of customers and the page of a customer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import (
    Contact,
    Customer,
    CustomerStagePeriod,
    FollowUp,
    MergeRecord,
    Opportunity,
    OwnershipPeriod,
    Plan,
    User,
)
from resolvers.merging.merges import merges_of
from resolvers.pool import time_in_pool, view_limit
from resolvers.pool.countdown import countdown
from resolvers.reading.former_names import former_names
from resolvers.reading.offers import creatable_under
from resolvers.reading.pages import Row
from resolvers.records import numbering
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.declared import MINE, Tab
from ...kit.fields import Field
from ...kit.history_tab import HISTORY
from ...kit.panel_request import PanelRequest
from ...kit.related import RelatedTable
from ...kit.routes import BASE
from ...kit.translation import Label, gettext
from .assignment_tab import AssignmentTab
from .composer import Subject, composer_for, told_of
from .customer_commands import claim_rules, pooled
from .customer_merging import CustomerMerging
from .customer_value import value_of
from .duplicate_forms import ChecksDuplicates
from .falling_customers import FALLING_TAB, fall_in_words
from .files_tab import KeepsFiles, files_tab
from .quiet_customers import QUIET_TAB
from .stage_tab import StageHistory
from .timeline_tab import RelatedTimeline

_ = gettext


class Customers(KeepsFiles, CustomerMerging, ChecksDuplicates, model=Customer):
    """The customers that the user sees."""

    icon, group, position, imports = "building", "work", 20, "customer"
    told_apart_by = "number"
    hint = Label("Companies and people you sell to.")
    empty = Label("No customer is here yet. Create one, or claim one from the pool.")
    columns = (
        "number",
        "name",
        "stage",
        "level",
        "owner_id",
        "phone",
        "last_follow_up_at",
        "release_due_at",
        "locked",
        "updated_at",
    )
    filters = (
        "stage",
        "category",
        "industry",
        "level",
        "region",
        "source",
        "owner_id",
        "pool_id",
        "locked",
        "last_follow_up_at",
        "next_follow_up_at",
        "release_due_at",
        "created_at",
        "updated_at",
    )
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab(
            "mine",
            Label("Mine"),
            lambda ask: {"owner_id": {"eq": ask.scope.me}},
            (("claimed_at", True),),
            condition=MINE,
        ),
        Tab(
            "team",
            Label("My team"),
            lambda ask: {"department_id": {"in": sorted(ask.scope.person.subtree)}},
            condition={"departmentId": {"in": ["my-team"]}},
        ),
        QUIET_TAB,
        FALLING_TAB,
        Tab(
            "pool",
            Label("In a pool"),
            lambda _ask: {"pool_id": {"is_null": False}},
            condition={"poolId": {"isNull": False}},
        ),
        Tab(
            "approve",
            Label("To approve"),
            lambda _ask: {"approval": {"eq": "PENDING"}},
            (("created_at", False),),
            empty=Label("No customer waits for approval."),
            when=lambda ask: ask.has_approvals,
            condition={"approval": {"eq": "PENDING"}},
        ),
        Tab("locked", Label("Locked"), lambda _ask: {"locked": {"eq": True}}, condition={"locked": {"eq": True}}),
    )
    sections = (
        (
            Label("Basics"),
            ("number", "name", "stage", "level", "industry", "source", "region", "category", "registration_number"),
        ),
        (Label("Contact details"), ("phone", "email", "address")),
        (Label("Primary contact"), ("contact_name", "contact_title", "contact_phone", "contact_email")),
        (Label("Need"), ("latest_need", "remark")),
        (Label("Follow-ups"), ("last_follow_up_at", "last_follow_up_by_id", "next_follow_up_at")),
        (
            Label("Owner and pool"),
            (
                "owner_id",
                "pool_id",
                "claimed_at",
                "release_due_at",
                "extensions",
                "pooled_at",
                "locked",
                "locked_by_id",
                "locked_at",
                "lock_reason",
            ),
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
            "plans",
            Label("Plans"),
            "clock",
            model=Plan,
            key="customer_id",
            columns=("due_at", "kind", "state", "content", "contact_id", "owner_id"),
            order=(("due_at", True),),
        ),
        RelatedTimeline("timeline", Label("Timeline"), "history"),
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
        AssignmentTab("assignment", Label("Assignment"), "users"),
        StageHistory("stages", Label("Stages"), "columns-3", model=CustomerStagePeriod, key="customer_id"),
        files_tab("customer"),
        HISTORY,
    )
    page_template: ClassVar[str] = "customer.html"

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """Former names; of a new customer what its number tells; of one in a pool its stay, and every rule about a claim."""
        merges = [(global_id(MergeRecord, x.id), x) for x in await ask.scope.read(merges_of, row.id)]
        former = await ask.scope.read(former_names, row.id)
        common = {"former": former, "merges": merges, **await self._state(ask, row)}
        composer = None if row["deleted_at"] else await composer_for(ask, Subject(row.id, self.name_of(row)))
        shown = {"composer": composer, "notice": common["notice"] or await told_of(ask)}
        return {**common, **shown, "value": await value_of(ask, row.id)}

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """Whether the user could write a follow-up about a customer."""
        open_to = creatable_under(scope, db, FollowUp, [row.id for row in rows if not row["deleted_at"]])
        return {id: {"compose": global_id(Customer, id)} for id in open_to}

    def row_links(self, ask: PanelRequest, extra: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        id = extra.get("compose")
        return [("message-circle", _("Follow up"), f"{BASE}/compose?customer={id}")] if id else []

    async def _state(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        notice = None
        if "saved" in ask.request.query_params and row["number"]:
            told = await ask.scope.read(numbering.ahead, "customer", row["number"])
            notice = told.say(ask.language) if told else None
        if pooled(row) and await ask.scope.read(view_limit.closed, row.id):
            await ask.scope.run(view_limit.open_page, row.id)
        if not pooled(row):
            falls = await ask.scope.read(countdown, row.id)
            return {"stay": None, "rules": [], "notice": notice, "falls": falls and fall_in_words(ask, falls)}
        stay = (await ask.scope.read(time_in_pool.of, [row.id])).get(row.id)
        rules = await claim_rules(ask, row.id) if ask.may("customer.claim") else []
        return {"stay": stay, "rules": rules, "notice": notice}

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        common = await super().form_extra(ask, row)
        if row is not None:
            return common
        coming = await ask.scope.read(numbering.coming, "customer")
        return common | {"placeholders": {"number": _("Next: %(number)s") % {"number": coming}}}

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        values = super().initial_values(ask)
        if not values.get("pool_id"):
            values.setdefault("owner_id", global_id(User, ask.scope.me))
        return values

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """The first contact is required if the organisation requires one."""
        fields = super().form_fields(ask, creating=creating)
        return [
            replace(x, is_required=ask.contact_required) if x.key in ("contact_name", "contact_phone") else x
            for x in fields
        ]

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        """The pool of a new customer is offered to users who may put customers into pools."""
        if key == "pool_id" and not (ask.scope.person.admin_pools or ask.may("pool.create")):
            return False
        return super().is_offered(ask, key, creating=creating)

    def is_seen(self, ask: PanelRequest, key: str) -> bool:
        return key.startswith("contact_") or super().is_seen(ask, key)
