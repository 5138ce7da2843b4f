"""What a claim would meet: every rule, its numbers, its moment; and that the claim then does exactly that."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from models import Customer, Pool, User
from models.errors import Validation
from models.pool import Seat
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.pool.claim import Preview
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import MISSING, change, claim, organise, owner, unchanged
from tests.support.world import START, World

DAY = timedelta(days=1)


def preview(world: World, login: str, *ids: int) -> list[Preview]:
    found: list[Preview] = world.run(world.scope(login).read(claiming.claim_preview, list(ids)))
    return found


def checks(world: World, login: str, id: int) -> list[tuple[str, bool, str, datetime | None]]:
    (found,) = preview(world, login, id)
    return [(check.rule, check.passed, check.detail.say(), check.passes_at) for check in found.checks]


def test_every_rule_is_shown_passed_with_its_numbers(world: World) -> None:
    world.rule("north", daily_quota=5, weekly_quota=20, capacity=40, cooldown_days=7, protect_days=1)
    change(world, User, world.ids["li"], capacity=30)
    first, customer = world.customer("A", pool="north"), world.customer("B", pool="north")
    world.clock.pass_by(days=1)
    claim(world, "li", first)

    assert checks(world, "li", customer) == [
        ("IN_POOL", True, "it is in a pool", None),
        ("RIGHT", True, "you may claim here", None),
        ("POOL_OPEN", True, "the pool is open", None),
        ("PROTECTION", True, "new arrivals wait 1 day", None),
        ("COOLDOWN", True, "former owners wait 7 days", None),
        ("QUOTA_DAY", True, "1 of 5 claimed", None),
        ("QUOTA_WEEK", True, "1 of 20 claimed", None),
        ("CAPACITY", True, "1 of 30 held", None),
    ]
    assert preview(world, "li", customer)[0].allowed


def test_every_rule_that_does_not_pass_is_shown_with_the_moment_when_it_will(world: World) -> None:
    organise(world, time_zone="Asia/Shanghai")
    world.rule("north", daily_quota=1, weekly_quota=1, capacity=1, cooldown_days=7, protect_days=2)
    customer, other = world.customer("A", owner="li"), world.customer("B", pool="north")
    world.clock.pass_by(days=2)
    world.li.do(releasing.release, [customer])
    claim(world, "li", other)
    change(world, Pool, world.ids["north"], enabled=False)

    released = START + 2 * DAY
    assert checks(world, "li", customer) == [
        ("IN_POOL", True, "it is in a pool", None),
        ("RIGHT", True, "you may claim here", None),
        ("POOL_OPEN", False, "the pool is closed", None),
        ("PROTECTION", False, "new arrivals wait 2 days", released + 2 * DAY),
        ("COOLDOWN", False, "former owners wait 7 days", released + 7 * DAY),
        ("QUOTA_DAY", False, "1 of 1 claimed", datetime.fromisoformat("2026-11-26T16:00+00:00")),
        ("QUOTA_WEEK", False, "1 of 1 claimed", datetime.fromisoformat("2026-11-29T16:00+00:00")),
        ("CAPACITY", False, "1 of 1 held", None),
    ]
    assert not preview(world, "li", customer)[0].allowed


def test_a_pool_without_a_rule_asks_for_room_only(world: World) -> None:
    customer = world.customer(pool="north")

    assert [rule for rule, *_ in checks(world, "li", customer)] == ["IN_POOL", "RIGHT", "POOL_OPEN", "CAPACITY"]
    assert checks(world, "li", customer)[-1] == ("CAPACITY", True, "0 held, no limit", None)


def test_a_preview_changes_nothing_and_is_not_logged(world: World) -> None:
    customer = world.customer(pool="north")
    mark = world.mark()

    with unchanged(world):
        preview(world, "li", customer, MISSING)

    assert world.log(since=mark) == []


def test_hidden_and_missing_customers_are_left_out_and_the_rest_comes_in_the_order_asked_once(world: World) -> None:
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    hidden, foreign = world.customer("C", pool="south"), world.customer("D", owner="wu")

    found = preview(world, "li", second, hidden, MISSING, 0, first, foreign, second)

    assert [x.customer_id for x in found] == [second, first]


def test_a_customer_just_lost_is_left_out_as_well_unless_it_is_still_seen(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "wu", customer)

    assert preview(world, "li", customer) == []
    assert checks(world, "lead", customer) == [("IN_POOL", False, "it is not in a pool", None)]


def test_only_so_many_are_looked_at_in_one_request(world: World) -> None:
    with pytest.raises(Validation, match="At most 200 records in one request"):
        preview(world, "li", *range(1, 202))


# --- agreement -------------------------------------------------------------------------------------------

RULE = {"daily_quota": 2, "weekly_quota": 3, "capacity": 4, "cooldown_days": 7, "protect_days": 2}


class Situation:
    """A pool with every kind of rule, and customers in every kind of place."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.user("kim", "Kim Ro", "sales", "west")
        world.seat("north", "kim", Seat.VIEWER)
        self.ids: dict[str, int] = {}
        self.pooled("fresh", days_ago=0)
        for n in range(4):
            self.pooled(f"old {n}", days_ago=3)
        for login in ("li", "wu", "lead"):
            self.ids[f"{login}'s"] = world.customer(f"{login}'s", owner=login)
        self.former("li's former", "li")
        self.pooled("elsewhere", days_ago=3, pool="south")
        self.pooled("binned", days_ago=3)
        world.system.do(create_update.delete, Customer, [self.ids["binned"]])
        world.rule("north", **RULE)

    def pooled(self, name: str, days_ago: int, pool: str = "north") -> None:
        now = self.world.clock.now
        self.world.clock.now = now - days_ago * DAY
        self.ids[name] = self.world.customer(name, pool=pool)
        self.world.clock.now = now

    def former(self, name: str, login: str) -> None:
        now = self.world.clock.now
        self.world.clock.now = now - 3 * DAY
        self.ids[name] = self.world.customer(name, owner=login)
        self.world.scope(login).do(releasing.release, [self.ids[name]])
        self.world.clock.now = now


def _nothing(_world: World, _ids: dict[str, int]) -> None:
    pass


def _closed(world: World, _ids: dict[str, int]) -> None:
    change(world, Pool, world.ids["north"], enabled=False)


def _day_used(world: World, ids: dict[str, int]) -> None:
    claim(world, "li", ids["old 0"], ids["old 1"])


def _week_used(world: World, ids: dict[str, int]) -> None:
    claim(world, "li", ids["old 0"], ids["old 1"])
    world.clock.pass_by(days=1)
    claim(world, "li", ids["old 2"])


def _full(world: World, ids: dict[str, int]) -> None:
    world.wu.do(transferring.transfer, [ids["wu's"]], world.ids["li"])
    world.lead.do(transferring.transfer, [ids["lead's"]], world.ids["li"])
    world.lead.do(assigning.assign, [ids["old 0"]], world.ids["li"])


def _own_limit(world: World, _ids: dict[str, int]) -> None:
    change(world, User, world.ids["li"], capacity=1)


def _lost(world: World, ids: dict[str, int]) -> None:
    claim(world, "wu", ids["old 3"])


def _later(world: World, _ids: dict[str, int]) -> None:
    world.clock.pass_by(days=2)


SHORT, MORE = (_nothing, _day_used, _full, _lost), (_closed, _week_used, _own_limit, _later)


@pytest.mark.parametrize("turn", [*SHORT, *(pytest.param(turn, marks=pytest.mark.long) for turn in MORE)])
def test_a_claim_does_what_its_preview_said(world: World, turn: Any) -> None:
    """For everybody and every customer: allowed exactly if it succeeds, and refused for the first rule not passed."""
    ids = Situation(world).ids
    turn(world, ids)
    told = done = 0
    with unchanged(world):
        for login in ("li", "wu", "lead", "kim", "mei", "ada", "fin", "aud"):
            said = {x.customer_id: x for x in preview(world, login, *ids.values())}
            for name, outcome in world.scope(login).do(_rehearse, ids).items():
                found = said.get(ids[name])
                if found is None:
                    assert outcome in ("NOT_FOUND", "ALREADY_CLAIMED"), (login, name)
                    continue
                refusals = [check.refusal for check in found.checks if check.refusal is not None]
                assert outcome == (refusals[0].code() if refusals else "done"), (login, name)
                assert found.allowed is (outcome == "done"), (login, name)
                told, done = told + 1, done + (outcome == "done")
    assert told > 30
    assert done > 3 or turn is _closed


class _Rehearsed(Exception):
    pass


def _rehearse(scope: Scope, ids: dict[str, int]) -> dict[str, str]:
    """What claiming each alone would give; all of it is taken back."""
    found = {}
    for name, id in ids.items():
        with suppress(_Rehearsed), scope.write("customer.claim"):
            outcome = claiming.claim(scope, [id])
            found[name] = "done" if outcome.ids else outcome.problems[0].code()
            raise _Rehearsed
    return found


def test_what_is_allowed_one_by_one_may_still_be_too_much_together(world: World) -> None:
    world.rule("north", daily_quota=1)
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")

    assert [x.allowed for x in preview(world, "li", first, second)] == [True, True]
    assert claim(world, "li", first, second).ids == [first]
    assert [x.allowed for x in preview(world, "li", second)] == [False]
    assert owner(world, second) is None
