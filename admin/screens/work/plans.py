"""Plans: what is to be done for customers, by day, and what becomes of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models import Entity, Plan, User
from models.counting import FollowUpKind
from models.plan import PlanState
from resolvers.customers import plans
from resolvers.reading.pages import Row
from resolvers.runtime.batch import Note, Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, ROW, command
from ...kit.declared import Tab
from ...kit.fields import Field, Kind
from ...kit.history_tab import HISTORY
from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label
from ...kit.view import PolicyModelView

OPEN = {"state": {"eq": PlanState.OPEN}}
NEXT_DAYS = 7
SAID = Field("content", Kind.LONG, name=Label("What came of it"), is_required=True)
DONE_BY = Field(
    "kind", Kind.CHOICE, choices=tuple(FollowUpKind), name=Label("How"), help=Label("Empty: as it was planned.")
)
NEXT = Field("next_at", Kind.TIME, name=Label("Next contact"), help=Label("Makes the next plan."))
NEXT_TEXT = Field("next_text", Kind.TEXT, name=Label("What to do then"), length=200)
REASON = Field("reason", Kind.TEXT, name=Label("Reason"), length=200)
DUE = Field("due_at", Kind.TIME, name=Label("New time"), is_required=True)


def days_of(ask: PanelRequest) -> Sequence[datetime]:
    """(now, the beginning of tomorrow, the end of the next seven days), by the organisation's clocks."""
    now = ask.scope.now()
    zone = ZoneInfo(ask.scope.person.zone)
    today = now.astimezone(zone).date()
    ends = (datetime.combine(today + timedelta(days=n), time(), zone) for n in (1, 1 + NEXT_DAYS))
    return now, *ends


def mine_due(ask: PanelRequest, **within: datetime) -> Mapping[str, Any]:
    """The user's own open plans that are due within these times."""
    return {**OPEN, "owner_id": {"eq": ask.scope.me}, **({"due_at": within} if within else {})}


def overdue(ask: PanelRequest) -> Mapping[str, Any]:
    now, _, _ = days_of(ask)
    return mine_due(ask, lt=now)


def today(ask: PanelRequest) -> Mapping[str, Any]:
    now, tomorrow, _ = days_of(ask)
    return mine_due(ask, gte=now, lt=tomorrow)


def coming(ask: PanelRequest) -> Mapping[str, Any]:
    _, tomorrow, end = days_of(ask)
    return mine_due(ask, gte=tomorrow, lt=end)


def is_open(row: Row) -> bool:
    return row["state"] == PlanState.OPEN and row["deleted_at"] is None


def notes_of(row: Entity) -> list[Note]:
    """What a use case tells beside a record that it has saved."""
    return [Note(notice.say(), notice.say("zh")) for notice in row.notices]


class Plans(PolicyModelView, model=Plan):
    """The plans that the user sees: the agenda, and everything else."""

    icon, group, position = "clock", "work", 55
    hint = Label("What is to be done for customers, and until when.")
    empty = Label("Nothing is planned here. Plan the next contact on the page of a customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    columns = ("due_at", "customer_id", "kind", "content", "contact_id", "owner_id", "state")
    filters = ("customer_id", "kind", "state", "due_at", "owner_id")
    always = ("state", "deleted_at", "owner_id")
    tabs = (
        Tab("mine", Label("My open plans"), mine_due, (("due_at", False),)),
        Tab("overdue", Label("Overdue"), overdue, (("due_at", False),), empty=Label("Nothing is overdue.")),
        Tab("today", Label("Today"), today, (("due_at", False),), empty=Label("Nothing more is planned for today.")),
        Tab(
            "coming",
            Label("Next seven days"),
            coming,
            (("due_at", False),),
            empty=Label("Nothing is planned for the next seven days."),
        ),
        Tab("open", Label("All open"), lambda _ask: OPEN, (("due_at", False),)),
        Tab("all", Label("All"), lambda _ask: {}, (("due_at", True),)),
    )
    sections = (
        (Label("Basics"), ("customer_id", "kind", "due_at", "remind_minutes", "contact_id", "opportunity_id")),
        (Label("What to do"), ("content", "owner_id", "handed_over_by_id")),
        (Label("What came of it"), ("state", "ended_at", "result_id", "cancel_reason")),
    )
    related = (HISTORY,)

    def name_of(self, row: Row) -> str:
        """Its kind and its customer, because a plan has no name."""
        return " · ".join(part for part in (choice_label(row["kind"] or ""), row.names.get("customer_id")) if part)

    def initial_values(self, ask: PanelRequest) -> dict[str, object]:
        """Tomorrow at nine, by the user."""
        tomorrow = ask.local(ask.scope.now()) + timedelta(days=1)
        due = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
        return {**super().initial_values(ask), "due_at": due, "kind": "CALL", "owner_id": global_id(User, ask.scope.me)}

    @command(
        Label("Complete"),
        icon="circle-check",
        action="plan.edit",
        where=(ROW, DETAIL),
        when=is_open,
        tone="primary",
        fields=(SAID, DONE_BY, NEXT, NEXT_TEXT),
    )
    def complete(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        said = {key: given.get(key) for key in ("content", "kind")}
        done = plans.complete(scope, ids[0], said, given.get("next_at"), given.get("next_text"))
        return Outcome([done.id], notes=notes_of(done))

    @command(
        Label("Put off"), icon="hourglass", action="plan.edit", where=(ROW, DETAIL), when=is_open, fields=(DUE, REASON)
    )
    def put_off(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return single(plans.reschedule(scope, ids[0], given["due_at"], given["reason"]))

    @command(
        Label("Cancel the plan"), icon="x", action="plan.edit", where=(LIST, DETAIL), when=is_open, fields=(REASON,)
    )
    def cancel_plan(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return Outcome([plans.cancel(scope, id, given["reason"]).id for id in ids])
