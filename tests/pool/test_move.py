"""Moving pooled customers into another pool."""

from datetime import timedelta

import pytest

from models import Customer, Event, OwnershipPeriod, Pool, User
from models.pool import Seat
from resolvers.pool import move as moving
from resolvers.pool import release as releasing
from resolvers.pool import time_in_pool
from resolvers.records import create_update
from resolvers.runtime.batch import Mode, Outcome
from tests.support.claim_checks import (
    MISSING,
    change,
    claim,
    codes,
    held,
    owner,
    periods,
    refused_like_missing,
    the,
    unchanged,
    used,
    whole,
)
from tests.support.world import START, World


def move(world: World, by: str, pool: str, *ids: int, reason: str | None = None, **how: Mode) -> Outcome:
    outcome: Outcome = world.scope(by).do(moving.move, list(ids), world.ids[pool], reason, **how)
    return outcome


def lies_in(world: World, customer: int) -> int | None:
    found: int | None = world.row(Customer, customer)["pool_id"]
    return found


@pytest.fixture
def sees_south(world: World) -> World:
    """Lena, who administers North, may look at South."""
    world.seat("south", "lead", Seat.VIEWER)
    return world


# --- what a move does ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("sees_south")
def test_a_move_starts_the_time_in_the_pool_anew_and_is_logged_with_its_reason(world: World) -> None:
    customer = world.customer(pool="north", stage="early")
    world.clock.pass_by(days=3)
    mark, events = world.mark(), world.count(Event)

    assert move(world, "lead", "south", customer, reason="Territory").ids == [customer]

    row = world.row(Customer, customer)
    assert (row["owner_id"], row["pool_id"], row["stage"]) == (None, world.ids["south"], "early")
    assert row["pooled_at"] == START + timedelta(days=3)
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["reason"]) == ("customer.move", "Territory")
    assert entry["changes"]["pool_id"] == [world.ids["north"], world.ids["south"]]
    told = [(x["topic"], x["record_id"]) for x in world.rows(Event)[events:]]
    assert told == [(f"pool:{world.ids[name]}", customer) for name in ("north", "south")]
    assert whole(world) == []


def test_why_the_last_owner_gave_it_up_stays_and_the_time_limit_is_that_of_the_new_pool(world: World) -> None:
    change(world, Pool, world.ids["north"], retain_days=2)
    change(world, Pool, world.ids["south"], retain_days=30)
    customer = world.customer(owner="li")
    world.li.do(releasing.release, [customer], world.ids["north"], "No budget")
    world.clock.pass_by(days=2)

    move(world, "ada", "south", customer, reason="Territory")

    stay = world.run(world.ada.read(time_in_pool.of, [customer]))[customer]
    assert (stay.pool, stay.ended, stay.former, stay.reason) == ("South", "RELEASE", "Li Na", "No budget")
    assert stay.days_left(world.clock.now) == 30
    assert periods(world, customer) == [(world.ids["li"], "CREATE", "RELEASE")]
    assert world.rows(OwnershipPeriod)[0]["ended_at"] == START


def test_a_new_arrival_is_protected_by_the_new_pool_and_a_former_owner_still_waits(world: World) -> None:
    world.seat("south", "li")
    world.rule("south", protect_days=1, cooldown_days=5)
    customer = world.customer(owner="li")
    world.li.do(releasing.release, [customer], world.ids["north"])
    world.clock.pass_by(days=2)
    move(world, "ada", "south", customer)

    assert codes(claim(world, "mei", customer)) == ["PROTECTED"]
    world.clock.pass_by(days=1)
    assert codes(claim(world, "li", customer)) == ["COOLDOWN"]
    assert claim(world, "mei", customer).ids == [customer]


def test_a_move_costs_no_user_anything_and_claims_count_where_the_customer_then_lies(world: World) -> None:
    world.rule("north", daily_quota=1)
    world.rule("south", daily_quota=1)
    world.seat("south", "li")
    change(world, User, world.ids["lead"], capacity=0)
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", first)

    assert move(world, "ada", "south", second).ids == [second]
    assert (held(world, "lead"), held(world, "ada"), used(world, "li", "south")) == (0, 0, {})
    assert claim(world, "li", second).ids == [second]  # the quota of North is used up, that of South is not
    assert (used(world, "li"), used(world, "li", "south")) == ({"2026-11-24": 1}, {"2026-11-24": 1})


def test_customers_leave_a_closed_pool(world: World) -> None:
    customer = world.customer(pool="north")
    change(world, Pool, world.ids["north"], enabled=False)

    assert move(world, "ada", "south", customer).ids == [customer]
    assert lies_in(world, customer) == world.ids["south"]


# --- what is refused -------------------------------------------------------------------------------------


def test_a_closed_pool_takes_nothing_and_where_all_are_closed_no_other_is_advised(world: World) -> None:
    customer = world.customer(pool="north")
    change(world, Pool, world.ids["south"], enabled=False)

    with unchanged(world):
        refusal = the(move(world, "ada", "south", customer))
    assert (refusal.code(), refusal.field) == ("RULE_MISSING", "poolId")
    assert refusal.say() == "The pool South is closed. Choose another."

    change(world, Pool, world.ids["north"], enabled=False)
    with unchanged(world):
        assert the(move(world, "ada", "south", customer)).say("zh") == "所有公海均已停用，请联系管理员启用。"


def test_a_move_into_the_same_pool_is_one_sentence_for_many_customers(world: World) -> None:
    ids = [world.customer(name, pool="north") for name in ("A", "B")]
    number = world.row(Customer, ids[0])["number"]
    world.clock.pass_by(days=1)

    with unchanged(world):
        problems = move(world, "lead", "north", *ids).problems

    assert [x.code() for x in problems] == ["IN_THAT_POOL"] * 2
    assert problems[0].say() == f"{number} is in the pool North already. Choose another."
    assert {x.say_of_many("zh") for x in problems} == {"这些记录已在公海 North 中，请选择其他公海。"}


def test_a_pool_out_of_sight_is_answered_like_one_that_never_was(world: World) -> None:
    customer = world.customer(pool="north")

    for pool_id in (world.ids["south"], MISSING, 0):
        with unchanged(world):
            refusal = the(world.lead.do(moving.move, [customer], pool_id))
        assert (refusal.code(), refusal.field) == ("NOT_FOUND", "poolId")
        assert refusal.say() == "There is no such pool, or you may not see it."


def test_who_does_not_administer_the_pool_is_refused_and_logged(world: World) -> None:
    world.seat("south", "li")
    customer = world.customer(pool="north")
    mark = world.mark()

    with unchanged(world):
        refusal = the(move(world, "li", "south", customer))

    assert refusal.say("zh") == "您的角色没有此权限：移至其他公海（客户）。请联系管理员开通。"
    assert [(x["action"], x["outcome"], x["record_id"]) for x in world.log(since=mark)] == [
        ("customer.move", "DENIED", customer)
    ]
    refused_like_missing(world, "mei", moving.move, customer, world.ids["south"])


@pytest.mark.usefixtures("sees_south")
def test_what_is_owned_claimed_or_deleted_meanwhile_is_not_moved(world: World) -> None:
    owned, taken, binned = (
        world.customer("A", owner="wu"),
        world.customer("B", pool="north"),
        world.customer("C", pool="north"),
    )
    claim(world, "li", taken)
    world.system.do(create_update.delete, Customer, [binned])

    with unchanged(world):
        assert codes(move(world, "lead", "south", owned, taken, binned)) == [
            "NOT_IN_POOL",
            "ALREADY_CLAIMED",
            "IN_BIN",
        ]
    assert owner(world, taken) == world.ids["li"]


@pytest.mark.usefixtures("sees_south")
def test_all_or_nothing_moves_none_where_one_was_taken(world: World) -> None:
    lies, taken = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", taken)

    with unchanged(world):
        told = codes(move(world, "lead", "south", lies, taken, mode=Mode.ALL_OR_NOTHING))

    assert told == ["BATCH_UNDONE", "ALREADY_CLAIMED"]
    assert move(world, "lead", "south", lies, taken).ids == [lies]
