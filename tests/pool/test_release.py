"""Releasing customers into a pool."""

from datetime import timedelta

import pytest

from models import Contact, Customer, Event, FollowUp, Opportunity, OwnershipPeriod, Pool, PoolMember, User
from models.follow_up import FollowUpKind
from models.pool import Seat
from resolvers.customers import lock as locking
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from tests.support.claim_checks import (
    MISSING,
    change,
    claim,
    codes,
    held,
    of,
    periods,
    refused_like_missing,
    the,
    unchanged,
    whole,
)
from tests.support.world import START, World


def release(
    world: World, by: str, *ids: int, pool: str | None = None, reason: str | None = None, **how: bool
) -> Outcome:
    outcome: Outcome = world.scope(by).do(
        releasing.release, list(ids), world.ids[pool] if pool else None, reason, **how
    )
    return outcome


# --- release ---------------------------------------------------------------------------------------------


def test_a_release_puts_the_customer_into_the_pool_now_with_its_reason_kept(world: World) -> None:
    customer = world.customer(owner="li", stage="early")
    world.clock.pass_by(days=3)
    mark, events = world.mark(), world.count(Event)

    assert release(world, "li", customer, pool="north", reason="no budget").ids == [customer]

    row = world.row(Customer, customer)
    assert (row["owner_id"], row["pool_id"], row["department_id"]) == (None, world.ids["north"], None)
    assert (row["pooled_at"], row["claimed_at"], row["stage"]) == (START + timedelta(days=3), None, "early")
    (period,) = world.rows(OwnershipPeriod)
    assert (period["ended"], period["ended_at"], period["reason"]) == ("RELEASE", row["pooled_at"], "no budget")
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["reason"]) == ("customer.release", "no budget")
    assert entry["changes"]["pool_id"] == [None, world.ids["north"]]
    assert [x["topic"] for x in world.rows(Event)[events:]] == [f"pool:{world.ids['north']}"]
    assert (held(world, "li"), whole(world)) == (0, [])


def test_without_a_choice_the_first_open_pool_by_priority_takes_it(world: World) -> None:
    for name, priority in (("low", -1), ("high", 9), ("older", 5), ("younger", 5)):
        world.ids[name] = world.make(Pool, name=name, priority=priority)
        world.seat(name, "li", Seat.VIEWER)
    world.ids["foreign"] = world.make(Pool, name="foreign", priority=99)

    def goes_to() -> int:
        customer = world.customer(owner="li")
        release(world, "li", customer)
        return int(world.row(Customer, customer)["pool_id"])

    assert goes_to() == world.ids["high"]
    change(world, Pool, world.ids["high"], enabled=False)
    assert goes_to() == world.ids["older"]
    change(world, Pool, world.ids["older"], enabled=False)
    assert goes_to() == world.ids["younger"]
    change(world, Pool, world.ids["younger"], priority=0)
    assert goes_to() == world.ids["north"]  # nought as well, and older


def test_a_lead_releases_into_the_pools_of_the_owner_not_her_own(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "east")
    world.seat("south", "kim")
    customer = world.customer(owner="kim")

    assert release(world, "lead", customer).ids == [customer]
    assert world.row(Customer, customer)["pool_id"] == world.ids["south"]


def test_where_no_pool_fits_the_answer_names_what_is_missing(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "east")
    customer = world.customer(owner="kim")

    with unchanged(world):
        refusal = the(release(world, "kim", customer))

    assert (refusal.code(), refusal.field) == ("RULE_MISSING", "poolId")
    assert refusal.say() == "No open pool takes this customer: its owner has no seat in one. Choose a pool."
    assert refusal.say("zh") == "没有可移入的公海：负责人不是任何公海的成员。请选择公海。"


REASONS = [
    # what is closed, whether Li is dismissed, what is said in English and Chinese
    (
        ("north", "south"),
        False,
        "Every customer pool is closed. Ask an administrator to open one.",
        "所有公海均已停用，请联系管理员启用。",
    ),
    (
        ("north",),
        False,
        "Every pool of the owner is closed. Choose another pool.",
        "负责人所属的公海均已停用，请选择其他公海。",
    ),
    (
        (),
        True,
        "Li Na is no longer active, so no pool is theirs. Choose a pool.",
        "Li Na 已停用，不属于任何公海。请选择公海。",
    ),
]


@pytest.mark.parametrize(("closed", "dismissed", "english", "chinese"), REASONS)
def test_the_answer_names_the_reason_that_is_true(
    world: World, closed: tuple[str, ...], dismissed: bool, english: str, chinese: str
) -> None:
    customer = world.customer(owner="li")
    for pool in closed:
        change(world, Pool, world.ids[pool], enabled=False)
    if dismissed:
        change(world, User, world.ids["li"], active=False)

    with unchanged(world):
        refusal = the(release(world, "lead", customer))

    assert (refusal.code(), refusal.field) == ("RULE_MISSING", "poolId")
    assert (refusal.say(), refusal.say("zh")) == (english, chinese)


def test_a_chosen_pool_is_not_answered_with_another_where_every_pool_is_closed_or_gone(world: World) -> None:
    customer = world.customer(owner="li")
    for pool in ("north", "south"):
        change(world, Pool, world.ids[pool], enabled=False)

    told = the(release(world, "li", customer, pool="north"))
    assert told.say() == "Every customer pool is closed. Ask an administrator to open one."

    for model in (PoolMember, Pool):
        world.system.do(create_update.delete, model, [row["id"] for row in world.rows(model)])
    assert the(release(world, "li", customer)).say() == "There is no customer pool yet. Ask an administrator for one."


def test_the_customers_of_somebody_who_left_are_released_into_a_pool_that_is_chosen(world: World) -> None:
    customer = world.customer(owner="li")
    change(world, User, world.ids["li"], active=False)

    assert codes(release(world, "lead", customer)) == ["RULE_MISSING"]
    assert release(world, "lead", customer, pool="north").ids == [customer]
    assert (held(world, "li"), whole(world)) == (0, [])


def test_a_hidden_pool_and_a_missing_one_are_answered_alike_and_a_closed_one_is_named(world: World) -> None:
    customer = world.customer(owner="li")

    def told(pool_id: int) -> tuple[str, str | None, str]:
        with unchanged(world):
            refusal = the(world.li.do(releasing.release, [customer], pool_id))
        return refusal.code(), refusal.field, refusal.say()

    assert told(world.ids["south"]) == told(MISSING) == told(0)
    assert told(MISSING) == ("NOT_FOUND", "poolId", "There is no such pool, or you may not see it.")
    change(world, Pool, world.ids["north"], enabled=False)
    assert told(world.ids["north"]) == ("RULE_MISSING", "poolId", "The pool North is closed. Choose another.")


def test_a_colleagues_customer_is_like_a_missing_one_and_a_pooled_one_is_there_already(world: World) -> None:
    foreign, pooled, elsewhere = world.customer(owner="wu"), world.customer(pool="north"), world.customer(pool="south")

    refused_like_missing(world, "li", releasing.release, foreign)
    refused_like_missing(world, "li", releasing.release, elsewhere)
    with unchanged(world):
        refusal = the(release(world, "li", pooled))
    assert refusal.say() == f"{world.row(Customer, pooled)['number']} is in a customer pool already."


def test_who_sees_it_all_and_may_hand_nothing_on_is_forbidden_and_logged(world: World) -> None:
    owned, pooled = world.customer(owner="li"), world.customer(pool="north")
    mark = world.mark()

    with unchanged(world):
        assert codes(release(world, "sam", owned, pooled, pool="north")) == ["FORBIDDEN", "FORBIDDEN"]

    assert [(x["record_id"], x["outcome"]) for x in world.log(since=mark)] == [(owned, "DENIED")]


def test_a_locked_customer_is_released_by_its_owner_only_and_the_lock_lifts(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(locking.lock, [customer], "signing")

    for login in ("lead", "ada"):
        refused_like_missing(world, login, releasing.release, customer)
    assert release(world, "li", customer, lift_lock=True).ids == [customer]
    row = world.row(Customer, customer)
    assert (row["locked_by_id"], row["locked_at"], row["lock_reason"], row["lock_expires_at"]) == (None,) * 4
    assert whole(world) == []


def test_what_the_owner_looked_after_follows_the_next_owner_and_the_rest_stays(world: World) -> None:
    li, wu, lead = (world.ids[login] for login in ("li", "wu", "lead"))
    customer = world.customer(owner="li")
    mine = world.make(Contact, customer_id=customer, name="A", owner_id=li)
    others = world.make(Contact, customer_id=customer, name="B", owner_id=lead)
    chance = world.make(Opportunity, customer_id=customer, name="Deal", owner_id=li)
    done = world.make(
        FollowUp, customer_id=customer, kind=FollowUpKind.CALL, content="Hi", happened_at=START, owner_id=li
    )
    release(world, "li", customer, pool="north")
    claim(world, "wu", customer)

    assert [world.row(Contact, id)["owner_id"] for id in (mine, others)] == [None, lead]
    assert world.row(Opportunity, chance)["owner_id"] is None
    assert world.row(FollowUp, done)["owner_id"] == li
    world.wu.do(create_update.update, Opportunity, chance, {"name": "Bigger deal"})  # now his to work on
    with unchanged(world), pytest.raises(Exception, match="There is no such opportunity"):
        world.li.do(create_update.update, Opportunity, chance, {"name": "Mine"})
    assert of(Opportunity, world, id=chance)[0]["name"] == "Bigger deal"
    assert periods(world, customer) == [(li, "CREATE", "RELEASE"), (wu, "CLAIM", None)]
