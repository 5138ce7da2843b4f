"""Pools for their administrators: members and claim rules."""

from typing import Any

from sqlalchemy.orm import Session

from models import AssignmentRule, AssignmentShare, ClaimRule, Customer, Pool, PoolMember, ReleaseRule
from models.errors import Validation
from models.pool import GranteeKind
from resolvers.pool.members import GRANTEES
from resolvers.reading.pages import Row, names_of
from resolvers.runtime.scope import Scope

from ...kit.fields import Field, Kind
from ...kit.history_tab import HISTORY
from ...kit.labels import choice_label, one
from ...kit.panel_request import PanelRequest
from ...kit.related import RelatedTable
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView
from .pool_conditions import ConditionsTab
from .pool_health import HealthTab

_ = gettext
_TO = {
    GranteeKind.USER: Label("Fill one of the three: a person,"),
    GranteeKind.DEPARTMENT: Label("or a department with all below it,"),
    GranteeKind.ROLE: Label("or everybody who holds a role."),
}
"""What is said below the three searches for a member."""


class Pools(PolicyModelView, model=Pool):
    """Pools with their members and their claim rule."""

    icon, group, position = "inbox", "company", 10
    hint = Label("Each pool has its members and its rule about claiming.")
    empty = Label("There is no pool yet. Create one, then add its members and its rule on its page.")
    columns = ("name", "enabled", "priority", "retain_days", "description")
    sections = (
        (Label("Basics"), ("name", "description", "enabled", "priority", "is_archive")),
        (Label("How long customers stay"), ("retain_days", "on_expire", "expire_pool_id", "notice_days")),
    )
    related = (
        RelatedTable(
            "seats",
            Label("Members"),
            "users-group",
            model=PoolMember,
            key="pool_id",
            columns=("seat", "grantee_kind"),
        ),
        RelatedTable(
            "rule",
            Label("Claim rule"),
            "adjustments",
            model=ClaimRule,
            key="pool_id",
            columns=("daily_quota", "weekly_quota", "capacity", "cooldown_days", "protect_days", "daily_view_limit"),
        ),
        RelatedTable(
            "releases",
            Label("Release rules"),
            "hourglass",
            model=ReleaseRule,
            key="pool_id",
            columns=("name", "lapse", "days", "business_days", "enabled"),
        ),
        RelatedTable(
            "assignment",
            Label("Automatic assignment"),
            "users",
            model=AssignmentRule,
            key="pool_id",
            columns=("strategy", "updated_at"),
        ),
        RelatedTable(
            "shares",
            Label("Shares"),
            "users-group",
            model=AssignmentShare,
            key="pool_id",
            columns=("user_id", "weight"),
        ),
        ConditionsTab("conditions", Label("Claim conditions"), "filter"),
        RelatedTable(
            "customers",
            Label("Customers"),
            "building",
            model=Customer,
            key="pool_id",
            columns=("number", "name", "stage", "pooled_at"),
            order=(("pooled_at", False),),
        ),
        HealthTab("health", Label("Fairness"), "chart-bar"),
        HISTORY,
    )


class PoolMembers(PolicyModelView, model=PoolMember):
    """Seats in pools: for a person, for a department with all departments below it, or for a role."""

    icon = "users-group"
    group = ""
    hint = Label("Who may look into each pool, claim from it, or run it.")
    empty = Label("No pool has members yet, so nobody can claim.")
    begin = (Label("To the pools"), "pool/list", "pool.view")
    columns = ("pool_id", "seat", "grantee_kind")
    always = ("grantee_id",)
    sections = ((Label("Basics"), ("pool_id", "seat", "grantee_kind", "grantee_id")),)

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """The name of the person, department or role that has each seat."""
        return {id: {"who": name} for id, name in member_names(scope, db, rows).items()}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        return [("who", _("Given to"))]

    def keys(self) -> list[str]:
        return [key for key in super().keys() if key != "grantee_id"]  # noqa: SIM118  a method of screens, no dictionary

    def name_of(self, row: Row) -> str:
        """The kind of membership and the pool, because the name of the member may be hidden."""
        pool = row.names.get("pool_id")
        return f"{choice_label(row['seat'])} · {pool}" if pool else choice_label(row["seat"])

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """A search for each kind of member instead of a kind and a number."""
        fields = [x for x in super().form_fields(ask, creating=creating) if x.key not in ("grantee_id", "grantee_kind")]
        searches = [
            Field(f"to_{kind.lower()}", Kind.RECORD, target=model, name=one(model), help=_TO[kind])
            for kind, model in GRANTEES.items()
        ]
        return [*fields, *searches] if creating else fields

    def creation_values(self, typed: dict[str, Any]) -> dict[str, Any]:
        """Kind and number of the member, from the one search that is filled."""
        found = {kind: typed.pop(f"to_{kind.lower()}", None) for kind in GRANTEES}
        filled = [(kind, id) for kind, id in found.items() if id is not None]
        if len(filled) != 1:
            raise Validation(
                "Choose a person, a department or a role: one of them.",
                "请选择人员、部门或角色中的一个。",
                field="to_user",
            )
        return {**typed, "grantee_kind": filled[0][0], "grantee_id": filled[0][1]}


def member_names(scope: Scope, db: Session, rows: list[Row]) -> dict[int, str]:
    """Seat -> the name of the person, department or role that has it, as far as the user sees the name."""
    found: dict[int, str] = {}
    holders = {row.id: (row["grantee_kind"], row["grantee_id"]) for row in rows}
    for kind, model in GRANTEES.items():
        ids = [id for what, id in holders.values() if what == kind and id]
        names = names_of(scope, db, model, ids) if ids else {}
        found |= {seat: names[id] for seat, (what, id) in holders.items() if what == kind and id in names}
    return found


class ClaimRules(PolicyModelView, model=ClaimRule):
    """The limits of claims from each pool."""

    icon = "adjustments"
    group = ""
    hint = Label("How many customers a person may claim from a pool and hold, and when.")
    empty = Label("No pool has a rule yet, so claims have no limit.")
    begin = (Label("To the pools"), "pool/list", "pool.view")

    def name_of(self, row: Row) -> str:
        return _("Claim rule of %(pool)s") % {"pool": row.names.get("pool_id") or row["pool_id"]}
