"""Sums of opportunities: by stage, person, team, pipeline and month, never across currencies, under rights."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import Opportunity
from models.errors import NotFound, Validation
from policies import STARTER, Snapshot
from resolvers.customers.opportunity_board import board, more
from resolvers.customers.opportunity_stages import win
from resolvers.customers.opportunity_sums import Group, SumsBy, groups, of_customer
from resolvers.records import create_update
from tests.support.pipelines import deal, pipeline
from tests.support.world import START, World


@pytest.fixture
def deals(world: World) -> dict[str, int]:
    """Eight opportunities of two owners of two teams, in two pipelines and two currencies."""
    first, other = pipeline(world, is_default=True), pipeline(world, "Other", {"proposal": {"probability": 50}})
    mine, theirs = world.customer("Mine", "li"), world.customer("Theirs", "mei")
    may, june = date(2027, 5, 9), date(2027, 6, 1)
    deal(world, mine, "A", amount=Decimal(100), expected_close=may)
    deal(world, mine, "B", amount=Decimal("33.33"), stage="proposal", expected_close=june)
    deal(world, mine, "C", amount=Decimal(50), currency="EUR", stage="proposal", expected_close=may)
    deal(world, mine, "D")
    deal(world, mine, "E", amount=Decimal(70), stage="won", closed_on=date(2026, 5, 3))
    deal(world, mine, "F", amount=Decimal(9), stage="lost", lost_reason="price")
    deal(world, theirs, "G", "mei", amount=Decimal(1000), pipeline_id=other, expected_close=may)
    gone = deal(world, mine, "H", amount=Decimal(5000))
    world.ada.do(create_update.delete, Opportunity, [gone])
    return {"first": first, "other": other, "mine": mine, "theirs": theirs}


def read(world: World, by: str, reading: Any, *args: Any, **more: Any) -> Any:
    return world.run(world.scope(by).read(reading, *args, **more))


def told(found: list[Group]) -> dict[Any, Any]:
    """Key -> (open, won, lost, {currency: (open, weighted, won, lost)})."""
    return {
        x.key: (
            x.open,
            x.won,
            x.lost,
            {t.currency: tuple(map(str, (t.open, t.weighted, t.won, t.lost))) for t in x.totals},
        )
        for x in found
    }


def test_sums_by_stage_keep_currencies_apart(world: World, deals: dict[str, int]) -> None:
    assert told(read(world, "li", groups, SumsBy.STAGE)) == {
        "discovery": (2, 0, 0, {"CNY": ("100.00", "10.00", "0.00", "0.00")}),
        "proposal": (2, 0, 0, {"EUR": ("50.00", "20.00", "0.00", "0.00"), "CNY": ("33.33", "13.33", "0.00", "0.00")}),
        "won": (0, 1, 0, {"CNY": ("0.00", "0.00", "70.00", "0.00")}),
        "lost": (0, 0, 1, {"CNY": ("0.00", "0.00", "0.00", "9.00")}),
    }


def test_sums_by_person_team_pipeline_and_month(world: World, deals: dict[str, int]) -> None:
    li, mei = world.ids["li"], world.ids["mei"]
    mine = (4, 1, 1, {"CNY": ("133.33", "23.33", "70.00", "9.00"), "EUR": ("50.00", "20.00", "0.00", "0.00")})
    theirs = (1, 0, 0, {"CNY": ("1000.00", "500.00", "0.00", "0.00")})

    assert told(read(world, "ada", groups, SumsBy.PERSON)) == {li: mine, mei: theirs}
    assert told(read(world, "ada", groups, SumsBy.TEAM)) == {world.ids["east"]: mine, world.ids["west"]: theirs}
    assert told(read(world, "ada", groups, SumsBy.PIPELINE)) == {deals["first"]: mine, deals["other"]: theirs}
    months = told(read(world, "ada", groups, SumsBy.MONTH))
    assert [*months] == [date(2026, 5, 1), date(2026, 11, 1), date(2027, 5, 1), date(2027, 6, 1), None]
    assert months[date(2027, 5, 1)][3] == {
        "CNY": ("1100.00", "510.00", "0.00", "0.00"),
        "EUR": ("50.00", "20.00", "0.00", "0.00"),
    }
    assert months[date(2026, 5, 1)][3] == {"CNY": ("0.00", "0.00", "70.00", "0.00")}


def test_what_one_may_not_see_does_not_count(world: World, deals: dict[str, int]) -> None:
    assert [*told(read(world, "li", groups, SumsBy.PERSON))] == [world.ids["li"]]
    hiding = f"{STARTER}\np, sales, opportunity.amount, view, all, any, deny"
    world.backend.policy = Snapshot(hiding, revision=world.backend.policy.revision)

    hidden = told(read(world, "li", groups, SumsBy.STAGE))

    assert {key: group[3] for key, group in hidden.items()} == {
        key: {} for key in ("discovery", "proposal", "won", "lost")
    }


def test_the_sums_of_a_customer(world: World, deals: dict[str, int]) -> None:
    found = read(world, "li", of_customer, deals["mine"])

    assert found.won == {"CNY": Decimal(70)}
    assert found.weighted == {"CNY": Decimal("23.33"), "EUR": Decimal(20)}
    assert found.open == {"CNY": Decimal("133.33"), "EUR": Decimal(50)}
    assert found.last_deal_at == START
    assert read(world, "li", of_customer, deals["theirs"]).open == {}


def test_a_condition_narrows_sums_and_board_alike(world: World, deals: dict[str, int]) -> None:
    big = {"amount": {"gte": "60"}}

    sums = read(world, "ada", groups, SumsBy.STAGE, big, {"pipeline_id": {"eq": deals["first"]}})
    shown = read(world, "ada", board, deals["first"], big)

    assert told(sums) == told([x.sums for x in shown.columns if x.sums.count])
    with pytest.raises(Validation):
        read(world, "ada", board, deals["first"], {"nothing": {"eq": 1}})


# --- the board -------------------------------------------------------------------------------------------


def test_a_board_has_a_column_for_each_stage(world: World, deals: dict[str, int]) -> None:
    shown = read(world, "li", board, None)

    assert shown.pipeline.id == deals["first"]
    assert [(x.key, x.word.label, x.sums.count) for x in shown.columns] == [
        ("discovery", "Discovery", 2),
        ("proposal", "Proposal", 2),
        ("waiting", "Waiting", 0),
        ("won", "Won", 1),
        ("lost", "Lost", 1),
    ]
    names = [[row["name"] for row in column.page.rows] for column in shown.columns]
    assert names == [["D", "A"], ["C", "B"], [], ["E"], ["F"]]
    assert shown.columns[0].page.rows[0].may == {"edit"}
    with pytest.raises(NotFound):
        read(world, "li", board, 999)


def test_a_column_is_read_in_pages_the_newest_first(world: World) -> None:
    id, customer = pipeline(world), world.customer("Acme", "li")
    for number in range(5):
        world.clock.pass_by(minutes=1)
        deal(world, customer, str(number))

    column = read(world, "li", board, id, size=2).columns[0]
    rest = [column.page]
    while rest[-1].after is not None:
        rest.append(read(world, "li", more, id, "discovery", rest[-1].after, size=2))

    assert [[row["name"] for row in page.rows] for page in rest] == [["4", "3"], ["2", "1"], ["0"]]
    assert column.sums.count == 5


def test_what_stands_in_no_stage_of_the_pipeline_has_a_column_of_its_own(world: World) -> None:
    lost = deal(world)  # before there was a pipeline
    id = pipeline(world)
    with world.backend.writer.engine.begin() as connection:
        table: Any = Opportunity.__table__
        connection.execute(table.update().where(table.c.id == lost).values(pipeline_id=id))

    first, *_ = read(world, "li", board, id).columns

    assert (first.key, first.sums.count, [row.id for row in first.page.rows]) == (None, 1, [lost])


def test_stale_opportunities_are_a_condition(world: World, deals: dict[str, int]) -> None:
    world.clock.pass_by(days=11)
    now = world.clock.now

    found = read(world, "li", groups, SumsBy.STAGE, None, {"stale_at": {"lte": now}})

    assert [(x.key, x.open) for x in found] == [("proposal", 2)]
    won = next(row["id"] for row in world.rows(Opportunity) if row["name"] == "B")
    world.li.do(win, won)
    assert now - START > timedelta(days=10)
    assert [x.open for x in read(world, "li", groups, SumsBy.STAGE, None, {"stale_at": {"lte": now}})] == [1]
