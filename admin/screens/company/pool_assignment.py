"""Automatic assignment of a pool: its strategy, and the shares of its members."""

from typing import Any

from models import AssignmentRule, AssignmentShare
from resolvers.reading.pages import Row

from ...kit.condition_field import HoldsCondition, in_words
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView

_ = gettext


class AssignmentRules(PolicyModelView, model=AssignmentRule):
    """By which strategy customers of a pool are assigned automatically."""

    icon = "users"
    group = ""
    hint = Label("Who gets the next customer of a pool that is assigned automatically.")
    empty = Label("No pool is assigned automatically yet.")
    begin = (Label("To the pools"), "pool/list", "pool.view")
    columns = ("pool_id", "strategy", "updated_at")

    def name_of(self, row: Row) -> str:
        return f"{row.names.get('pool_id') or row['pool_id']} · {choice_label(row['strategy'])}"


class AssignmentShares(HoldsCondition, model=AssignmentShare):
    """How much each member of a pool gets, and of which customers."""

    icon = "users-group"
    group = ""
    hint = Label("How much each member of a pool gets when it is assigned automatically, and of which customers.")
    empty = Label("No member has a share of its own yet, so all get the same.")
    begin = (Label("To the pools"), "pool/list", "pool.view")
    columns = ("pool_id", "user_id", "weight")
    always = ("condition",)
    sections = ((Label("Basics"), ("pool_id", "user_id", "weight", "condition")),)
    page_template = "condition.html"

    def name_of(self, row: Row) -> str:
        return f"{row.names.get('pool_id') or '–'} · {row.names.get('user_id') or '–'}"

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        return {"said": await in_words(ask, row["condition"])}
