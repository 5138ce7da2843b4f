"""The fairness report of a pool: its numbers against what was done, who may read it, and what it takes."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from models import AssignmentRule, Customer
from models.errors import Forbidden, NotFound, Validation
from resolvers.pool import assign as assigning
from resolvers.pool.auto_assign import auto_assign
from resolvers.pool.health import Health, pool_health
from resolvers.records import create_update
from tests.support.claim_checks import claim, organise
from tests.support.graphql import Api
from tests.support.world import START, World

FIRST = START.date()


def report(world: World, login: str = "lead", first: date = FIRST, days: int = 10, pool: str = "north") -> Health:
    last = first + timedelta(days=days - 1)
    found: Health = world.run(world.scope(login).read(pool_health, world.ids[pool], first, last))
    return found


def test_the_numbers_are_those_of_what_was_done(world: World) -> None:
    world.rule("north", daily_quota=5, weekly_quota=9)
    ids = [world.customer(f"C{n}", pool="north") for n in range(8)]
    world.clock.pass_by(hours=2)
    claim(world, "li", *ids[:2])
    world.clock.pass_by(hours=8)
    claim(world, "wu", ids[2])
    world.clock.pass_by(days=1)
    world.lead.do(assigning.assign, [ids[3]], world.ids["li"])
    world.make(AssignmentRule, pool_id=world.ids["north"])
    world.lead.do(auto_assign, [ids[4]])
    world.lead.do(create_update.delete, Customer, [ids[5]])
    world.customer("Late", pool="north")
    world.clock.pass_by(days=8)

    found = report(world)

    people = {x.user_id: (x.claimed, x.assigned, x.most) for x in found.people}
    assert people[world.ids["li"]][0] == 2
    assert people[world.ids["wu"]][0] == 1
    assert (people[world.ids["li"]][2], people[world.ids["wu"]][2]) == (2, 1)
    assert sum(x[1] for x in people.values()) == 2
    assert (found.daily_quota, found.weekly_quota) == (5, 9)
    flows = [(x.day, x.arrived, x.claimed, x.assigned, x.deleted) for x in found.days if x.arrived or x.left]
    assert flows == [(FIRST, 8, 3, 0, 0), (FIRST + timedelta(days=1), 1, 0, 2, 1)]
    assert (found.median, found.ninetieth) == (timedelta(hours=2), timedelta(hours=10))
    assert [(x.days, x.count) for x in found.ages if x.count] == [(7, 3)]  # two of the first eight, and the late one
    assert [(x.strategy.value, x.assigned, x.nobody) for x in found.assignments] == [("ROUND_ROBIN", 1, 0)]
    assert [count for _, count in found.releases] == [0] * 7


def test_days_are_those_of_the_organisation(world: World) -> None:
    organise(world, time_zone="Asia/Shanghai")
    world.customer("A", pool="north")
    world.clock.pass_by(hours=9)  # past midnight in Shanghai
    world.customer("B", pool="north")

    assert [x.arrived for x in report(world, days=3).days] == [1, 1, 0]


def test_administrators_of_the_pool_read_it_and_nobody_else(world: World) -> None:
    assert report(world, "ada").people == []
    with pytest.raises(Forbidden):
        report(world, "li")
    with pytest.raises(NotFound):
        report(world, "mei")
    with pytest.raises(NotFound):
        report(world, "lead", pool="south")


@pytest.mark.parametrize("days", [0, 93])
def test_it_covers_up_to_ninety_two_days(world: World, days: int) -> None:
    with pytest.raises(Validation, match="Choose up to 92 days"):
        report(world, days=days)


def test_a_report_takes_the_same_number_of_statements_whatever_it_counts(world: World) -> None:
    def statements() -> int:
        heard: list[str] = []
        engine = world.backend.read_engine.sync_engine

        def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                heard.append(statement)

        event.listen(engine, "before_cursor_execute", hear)
        try:
            report(world)
        finally:
            event.remove(engine, "before_cursor_execute", hear)
        return len(heard)

    claim(world, "li", world.customer("A", pool="north"))
    few = statements()
    for n in range(5):
        claim(world, "wu", world.customer(f"C{n}", pool="north"))

    assert statements() == few <= 12


def test_graphql_has_the_report(api: Api, world: World) -> None:
    claim(world, "li", world.customer("A", pool="north"))
    asked = f"""{{ poolHealth(poolId: "poo_{world.ids["north"]}", from: "2026-11-24", to: "2026-11-25") {{
        pool {{ name }} dailyQuota people {{ user {{ login }} claimed mostInADay }} days {{ day arrived left }}
        medianHoursToClaim p90HoursToClaim ages {{ days below count }} assignments {{ strategy }} releases {{ day count }}
    }} }}"""

    found = api.ask("lead", asked)["poolHealth"]

    assert (found["pool"], found["people"]) == (
        {"name": "North"},
        [{"user": {"login": "li"}, "claimed": 1, "mostInADay": 1}],
    )
    assert found["days"] == [
        {"day": "2026-11-24", "arrived": 1, "left": 1},
        {"day": "2026-11-25", "arrived": 0, "left": 0},
    ]
    assert (found["medianHoursToClaim"], found["p90HoursToClaim"]) == (0.0, 0.0)
    assert api.answer("li", asked)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
