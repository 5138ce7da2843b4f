"""Opportunities and follow-ups: what happens with a customer."""

from models import FollowUp, Opportunity, User
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id

from ...kit.declared import MINE, Tab
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.related import HISTORY
from ...kit.translation import Label
from ...kit.view import PolicyModelView


class Opportunities(PolicyModelView, model=Opportunity):
    """The opportunities that the user sees."""

    icon, group, position = "target", "work", 50
    hint = Label("What you may sell, to whom, for how much.")
    empty = Label("No opportunity is here yet. Add one on the page of its customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    columns = ("name", "customer_id", "stage", "amount", "currency", "expected_close", "owner_id")
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Mine"), lambda ask: {"owner_id": {"eq": ask.scope.me}}, condition=MINE),
    )
    sections = (
        (Label("Basics"), ("customer_id", "contact_id", "name", "stage", "owner_id")),
        (Label("Amount"), ("amount", "currency", "expected_close")),
        (Label("Need"), ("remark",)),
    )
    related = (HISTORY,)


class FollowUps(PolicyModelView, model=FollowUp):
    """The follow-ups that the user sees."""

    icon, group, position = "message-circle", "work", 60
    hint = Label("Calls, visits and messages, newest first.")
    empty = Label("No follow-up is here yet. Write one down on the page of its customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    columns = ("content", "customer_id", "kind", "happened_at", "contact_id", "owner_id")
    filters = ("customer_id", "kind", "happened_at", "owner_id")
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Mine"), lambda ask: {"owner_id": {"eq": ask.scope.me}}, condition=MINE),
    )
    sections = (
        (Label("Basics"), ("customer_id", "kind", "happened_at", "contact_id", "opportunity_id", "owner_id")),
        (Label("What was said"), ("content",)),
    )
    related = (HISTORY,)

    def name_of(self, row: Row) -> str:
        """Its kind and its customer, because a follow-up has no name."""
        return " · ".join(part for part in (choice_label(row["kind"] or ""), row.names.get("customer_id")) if part)

    def initial_values(self, ask: PanelRequest) -> dict[str, object]:
        now = ask.local(ask.scope.now()).replace(second=0, microsecond=0, tzinfo=None)
        me = global_id(User, ask.scope.me)
        return {"happened_at": now, "kind": "CALL", "owner_id": me, **super().initial_values(ask)}
