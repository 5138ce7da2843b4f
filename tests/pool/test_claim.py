"""Claiming from the pool: who may, who wins, what is written down, and what nobody learns."""

from datetime import timedelta

from models import AuditEntry, Customer, Event, OwnershipPeriod, Pool, PoolMember
from models.audit.entries import Outcome as Logged
from models.pool import Seat
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.ids import number_of
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


def test_a_member_claims_a_pooled_customer_and_owns_it(world: World) -> None:
    customer = world.customer(pool="north", stage="early")
    before = world.row(Customer, customer)

    outcome = world.li.do(claiming.claim, [customer])

    assert (outcome.ids, outcome.problems) == ([customer], [])
    after = world.row(Customer, customer)
    changed = {key: after[key] for key in after if after[key] != before[key]}
    assert changed == {
        "owner_id": world.ids["li"],
        "pool_id": None,
        "pooled_at": None,
        "claimed_at": START,
        "department_id": world.ids["east"],
        "version": 2,
        "updated_by_id": world.ids["li"],
    }
    assert held(world, "li") == 1
    assert whole(world) == []


def test_a_claim_opens_an_ownership_period_that_names_the_pool(world: World) -> None:
    customer = world.customer(pool="north")

    claim(world, "li", customer)

    (period,) = world.rows(OwnershipPeriod)
    assert (period["customer_id"], period["owner_id"]) == (customer, world.ids["li"])
    assert (period["pool_id"], period["began"], period["started_at"]) == (world.ids["north"], "CLAIM", START)
    assert (period["ended"], period["ended_at"]) == (None, None)


def test_a_claim_is_one_log_entry_with_old_and_new_and_one_event(world: World) -> None:
    customer = world.customer(pool="north")
    mark, events = world.mark(), world.count(Event)

    claim(world, "li", customer)

    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["entity"], entry["record_id"]) == ("customer.claim", "customer", customer)
    assert (entry["actor_id"], entry["actor_name"], entry["outcome"]) == (world.ids["li"], "Li Na", "OK")
    assert entry["label"] == world.row(Customer, customer)["number"]
    assert entry["changes"] == {
        "owner_id": [None, world.ids["li"]],
        "pool_id": [world.ids["north"], None],
        "department_id": [None, world.ids["east"]],
        "pooled_at": ["2026-11-24T08:00:00.000Z", None],
        "claimed_at": [None, "2026-11-24T08:00:00.000Z"],
    }
    told = world.rows(Event)[events:]
    assert [(x["topic"], x["action"], x["record_id"]) for x in told] == [
        (f"pool:{world.ids['north']}", "customer.claim", customer)
    ]


def test_the_second_of_two_learns_that_he_lost_but_not_to_whom(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    mark = world.mark()

    with unchanged(world):
        refusal = the(claim(world, "wu", customer))

    assert (refusal.code(), refusal.record_id) == ("ALREADY_CLAIMED", f"cus_{customer}")
    assert refusal.params == {}
    assert refusal.say() == "This customer was claimed first by somebody else."
    assert refusal.say("zh") == "该客户已被他人抢先领取。"
    assert world.log(since=mark) == []  # losing a race is no attempt without a right
    assert (owner(world, customer), held(world, "wu")) == (world.ids["li"], 0)


def test_who_lost_to_an_assignment_learns_that_too(world: World) -> None:
    customer = world.customer(pool="north")
    world.lead.do(assigning.assign, [customer], world.ids["li"])

    assert the(claim(world, "wu", customer)).code() == "ALREADY_CLAIMED"


def test_within_the_hour_means_less_than_an_hour(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)

    world.clock.pass_by(minutes=59, seconds=59, milliseconds=999)
    assert the(claim(world, "wu", customer)).code() == "ALREADY_CLAIMED"

    world.clock.pass_by(milliseconds=1)
    refused_like_missing(world, "wu", claiming.claim, customer)


def test_somebody_elses_customer_is_like_a_missing_one_unless_it_was_just_taken_from_the_pool(world: World) -> None:
    created, transferred = world.customer("Created", owner="li"), world.customer("Transferred", pool="north")
    claim(world, "li", transferred)
    world.li.do(transferring.transfer, [transferred], world.ids["mei"])
    binned, restored = world.customer("Binned", pool="north"), world.customer("Restored", pool="north")
    claim(world, "li", binned, restored)
    world.li.do(create_update.delete, Customer, [binned, restored])
    world.lead.do(create_update.restore, Customer, [restored])

    for hidden in (created, transferred, binned, restored):
        refused_like_missing(world, "wu", claiming.claim, hidden)


def test_a_customer_taken_from_another_pool_is_like_a_missing_one(world: World) -> None:
    customer = world.customer(pool="south")
    claim(world, "mei", customer)

    refused_like_missing(world, "wu", claiming.claim, customer)


def test_a_viewer_who_may_not_claim_there_does_not_learn_that_somebody_did(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "west")
    world.seat("north", "kim", Seat.VIEWER)
    customer = world.customer(pool="north")
    claim(world, "li", customer)

    refused_like_missing(world, "kim", claiming.claim, customer)


def test_a_seat_without_a_role_that_may_claim_learns_nothing_either(world: World) -> None:
    world.seat("north", "rolf")
    customer = world.customer(pool="north")
    claim(world, "li", customer)

    refused_like_missing(world, "rolf", claiming.claim, customer)


def test_a_pool_closed_meanwhile_tells_nobody_who_won(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    change(world, Pool, world.ids["north"], enabled=False)

    refused_like_missing(world, "wu", claiming.claim, customer)


def test_without_a_seat_a_pooled_customer_is_like_a_missing_one(world: World) -> None:
    customer = world.customer(pool="north")

    refused_like_missing(world, "mei", claiming.claim, customer)


def test_a_seat_taken_away_is_gone_at_once(world: World) -> None:
    customer = world.customer(pool="south")
    seat = world.seat("south", "wu")
    world.system.do(create_update.delete, PoolMember, [seat])

    refused_like_missing(world, "wu", claiming.claim, customer)


def test_a_viewers_seat_lets_one_look_and_not_claim_and_the_attempt_is_logged(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "west")
    world.seat("north", "kim", Seat.VIEWER)
    customer = world.customer(pool="north")
    mark = world.mark()

    with unchanged(world):
        refusal = the(claim(world, "kim", customer))

    assert (refusal.code(), refusal.params) == ("FORBIDDEN", {"action": "customer.claim"})
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["record_id"], entry["actor_id"]) == ("customer.claim", customer, world.ids["kim"])
    assert (entry["outcome"], entry["changes"], entry["label"]) == ("DENIED", {}, None)


def test_who_sees_everything_and_may_claim_nothing_is_forbidden_whatever_the_customer(world: World) -> None:
    pooled, owned = world.customer(pool="north"), world.customer(owner="li")

    with unchanged(world):
        outcome = claim(world, "fin", pooled, owned)

    assert codes(outcome) == ["FORBIDDEN", "FORBIDDEN"]
    assert world.count(AuditEntry, AuditEntry.outcome == Logged.DENIED) == 1


def test_ones_own_customer_is_not_in_a_pool(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    mark = world.mark()

    with unchanged(world):
        refusal = the(claim(world, "li", customer))

    number = world.row(Customer, customer)["number"]
    assert (refusal.code(), refusal.say()) == ("NOT_IN_POOL", f"{number} is not in a customer pool.")
    assert world.log(since=mark) == []


def test_an_administrator_claims_from_pools_only(world: World) -> None:
    owned, pooled = world.customer(owner="li"), world.customer(pool="south")

    outcome = claim(world, "ada", owned, pooled)

    assert outcome.ids == [pooled]
    assert [problem.code() for problem in outcome.problems] == ["NOT_IN_POOL"]
    assert (owner(world, owned), owner(world, pooled)) == (world.ids["li"], world.ids["ada"])


def test_a_customer_in_the_bin_is_missing_for_who_cannot_see_it_and_named_to_who_can(world: World) -> None:
    customer = world.customer(pool="north")
    world.system.do(create_update.delete, Customer, [customer])

    refused_like_missing(world, "li", claiming.claim, customer)
    assert codes(claim(world, "ada", customer)) == ["IN_BIN"]


def test_nobody_claims_from_a_closed_pool(world: World) -> None:
    customer = world.customer(pool="north")
    world.rule("north", daily_quota=5)
    change(world, Pool, world.ids["north"], enabled=False)
    mark = world.mark()

    with unchanged(world):
        refusal = the(claim(world, "li", customer))

    assert refusal.say() == "Li Na cannot receive this customer: the pool is closed."
    assert refusal.say("zh") == "Li Na 无法接收该客户：公海已停用。"
    assert (used(world, "li"), held(world, "li"), world.log(since=mark)) == ({}, 0, [])


def test_an_id_that_no_record_can_have_is_missing(world: World) -> None:
    with unchanged(world):
        for text in ("", "cus_0", "cus_-1", "con_1", "cus_2147483648", "cus_4611686018427387904", "cus_x"):
            assert codes(claim(world, "li", number_of(Customer, text))) == ["NOT_FOUND"], text


def test_a_claimed_customer_can_be_released_and_claimed_by_the_next(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    world.clock.pass_by(minutes=10)
    world.li.do(releasing.release, [customer])
    world.clock.pass_by(minutes=10)

    claim(world, "wu", customer)

    li, wu = world.ids["li"], world.ids["wu"]
    assert periods(world, customer) == [(li, "CLAIM", "RELEASE"), (wu, "CLAIM", None)]
    first, second = world.rows(OwnershipPeriod)
    assert first["ended_at"] == START + timedelta(minutes=10)
    assert second["started_at"] == START + timedelta(minutes=20)
    assert (held(world, "li"), held(world, "wu"), whole(world)) == (0, 1, [])


def test_a_missing_customer_in_the_house_changes_nothing_for_anybody(world: World) -> None:
    for login in ("li", "lead", "ada", "fin", "mei", "rolf", "aud"):
        with unchanged(world):
            assert codes(claim(world, login, MISSING)) == ["NOT_FOUND"]
