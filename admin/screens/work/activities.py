"""Follow-ups: what was done for a customer."""

from collections.abc import Mapping
from typing import Any

from models import Comment, FollowUp, User
from resolvers.customers import comments
from resolvers.reading.pages import Row
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, ROW, command
from ...kit.declared import MINE, Tab
from ...kit.fields import Field, Kind
from ...kit.history_tab import HISTORY
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.related import RelatedTable
from ...kit.translation import Label
from .files_tab import KeepsFiles, files_tab

SAID = Field("content", Kind.LONG, name=Label("Comment"), is_required=True)


class FollowUps(KeepsFiles, model=FollowUp):
    """The follow-ups that the user sees."""

    icon, group, position, imports = "message-circle", "work", 60, "follow_up"
    hint = Label("Calls, visits and messages, newest first.")
    empty = Label("No follow-up is here yet. Write one down on the page of its customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    always = ("deleted_at",)
    columns = ("content", "customer_id", "kind", "happened_at", "contact_id", "owner_id")
    filters = ("customer_id", "kind", "happened_at", "owner_id")
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Mine"), lambda ask: {"owner_id": {"eq": ask.scope.me}}, condition=MINE),
    )
    sections = (
        (Label("Basics"), ("customer_id", "kind", "happened_at", "contact_id", "opportunity_id", "owner_id")),
        (Label("What was said"), ("content", "counts")),
    )
    related = (
        RelatedTable(
            "comments",
            Label("Comments"),
            "message-circle",
            model=Comment,
            key="follow_up_id",
            columns=("at", "author_id", "value"),
            order=(("id", False),),
        ),
        files_tab("followup"),
        HISTORY,
    )

    @command(
        icon="message-circle",
        action="followup.comment",
        where=(ROW, DETAIL),
        when=lambda row: row["deleted_at"] is None,
        fields=(SAID,),
    )
    def comment(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return Outcome([comments.comment(scope, ids[0], given["content"] or "").id])

    def name_of(self, row: Row) -> str:
        """Its kind and its customer, because a follow-up has no name."""
        return " · ".join(part for part in (choice_label(row["kind"] or ""), row.names.get("customer_id")) if part)

    def initial_values(self, ask: PanelRequest) -> dict[str, object]:
        now = ask.local(ask.scope.now()).replace(second=0, microsecond=0, tzinfo=None)
        me = global_id(User, ask.scope.me)
        return {"happened_at": now, "kind": "CALL", "owner_id": me, **super().initial_values(ask)}
