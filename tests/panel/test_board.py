"""The board of opportunities without a browser: columns, sums, filters, the form, refusals and conflicts."""

from decimal import Decimal

from models import Opportunity
from resolvers.customers.opportunity_stages import move
from tests.support.panel import OURS, Panel
from tests.support.pipelines import STAGES, deal, pipeline
from tests.support.refusals import add_line
from tests.support.world import World

BOARD = "/admin/opportunity-board"


def test_a_board_shows_columns_sums_and_cards(world: World) -> None:
    pipeline(world, is_default=True)
    deal(world, name="Steel", amount=Decimal(1200))
    deal(world, world.customer("West", "mei"), "Hidden", "mei")

    page = Panel(world).of("li").get(BOARD)

    assert page.status_code == 200
    assert "Steel" in page.text
    assert "Hidden" not in page.text
    assert "CNY 1,200.00, weighted CNY 120.00" in page.text
    assert "Discovery" in page.text


def test_a_hidden_probability_weighs_nothing(world: World) -> None:
    pipeline(world, is_default=True)
    deal(world, name="Steel", amount=Decimal(1200))
    add_line(world, "p, sales, opportunity.probability, view, all, any, deny")

    page = Panel(world).of("li").get(BOARD).text

    assert "CNY 1,200.00" in page
    assert "weighted" not in page
    assert "10%" not in page


def test_who_sees_no_opportunities_gets_an_empty_board(world: World) -> None:
    pipeline(world, is_default=True)
    deal(world, name="Steel", amount=Decimal(1200))

    page = Panel(world).of("sam").get(BOARD).text

    assert "Discovery" in page
    assert "Steel" not in page
    assert "1,200" not in page


def test_a_board_is_narrowed_by_owner_and_to_what_is_stale(world: World) -> None:
    pipeline(world, is_default=True)
    deal(world, name="Own one", owner="li")
    deal(world, world.customer("Wu's", "wu"), "Theirs", "wu", stage="proposal")
    world.clock.pass_by(days=11)
    lead = Panel(world).of("lead")

    assert ["Theirs" in lead.get(f"{BOARD}?whose={x}").text for x in ("all", "mine", "team")] == [True, False, True]
    stale = lead.get(f"{BOARD}?stale=1").text
    assert ("Theirs" in stale, "Own one" in stale) == (True, False)


def test_a_script_moves_a_card_and_learns_why_not(world: World) -> None:
    pipeline(world, stages=STAGES | {"proposal": {"required_fields": ["amount"]}}, is_default=True)
    id = deal(world)
    li, given = Panel(world).of("li"), {"id": f"opp_{id}", "version": "1"}

    def moved(stage: str, **more: str) -> tuple[int, str]:
        answer = li.post(f"{BOARD}/move", {**given, "stage": stage, **more}, headers={**OURS, "X-Board": "1"})
        return answer.status_code, answer.text

    assert moved("proposal") == (422, "The stage Proposal asks for: Amount.")
    assert moved("waiting") == (204, "")
    world.lead.do(move, id, "discovery")
    status, said = moved("won")
    assert status == 409
    assert said.startswith("Somebody else has moved this opportunity meanwhile.")
    assert world.row(Opportunity, id)["stage"] == "discovery"
    assert moved("nonsense", version="3")[0] == 422


def test_without_a_script_the_board_comes_again(world: World) -> None:
    pipeline(world, is_default=True)
    id = deal(world)
    li = Panel(world).of("li")

    done = li.post(f"{BOARD}/move", {"id": f"opp_{id}", "stage": "proposal", "version": "1"})
    refused = li.post(f"{BOARD}/move", {"id": f"opp_{id}", "stage": "lost", "version": "2"})

    assert (done.status_code, refused.status_code) == (303, 422)
    assert "The stage Lost asks for: Reason for the loss." in refused.text
    assert li.get(f"/admin/opportunity/ask/step?ids=opp_{id}").status_code == 200


def test_more_cards_of_a_column_come_in_pages(world: World) -> None:
    made, customer = pipeline(world, is_default=True), world.customer("Acme", "li")
    for number in range(22):
        world.clock.pass_by(minutes=1)
        deal(world, customer, f"Deal {number:02}")
    li = Panel(world).of("li")

    page = li.get(BOARD).text
    address = page.split('hx-get="' + f"{BOARD}/column")[1].split('"')[0].replace("&amp;", "&")
    more = li.get(f"{BOARD}/column{address}").text

    assert ("Deal 02" in page, "Deal 01" in page) == (True, False)
    assert ("Deal 01" in more, "Deal 00" in more, "Deal 02" in more) == (True, True, False)
    assert li.get(f"{BOARD}/column?pipeline=pip_{made + 9}&stage=x").status_code == 404


def test_times_in_stages_stand_on_the_page_of_the_opportunity(world: World) -> None:
    pipeline(world, is_default=True)
    id = deal(world)
    world.clock.pass_by(days=4)
    world.li.do(move, id, "proposal")
    world.clock.pass_by(hours=5)

    page = Panel(world).of("li").get(f"/admin/opportunity/details/opp_{id}?tab=stages").text

    assert "4 days" in page
    assert "5 hours" in page
    assert "Li Na" in page
