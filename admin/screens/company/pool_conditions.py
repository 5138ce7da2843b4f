"""Conditions under which customers of a pool are claimed and assigned, on the page of the pool."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import ClaimCondition
from models.errors import Validation
from models.pool import GranteeKind
from resolvers.pool.conditions import conditions_shown
from resolvers.pool.members import GRANTEES
from resolvers.reading.offers import may_create
from resolvers.reading.pages import Row, names_of
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.condition_field import HoldsCondition, in_words
from ...kit.declared import RecordScreen, Related
from ...kit.fields import Field, Kind
from ...kit.labels import choice_label, one
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext

_ = gettext
_TO = {
    GranteeKind.USER: Label("For whom: a person,"),
    GranteeKind.DEPARTMENT: Label("or a department with all below it,"),
    GranteeKind.ROLE: Label("or everybody who holds a role. All three empty: for everybody."),
}


class ClaimConditions(HoldsCondition, model=ClaimCondition):
    """Which customers of a pool may be claimed or assigned, and by whom."""

    icon = "filter"
    group = ""
    hint = Label("Which customers of a pool may be claimed or assigned, and by whom.")
    empty = Label("No pool has conditions yet, so every member may claim every customer.")
    begin = (Label("To the pools"), "pool/list", "pool.view")
    columns = ("name", "pool_id", "effect", "covers")
    always = ("grantee_kind", "grantee_id", "condition")
    sections = ((Label("Basics"), ("pool_id", "name", "condition", "effect", "covers")),)
    page_template = "condition.html"

    def keys(self) -> list[str]:
        return [key for key in super().keys() if key != "grantee_id"]  # noqa: SIM118  a method of screens, no dictionary

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        names = await ask.scope.read(grantee_names, [row])
        return {"said": await in_words(ask, row["condition"]), "who": names.get(row.id, _("Everybody"))}

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        """A search for each kind of grantee instead of a kind and a number."""
        fields = [x for x in super().form_fields(ask, creating=creating) if x.key not in ("grantee_id", "grantee_kind")]
        searches = [
            Field(f"to_{kind.lower()}", Kind.RECORD, target=model, name=one(model), help=_TO[kind])
            for kind, model in GRANTEES.items()
        ]
        return [*fields, *searches] if creating else fields

    def creation_values(self, typed: dict[str, Any]) -> dict[str, Any]:
        """Kind and number of the grantee, from the search that is filled, if one is."""
        found = {kind: typed.pop(f"to_{kind.lower()}", None) for kind in GRANTEES}
        filled = [(kind, id) for kind, id in found.items() if id is not None]
        if len(filled) > 1:
            raise Validation(
                "Choose a person, a department or a role: at most one of them.",
                "人员、部门、角色最多选择一个。",
                field="to_user",
            )
        return {**typed, **({"grantee_kind": filled[0][0], "grantee_id": filled[0][1]} if filled else {})}


def grantee_names(scope: Scope, db: Session, rows: list[Row]) -> dict[int, str]:
    """Condition -> the name of its grantee; of one whom the user does not see, that it is not visible."""
    found: dict[int, str] = {}
    for kind, model in GRANTEES.items():
        ids = {row.id: row["grantee_id"] for row in rows if row["grantee_kind"] == kind and row["grantee_id"]}
        names = names_of(scope, db, model, sorted(set(ids.values()))) if ids else {}
        found |= {id: names.get(grantee, _("not visible to you")) for id, grantee in ids.items()}
    return found


@dataclass(frozen=True, kw_only=True)
class ConditionsTab(Related):
    """The conditions of a pool as sentences."""

    template: str = "related/conditions.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return ask.may("pool.view")

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        screen = view.panel.view_of(ClaimCondition)
        assert screen is not None, "declared above"
        found = await ask.scope.read(conditions_shown, row.id)
        names = await ask.scope.read(grantee_names, found)
        lines = [
            {
                "name": each["name"],
                "to": screen.url("details", global_id(ClaimCondition, each.id)),
                "said": await in_words(ask, each["condition"]),
                "who": names.get(each.id, _("Everybody")),
                "effect": choice_label(each["effect"]),
                "covers": choice_label(each["covers"]),
            }
            for each in found
        ]
        adds = not row["deleted_at"] and await may_create(ask.scope, ClaimCondition, {"pool_id": row.id})
        return {
            "lines": lines,
            "add": f"{screen.url('condition')}?pool_id={global_id(view.model, row.id)}" if adds else None,
        }
