"""Opportunities on their way through GraphQL: move, win, lose, the board, sums, and times in stages."""

from decimal import Decimal

from tests.support.graphql import Api
from tests.support.pipelines import deal, pipeline
from tests.support.world import World

SHOWN = (
    "opportunity { stage stageLabel state probability closedOn lostReasonLabel version } problems { code field params }"
)


def test_an_opportunity_is_moved_won_and_lost(api: Api, world: World) -> None:
    pipeline(world)
    id = f"opp_{deal(world)}"

    moved = api.change("li", "moveOpportunity", {"id": id, "stage": "proposal", "version": 1}, SHOWN)
    assert moved["problems"] == []
    assert moved["opportunity"]["stageLabel"] == "Proposal"
    assert (moved["opportunity"]["state"], moved["opportunity"]["probability"]) == ("OPEN", 40)
    late = api.change("li", "moveOpportunity", {"id": id, "stage": "waiting", "version": 1}, SHOWN)
    assert [problem["code"] for problem in late["problems"]] == ["CONFLICT"]
    assert late["opportunity"]["stage"] == "proposal"

    lost = api.change("li", "loseOpportunity", {"id": id, "reason": "price"}, SHOWN)
    assert lost["opportunity"]["lostReasonLabel"] == "Price"
    assert (lost["opportunity"]["state"], lost["opportunity"]["closedOn"]) == ("LOST", "2026-11-24")
    nothing = api.change("li", "winOpportunity", {"id": id}, SHOWN)
    assert [(x["code"], x["field"]) for x in nothing["problems"]] == [("REQUIRED", "amount")]
    won = api.change("li", "winOpportunity", {"id": id, "amount": "12.50", "closedOn": "2026-11-02"}, SHOWN)
    assert (won["opportunity"]["state"], won["opportunity"]["closedOn"]) == ("WON", "2026-11-02")
    again = api.change("fin", "moveOpportunity", {"id": id, "stage": "proposal"}, SHOWN)
    assert [x["code"] for x in again["problems"]] == ["FORBIDDEN"]


def test_a_board_has_columns_with_sums_and_opportunities(api: Api, world: World) -> None:
    made, customer = pipeline(world, is_default=True), world.customer("Acme", "li")
    for name, amount in (("A", "100"), ("B", "50")):
        deal(world, customer, name, amount=Decimal(amount))

    asked = """
        { opportunityBoard(first: 1) { pipeline { id name } columns {
            stage stageLabel kind probability count after totals { currency open weighted }
            nodes { name customer { name } stageHistory { stageLabel startedAt endedAt by { name } } } } }
          opportunitySums(by: PERSON) { key open totals { currency weighted } } }
    """
    found = api.ask("li", asked)

    board = found["opportunityBoard"]
    assert board["pipeline"] == {"id": f"pip_{made}", "name": "Sales"}
    first, *others = board["columns"]
    assert [(x["stage"], x["count"], x["nodes"]) for x in others] == [
        (stage, 0, []) for stage in ("proposal", "waiting", "won", "lost")
    ]
    assert (first["stageLabel"], first["kind"], first["probability"], first["count"]) == ("Discovery", "OPEN", 10, 2)
    assert first["totals"] == [{"currency": "CNY", "open": "150.00", "weighted": "15.00"}]
    assert first["after"] is not None
    began = {"stageLabel": "Discovery", "startedAt": "2026-11-24T08:00:00.000Z", "endedAt": None, "by": None}
    assert first["nodes"] == [{"name": "B", "customer": {"name": "Acme"}, "stageHistory": [began]}]
    li = f"usr_{world.ids['li']}"
    assert found["opportunitySums"] == [{"key": li, "open": 2, "totals": [{"currency": "CNY", "weighted": "15.00"}]}]
