"""Stages: what follows from one, which steps are allowed, what a stage asks for, and the times spent in each."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from admin.kit.panel_request import field_words
from models import (
    Customer,
    CustomerStage,
    CustomerStagePeriod,
    CustomField,
    Opportunity,
    OpportunityStagePeriod,
    Pipeline,
    PipelineStage,
)
from models.errors import (
    Conflict,
    FieldsMissing,
    Forbidden,
    InUse,
    NoSuchStage,
    NotOver,
    Refusal,
    StageNotInPipeline,
    StepNotAllowed,
    Validation,
)
from models.pipeline import StageKind
from models.stage_terms import fill_states, stale_states
from resolvers.audit.replay import Comparison
from resolvers.bulk import many
from resolvers.customers.opportunity_stages import lose, move, win
from resolvers.reading.pages import ListRequest, page
from resolvers.records import create_update, custom_fields
from resolvers.runtime.scope import Scope
from resolvers.setup.first_pipeline import first_pipeline
from tests.support.claim_checks import unchanged
from tests.support.custom_fields import define, with_lines
from tests.support.pipelines import CHINESE, STAGES, deal, dictionary, pipeline
from tests.support.refusals import add_line
from tests.support.world import START, World


def edit(world: World, by: str, id: int, **given: Any) -> None:
    world.scope(by).do(create_update.update, Opportunity, id, given)


def refused(world: World, call: Any) -> Refusal:
    with unchanged(world), pytest.raises(Refusal) as told:
        call()
    return told.value


def facts(world: World, id: int) -> dict[str, Any]:
    row = world.row(Opportunity, id)
    return {key: row[key] for key in ("stage", "state", "probability", "closed_on", "stale_at")}


def test_a_new_opportunity_begins_in_the_default_pipeline(world: World) -> None:
    other = pipeline(world, "Projects", {"proposal": {"probability": 50}})
    first = pipeline(world, is_default=True)

    begun, given = deal(world), deal(world, pipeline_id=other)

    assert (world.row(Opportunity, begun)["pipeline_id"], world.row(Opportunity, given)["pipeline_id"]) == (
        first,
        other,
    )
    ten = {"state": "OPEN", "closed_on": None}
    assert facts(world, begun) == {
        "stage": "discovery",
        "probability": 10,
        "stale_at": START + timedelta(days=30),
        **ten,
    }
    assert facts(world, given) == {"stage": "proposal", "probability": 50, "stale_at": None, **ten}


def test_what_follows_from_a_stage_is_the_same_for_many(world: World) -> None:
    pipeline(world)
    customer = world.customer("Acme", "li")
    rows = [
        {"name": "A", "stage": "proposal"},
        {"name": "B", "stage": "won", "closed_on": date(2026, 3, 1)},
        {"name": "C", "stage": "lost", "lost_reason": "price"},
        {"name": "D", "probability": 70},
    ]
    rows = [{"customer_id": customer, **row} for row in rows]

    world.li.do(many.create_many, Opportunity, rows, action="opportunity.create")
    for row in rows:
        world.li.do(create_update.create, Opportunity, row)

    def kept(row: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in row.items() if k != "id"}

    one, other = ([kept(row) for row in world.rows(Opportunity)][start : start + 4] for start in (0, 4))
    assert one == other
    assert [row["state"] for row in one] == ["OPEN", "WON", "LOST", "OPEN"]
    periods = [(row["stage"], row["started_at"], row["by_id"]) for row in world.rows(OpportunityStagePeriod)]
    assert periods == 2 * [(stage, START, world.ids["li"]) for stage in ("proposal", "won", "lost", "discovery")]


def test_a_probability_of_ones_own_stays_until_the_stage_changes(world: World) -> None:
    pipeline(world)
    id = deal(world)

    edit(world, "li", id, probability=35)
    assert facts(world, id)["probability"] == 35
    edit(world, "li", id, stage="proposal")
    assert facts(world, id)["probability"] == 40
    edit(world, "li", id, stage="discovery", probability=5)
    assert facts(world, id)["probability"] == 5
    assert isinstance(refused(world, lambda: edit(world, "li", id, probability=101)), Validation)


def test_a_day_and_a_probability_that_are_given_stay_where_they_were_there_before(world: World) -> None:
    pipeline(world)
    id, day = deal(world, amount=Decimal(9), probability=40), date(2026, 11, 3)

    edit(world, "li", id, stage="waiting", probability=40)
    assert facts(world, id)["probability"] == 40
    world.li.do(lose, id, reason="price", closed_on=day)
    world.li.do(win, id, closed_on=day)
    assert (facts(world, id)["state"], facts(world, id)["closed_on"]) == ("WON", day)


def test_what_an_edit_empties_is_that_of_the_stage_again(world: World) -> None:
    one = pipeline(world, is_default=True)
    id = deal(world, stage="proposal", amount=Decimal(9), probability=70)

    edit(world, "li", id, probability=None)
    assert facts(world, id)["probability"] == 40
    edit(world, "li", id, pipeline_id=None)
    assert world.row(Opportunity, id)["pipeline_id"] == one
    world.li.do(win, id, closed_on=date(2026, 11, 3))
    world.clock.pass_by(days=2)
    edit(world, "li", id, closed_on=None)
    assert facts(world, id)["closed_on"] == START.date()


def test_a_stage_belongs_to_its_pipeline(world: World) -> None:
    pipeline(world, is_default=True)
    short = pipeline(world, "Short", {"proposal": {}, "won": {"kind": StageKind.WON}})
    id = deal(world, pipeline_id=short)

    told = refused(world, lambda: edit(world, "li", id, stage="waiting"))

    assert isinstance(told, StageNotInPipeline)
    assert told.say() == "The pipeline Short has no stage Waiting. Choose Proposal or Won."
    assert told.say("zh") == "流程“Short流程”没有阶段“暂缓”，可选：“方案报价”或“赢单”。"
    first = deal(world)
    assert isinstance(refused(world, lambda: edit(world, "li", first, pipeline_id=short)), StageNotInPipeline)
    edit(world, "li", first, pipeline_id=short, stage="proposal")


def test_steps_that_are_not_allowed_are_refused(world: World) -> None:
    pipeline(world, stages=STAGES | {"discovery": {"next_stages": ["proposal", "lost"]}})
    id = deal(world)

    told = refused(world, lambda: world.li.do(move, id, "won"))

    assert isinstance(told, StepNotAllowed)
    assert told.say() == "From Discovery it goes on to Proposal or Lost, not to Won."
    assert told.say("zh") == "“需求发现”之后只能进入“方案报价”或“输单”，不能进入“赢单”。"
    world.li.do(move, id, "proposal")
    world.li.do(move, id, "won", None, {"amount": Decimal(10)})


def test_a_stage_names_all_fields_that_are_missing(world: World) -> None:
    pipeline(world, stages=STAGES | {"proposal": {"required_fields": ["amount", "expected_close", "remark"]}})
    id = deal(world, remark="A word")

    told = refused(world, lambda: world.li.do(move, id, "proposal"))

    assert isinstance(told, FieldsMissing)
    assert told.say() == "The stage Proposal asks for: Amount, Expected close."
    assert told.say("zh") == "阶段“方案报价”须填写：金额、预计成交日期。"
    assert told.params["missing"] == ["amount", "expectedClose"]
    world.li.do(move, id, "proposal", None, {"amount": Decimal(10), "expected_close": date(2026, 12, 1)})
    assert isinstance(refused(world, lambda: edit(world, "li", id, amount=None)), FieldsMissing)
    edit(world, "li", id, name="Another name")


def test_a_field_that_came_later_is_asked_for_with_the_next_step_only(world: World) -> None:
    pipeline(world)
    id = deal(world, stage="proposal")
    (stage,) = world.rows(PipelineStage, PipelineStage.stage == "proposal")
    world.ada.do(create_update.update, PipelineStage, stage["id"], {"required_fields": ["amount"]})

    edit(world, "li", id, remark="A word")

    assert world.row(Opportunity, id)["remark"] == "A word"


def test_to_win_takes_an_amount_and_a_day(world: World) -> None:
    pipeline(world)
    customer = world.customer("Acme", "li")
    id = deal(world, customer)

    assert refused(world, lambda: world.li.do(win, id)).say() == "Amount is required."
    ahead = refused(world, lambda: world.li.do(win, id, amount=Decimal(9), closed_on=date(2026, 12, 1)))
    assert ahead.say().startswith("Closed on lies ahead")
    world.li.do(win, id, amount=Decimal(9), closed_on=date(2026, 11, 3))

    kept = {"stage": "won", "state": "WON", "probability": 100, "closed_on": date(2026, 11, 3), "stale_at": None}
    assert facts(world, id) == kept
    assert world.row(Customer, customer)["last_deal_at"] == START
    assert world.row(Customer, customer)["has_open_opportunity"] is False
    entry = world.log("opportunity", id)[-1]
    assert entry["action"] == "opportunity.win"
    assert entry["changes"] == {
        "stage": ["discovery", "won"],
        "probability": [10, 100],
        "amount": [None, "9.00"],
        "closed_on": [None, "2026-11-03"],
    }


def test_an_amount_that_the_user_does_not_see_is_not_asked_of_them(world: World) -> None:
    pipeline(world)
    id = deal(world)
    add_line(world, "p, sales, opportunity.amount, view, all, any, deny")

    world.li.do(win, id)

    assert facts(world, id)["state"] == "WON"


def test_to_lose_takes_a_reason_and_what_is_opened_again_forgets_it(world: World) -> None:
    pipeline(world)
    id = deal(world)

    assert refused(world, lambda: world.li.do(lose, id, reason=None)).field == "lostReason"
    assert refused(world, lambda: world.li.do(lose, id, reason="weather")).field == "lostReason"
    assert isinstance(refused(world, lambda: world.li.do(move, id, "lost")), FieldsMissing)
    world.li.do(lose, id, reason="price")
    assert (facts(world, id)["state"], facts(world, id)["closed_on"]) == ("LOST", START.date())

    world.li.do(move, id, "proposal")

    row = world.row(Opportunity, id)
    assert (row["state"], row["closed_on"], row["lost_reason"]) == ("OPEN", None, None)
    assert isinstance(refused(world, lambda: edit(world, "li", id, lost_reason="price")), NotOver)
    assert isinstance(refused(world, lambda: edit(world, "li", id, closed_on=START.date())), NotOver)


def test_a_pipeline_without_such_a_stage_says_so(world: World) -> None:
    id = deal(world, pipeline_id=pipeline(world, stages={"discovery": {}}))

    told = refused(world, lambda: world.li.do(lose, id, reason="price"))

    assert isinstance(told, NoSuchStage)
    assert told.say("zh") == "流程“Sales流程”没有“输单”阶段，请联系管理员添加。"


def test_a_move_of_what_another_user_moved_is_a_conflict(world: World) -> None:
    pipeline(world)
    id = deal(world)
    seen = world.row(Opportunity, id)["version"]
    world.lead.do(move, id, "waiting")

    told = refused(world, lambda: world.li.do(move, id, "proposal", seen))

    assert isinstance(told, Conflict)
    assert told.params["current"]["stage"] == "waiting"
    edit(world, "lead", id, name="Another name")
    world.li.do(move, id, "proposal", world.row(Opportunity, id)["version"] - 1)


def test_users_without_the_right_move_nothing(world: World) -> None:
    pipeline(world)
    id = deal(world)

    assert isinstance(refused(world, lambda: world.fin.do(move, id, "proposal")), Forbidden)
    assert isinstance(refused(world, lambda: world.fin.do(win, id, amount=Decimal(1))), Forbidden)


def test_times_in_stages_are_kept_with_their_user(world: World) -> None:
    pipeline(world)
    id = deal(world)
    world.clock.pass_by(days=2)
    world.li.do(move, id, "proposal")
    world.clock.pass_by(days=3)
    world.li.do(win, id, amount=Decimal(1))
    edit(world, "li", id, name="The deal")

    days = [START, START + timedelta(days=2), START + timedelta(days=5), None]
    found = [(x["stage"], x["started_at"], x["ended_at"]) for x in world.rows(OpportunityStagePeriod)]
    assert found == [(stage, days[i], days[i + 1]) for i, stage in enumerate(("discovery", "proposal", "won"))]
    world.ada.do(create_update.delete, Opportunity, [id])
    world.ada.do(create_update.purge, Opportunity, [id], confirm=True)
    assert world.rows(OpportunityStagePeriod) == []


def test_a_stage_may_ask_for_a_custom_field(world: World) -> None:
    world.make(CustomField, for_module="opportunity", key="budget", kind="TEXT", label_en="Budget", label_zh="预算")
    pipeline(world, stages=STAGES | {"proposal": {"required_fields": ["custom.budget"]}})
    id = deal(world)

    told = refused(world, lambda: world.li.do(move, id, "proposal"))
    assert (told.say(), told.say("zh")) == ("The stage Proposal asks for: Budget.", "阶段“方案报价”须填写：预算。")
    world.li.do(move, id, "proposal", None, {"custom.budget": "Granted"})
    assert isinstance(refused(world, lambda: edit(world, "li", id, **{"custom.budget": None})), FieldsMissing)
    bad = {
        "pipeline_id": world.row(Opportunity, id)["pipeline_id"],
        "stage": "lost",
        "required_fields": ["custom.none"],
    }
    assert isinstance(refused(world, lambda: world.make(PipelineStage, **bad)), Validation)


def test_who_does_not_see_a_custom_field_can_neither_ask_for_it_nor_remove_it(world: World) -> None:
    for key in ("budget", "secret"):
        define(world, key, module="opportunity")
    pipeline(world, stages=STAGES | {"proposal": {"required_fields": ["custom.secret", "amount"]}})
    with_lines(
        world,
        "p, sales_lead, pipeline, view, all, any, allow",
        "p, sales_lead, pipeline, edit, all, any, allow",
        "p, sales_lead, opportunity.custom.secret, view, all, any, deny",
    )
    (stage,) = world.rows(PipelineStage, PipelineStage.stage == "proposal")
    edit_stage = lambda fields: world.lead.do(  # noqa: E731
        create_update.update, PipelineStage, stage["id"], {"required_fields": fields}
    )

    wanted = ListRequest(PipelineStage, ("required_fields",))
    said = world.run(world.lead.read(page, wanted)).rows
    assert sorted(row["required_fields"] for row in said if row["required_fields"]) == [["amount"], ["lost_reason"]]
    edit_stage(["custom.budget"])
    assert world.row(PipelineStage, stage["id"])["required_fields"] == ["custom.budget", "custom.secret"]
    world.ada.do(create_update.update, PipelineStage, stage["id"], {"required_fields": ["amount"]})
    assert world.row(PipelineStage, stage["id"])["required_fields"] == ["amount"]
    assert "custom.secret" in refused(world, lambda: edit_stage(["custom.secret"])).say()
    assert set(field_words(world.lead, "fields.opportunity")) & {"custom.budget", "custom.secret"} == {"custom.budget"}


def test_a_stage_does_not_ask_for_a_retired_field(world: World) -> None:
    field = world.make(CustomField, for_module="opportunity", key="budget", kind="TEXT", label_en="Budget")
    pipeline(world, stages=STAGES | {"proposal": {"required_fields": ["custom.budget"]}})
    id = deal(world)
    world.ada.do(custom_fields.retire, [field])

    world.li.do(move, id, "proposal")

    assert facts(world, id)["stage"] == "proposal"


# --- when administrators change the terms ----------------------------------------------------------------


def test_opportunities_follow_when_their_stage_changes_its_terms(world: World) -> None:
    pipeline(world)
    customer = world.customer("Acme", "li")
    plain, own = deal(world, customer, stage="proposal"), deal(world, customer, stage="proposal", probability=90)
    (stage,) = world.rows(PipelineStage, PipelineStage.stage == "proposal")

    world.ada.do(create_update.update, PipelineStage, stage["id"], {"probability": 55, "stale_days": 4})
    assert [facts(world, id)["probability"] for id in (plain, own)] == [55, 90]
    assert facts(world, plain)["stale_at"] == START + timedelta(days=4)

    world.ada.do(create_update.update, PipelineStage, stage["id"], {"kind": "WON", "stale_days": None})
    assert facts(world, own)["state"] == "WON"
    assert world.row(Customer, customer)["has_open_opportunity"] is False
    assert world.row(Customer, customer)["last_deal_at"] == START

    world.ada.do(create_update.update, PipelineStage, stage["id"], {"kind": "OPEN"})
    told = [entry["changes"] for entry in world.log("opportunity", plain)[1:]]
    assert told == [{"probability": [40, 55]}, {"closed_on": [None, "2026-11-24"]}, {"closed_on": ["2026-11-24", None]}]
    with world.backend.writer.engine.connect() as connection:
        assert [x for x in Comparison().differences(connection) if x.model is Opportunity] == []


def test_a_state_that_is_not_that_of_the_stage_is_found_and_repaired(world: World) -> None:
    pipeline(world)
    id = deal(world)
    table: Any = Opportunity.__table__
    with world.backend.writer.engine.begin() as connection:
        assert [*stale_states(connection)] == []
        connection.execute(table.update().values(state="LOST"))
        assert [*stale_states(connection)] == [
            "Opportunity Deal shows another state than its stage: run millpond reindex."
        ]
        assert fill_states(connection) == 1
    assert facts(world, id)["state"] == "OPEN"


def test_stages_and_pipelines_in_use_stay(world: World) -> None:
    one = pipeline(world, is_default=True)
    id = deal(world)
    (stage,) = world.rows(PipelineStage, PipelineStage.stage == "discovery")

    for model, that in ((PipelineStage, stage["id"]), (Pipeline, one)):
        (problem,) = world.ada.do(create_update.delete, model, [that]).problems
        assert isinstance(problem, InUse)
    world.ada.do(create_update.delete, Opportunity, [id])
    (problem,) = world.ada.do(create_update.delete, Pipeline, [one]).problems
    assert problem.say() == "The last pipeline stays."
    pipeline(world, "Other", {"discovery": {}}, is_default=True)
    assert world.ada.do(create_update.delete, Pipeline, [one]).ids == [one]


def test_what_comes_back_from_the_bin_to_a_stage_that_is_gone_stays_what_it_was(world: World) -> None:
    one = pipeline(world, stages={"discovery": {}, "proposal": {"kind": StageKind.WON, "probability": 90}})
    id = deal(world, pipeline_id=one, stage="proposal", closed_on=date(2026, 11, 3))
    before = facts(world, id)
    (stage,) = world.rows(PipelineStage, PipelineStage.stage == "proposal")
    world.ada.do(create_update.delete, Opportunity, [id])
    assert world.ada.do(create_update.delete, PipelineStage, [stage["id"]]).ids == [stage["id"]]

    world.ada.do(create_update.restore, Opportunity, [id])

    assert facts(world, id) == before
    assert before["state"] == "WON"


def test_one_pipeline_is_the_default(world: World) -> None:
    one = pipeline(world, is_default=True)
    other = pipeline(world, "Other", {"discovery": {}}, is_default=True)

    assert {row["id"]: row["is_default"] for row in world.rows(Pipeline)} == {one: False, other: True}
    world.ada.do(create_update.delete, Pipeline, [other])
    world.ada.do(create_update.update, Pipeline, one, {"is_default": True})
    assert world.ada.do(create_update.restore, Pipeline, [other]).ids == [other]
    assert {row["id"]: row["is_default"] for row in world.rows(Pipeline)} == {one: True, other: False}


def test_terms_that_cannot_be_are_refused(world: World) -> None:
    one = pipeline(world)
    bad = [{"probability": 101}, {"probability": -1}, {"stale_days": 0}, {"required_fields": ["owner_id"]}]
    bad += [{"kind": "WON", "stale_days": 3}, {"stage": "nothing"}]
    bad += [{"required_fields": [key]} for key in ("closed_on", "probability", "lost_reason")]  # nobody could come in

    for given in bad:
        told = refused(
            world, lambda given=given: world.make(PipelineStage, **{"pipeline_id": one, "stage": "waiting"} | given)
        )
        assert isinstance(told, Validation), given
    assert isinstance(
        refused(world, lambda: world.scope("li").do(create_update.create, Pipeline, {"name": "Mine"})), Forbidden
    )


def test_old_opportunities_come_into_the_first_pipeline_with_what_follows_from_it(world: World) -> None:
    dictionary(world, "opportunity_stage", CHINESE)
    old, won, own = deal(world, stage="discovery"), deal(world, stage="won"), deal(world, probability=70)
    assert facts(world, old)["stale_at"] is None

    def furnish(scope: Scope) -> bool:
        with scope.write("organisation.install") as db:
            return first_pipeline(scope, db)

    assert [world.backend.system("system:install").do(furnish) for _ in range(2)] == [True, False]
    assert {row["pipeline_id"] for row in world.rows(Opportunity)} == {world.rows(Pipeline)[0]["id"]}
    assert (facts(world, old)["probability"], facts(world, old)["stale_at"]) == (10, START + timedelta(days=30))
    assert (facts(world, won)["state"], facts(world, own)["probability"]) == ("WON", 70)


# --- customers -------------------------------------------------------------------------------------------


def test_stages_of_customers_ask_for_nothing_until_they_are_set_up(world: World) -> None:
    id = world.customer("Acme", "li", stage="early")
    set_stage = lambda stage, **more: world.li.do(create_update.update, Customer, id, {"stage": stage, **more})  # noqa: E731
    set_stage("won")
    world.clock.pass_by(days=1)
    set_stage("early")

    world.make(CustomerStage, stage="early", next_stages=["early"])
    told = refused(world, lambda: set_stage("won"))
    assert told.say() == "From Early it goes on to Early, not to Won."
    (rule,) = world.rows(CustomerStage)
    world.ada.do(create_update.update, CustomerStage, rule["id"], {"next_stages": ["won"]})
    world.make(CustomerStage, stage="won", required_fields=["phone", "industry"])
    assert told.field == "stage"
    told = refused(world, lambda: set_stage("won"))
    assert told.say() == "The stage Won asks for: Phone, Industry."
    assert isinstance(refused(world, lambda: world.customer("New", "li", stage="won")), FieldsMissing)
    verdicts = world.ada.do(many.create_many, Customer, [{"name": "Many", "stage": "won"}], action="customer.create")
    assert isinstance(verdicts[0].refusal, FieldsMissing)
    set_stage("won", phone="13800138000", industry="steel")

    stages = [(x["stage"], x["ended_at"] is None) for x in world.rows(CustomerStagePeriod)]
    assert stages == [("early", False), ("won", False), ("early", False), ("won", True)]
