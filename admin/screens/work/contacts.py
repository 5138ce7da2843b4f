"""Contacts: people at customers, with their phones and addresses."""

from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import Contact, FollowUp, Opportunity, Plan
from resolvers.customers import contacts
from resolvers.reading.pages import Row
from resolvers.runtime.scope import Scope

from ...kit.commands import Command
from ...kit.declared import MINE, Tab
from ...kit.form_page import Options
from ...kit.history_tab import HISTORY
from ...kit.panel_request import PanelRequest
from ...kit.related import RelatedTable
from ...kit.translation import Label, gettext
from .composer import Subject, composer_for, told_of
from .duplicate_forms import ChecksDuplicates
from .files_tab import KeepsFiles, files_tab
from .receivers import receivers, transfer
from .share_commands import share_customer

_ = gettext


class Contacts(KeepsFiles, ChecksDuplicates, model=Contact):
    """The contacts that the user sees."""

    icon, group, position, imports = "users", "work", 30, "contact"
    hint = Label("The people at your customers.")
    empty = Label("No contact is here yet. Add one on the page of its customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    columns = ("name", "title", "customer_id", "is_primary", "do_not_contact", "owner_id", "updated_at")
    filters = ("customer_id", "owner_id", "is_primary", "do_not_contact", "birthday", "created_at")
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Looked after by me"), lambda ask: {"owner_id": {"eq": ask.scope.me}}, condition=MINE),
        Tab(
            "primary",
            Label("Primary"),
            lambda _ask: {"is_primary": {"eq": True}},
            condition={"isPrimary": {"eq": True}},
        ),
    )
    sections = (
        (Label("Person"), ("customer_id", "name", "title", "birthday", "is_primary", "do_not_contact")),
        (Label("Contact details"), ("points",)),
        (Label("Owner and notes"), ("owner_id", "remark")),
    )
    related = (
        RelatedTable(
            "opportunities",
            Label("Opportunities"),
            "target",
            model=Opportunity,
            key="contact_id",
            columns=("name", "stage", "amount", "currency", "expected_close"),
        ),
        RelatedTable(
            "follow-ups",
            Label("Follow-ups"),
            "message-circle",
            model=FollowUp,
            key="contact_id",
            columns=("happened_at", "kind", "content", "owner_id"),
        ),
        RelatedTable(
            "plans",
            Label("Plans"),
            "clock",
            model=Plan,
            key="contact_id",
            columns=("due_at", "kind", "state", "content", "owner_id"),
            order=(("due_at", True),),
        ),
        files_tab("contact"),
        HISTORY,
    )
    page_template: ClassVar[str] = "contact.html"

    transfer = transfer
    share_customer = share_customer

    async def command_options(self, ask: PanelRequest, which: Command, ids: list[int]) -> Options:
        return await receivers(ask, Contact, ids) if which.name == "transfer" else {}

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """The composer of follow-ups, about this contact."""
        subject = Subject(row["customer_id"] or 0, self.name_of(row), row.id)
        composer = None if row["deleted_at"] or not row["customer_id"] else await composer_for(ask, subject)
        return {"composer": composer, "notice": await told_of(ask)}

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """Phones and addresses, as far as the user sees them."""
        points = contacts.points_of(scope, db, [row.id for row in rows])
        return {id: {"points": found} for id, found in points.items()}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        return [("points", _("Phones and addresses"))] if ask.sees("contact", "points") else []

    def extra_form_values(self, scope: Scope, db: Session, row: Row) -> dict[str, Any]:
        points = contacts.points_of(scope, db, [row.id]).get(row.id, [])
        common = super().extra_form_values(scope, db, row)
        return {**common, "points": [{"kind": x.kind, "value": x.value} for x in points]}
