"""Opportunities: their lists, their page, and the commands that move, win and lose them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Opportunity, OpportunityStagePeriod
from models.pipeline import StageKind
from models.stage_terms import read_book
from resolvers.customers import opportunity_stages as stages
from resolvers.reading.pages import Row
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, ROW, Command, command
from ...kit.declared import MINE, Tab
from ...kit.fields import Field, Kind
from ...kit.form_page import Options
from ...kit.history_tab import HISTORY
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label
from .files_tab import KeepsFiles, files_tab
from .receivers import receivers, transfer
from .share_commands import share_customer
from .stage_tab import StageHistory

OPEN = ["OPEN", "ON_HOLD"]
AMOUNT = Field("amount", Kind.MONEY, Opportunity)
CLOSED_ON = Field("closed_on", Kind.DATE, Opportunity, help=Label("Empty: today."))
REASON = Field("lost_reason", Kind.WORDS, Opportunity, dictionary="lost_reason", is_required=True)
REMARK = Field("remark", Kind.LONG, Opportunity)
STAGE = Field("stage", Kind.WORDS, Opportunity, dictionary="opportunity_stage", is_required=True)


def is_open(row: Row) -> bool:
    return row["deleted_at"] is None and row["state"] in OPEN


def is_here(row: Row) -> bool:
    return row["deleted_at"] is None


def stale(ask: PanelRequest) -> Mapping[str, Any]:
    return {"stale_at": {"lte": ask.scope.now()}}


def mine_open(ask: PanelRequest) -> Mapping[str, Any]:
    return {"owner_id": {"eq": ask.scope.me}, "state": {"in": OPEN}}


class Opportunities(KeepsFiles, model=Opportunity):
    """The opportunities that the user sees."""

    icon, group, position, imports = "target", "work", 50, "opportunity"
    hint = Label("What you may sell, to whom, for how much.")
    empty = Label("No opportunity is here yet. Add one on the page of its customer.")
    begin = (Label("To the customers"), "customer/list", "customer.view")
    always = ("deleted_at", "state", "pipeline_id")
    columns = ("name", "customer_id", "stage", "amount", "currency", "probability", "expected_close", "owner_id")
    tabs = (
        Tab("all", Label("All"), lambda _ask: {}),
        Tab("mine", Label("Mine"), lambda ask: {"owner_id": {"eq": ask.scope.me}}, condition=MINE),
        Tab(
            "open",
            Label("My open ones"),
            mine_open,
            (("expected_close", False),),
            condition={**MINE, "state": {"in": OPEN}},
        ),
        Tab("stale", Label("Stale"), stale, (("stale_at", False),), empty=Label("No opportunity stands still.")),
        Tab(
            "won",
            Label("Won"),
            lambda _ask: {"state": {"eq": StageKind.WON}},
            (("closed_on", True),),
            condition={"state": {"eq": "WON"}},
        ),
    )
    sections = (
        (Label("Basics"), ("customer_id", "contact_id", "name", "pipeline_id", "stage", "state", "owner_id")),
        (Label("Amount"), ("amount", "currency", "probability", "expected_close")),
        (Label("Closing"), ("closed_on", "lost_reason", "stage_changed_at", "stale_at")),
        (Label("Need"), ("remark",)),
    )
    related = (
        StageHistory("stages", Label("Stages"), "columns-3", model=OpportunityStagePeriod, key="opportunity_id"),
        files_tab("opportunity"),
        HISTORY,
    )

    @command(
        Label("Move to another stage"),
        icon="arrow-right",
        action="opportunity.edit",
        where=(ROW, DETAIL),
        when=is_here,
        fields=(STAGE,),
    )
    def step(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return Outcome([stages.move(scope, ids[0], given["stage"]).id])

    @command(
        Label("Win"),
        icon="circle-check",
        action="opportunity.edit",
        where=(ROW, DETAIL),
        when=is_open,
        fields=(AMOUNT, CLOSED_ON),
    )
    def win(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        won = stages.win(scope, ids[0], amount=given.get("amount"), closed_on=given.get("closed_on"))
        return Outcome([won.id])

    @command(
        Label("Lose"),
        icon="circle-x",
        action="opportunity.edit",
        where=(ROW, DETAIL),
        when=is_open,
        fields=(REASON, REMARK, CLOSED_ON),
    )
    def lose(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        reason, remark = given.get("lost_reason"), given.get("remark")
        return Outcome([stages.lose(scope, ids[0], reason=reason, remark=remark, closed_on=given.get("closed_on")).id])

    transfer = transfer
    share_customer = share_customer

    async def command_options(self, ask: PanelRequest, which: Command, ids: list[int]) -> Options:
        """The stages to which the opportunity may go from its own; the users who may look after opportunities."""
        if which.name == "transfer":
            return await receivers(ask, Opportunity, ids)
        if which.name != "step" or not ids:
            return {}
        keys = await ask.scope.read(_next_stages, ids[0])
        words = ask.words.get("opportunity_stage") or {}
        return {"stage": [(key, words[key].label) for key in keys if key in words]}


def _next_stages(_scope: Scope, db: Session, id: int) -> list[str]:
    """The keys of the stages to which a visible opportunity may go; none for another one."""
    found = db.execute(select(Opportunity.pipeline_id, Opportunity.stage).where(Opportunity.id == id)).first()
    if found is None:
        return []
    book = read_book(db)
    pipeline, here = book.of(found.pipeline_id), book.terms(found.pipeline_id, found.stage)
    keys = [*pipeline.stages] if pipeline is not None else []
    return [key for key in keys if key != found.stage and (not here.next_stages or key in here.next_stages)]
