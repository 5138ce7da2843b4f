"""Several records in one request: what became of each, in both modes."""

from collections.abc import Callable

import pytest

from models import AuditEntry, Customer, Event, Pool
from models.audit.entries import Outcome as Logged
from models.errors import Validation
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import LARGEST, Mode, Outcome
from tests.support.claim_checks import MISSING, change, claim, held, owner, unchanged, used, whole
from tests.support.world import World


def told(outcome: Outcome) -> list[tuple[str | None, str]]:
    return [(problem.record_id, problem.code()) for problem in outcome.problems]


def mixed(world: World) -> list[int]:
    """Customers of every kind: good, hidden, somebody's, good, unknown, protected no more."""
    world.rule("north", daily_quota=9)
    good = [world.customer(f"Good {n}", pool="north") for n in range(2)]
    return [good[0], world.customer("Hidden", pool="south"), world.customer("Wu's", owner="wu"), good[1], MISSING]


def test_best_effort_does_what_can_be_done_and_says_of_each_other_why_not(world: World) -> None:
    ids = mixed(world)
    mark = world.mark()

    outcome = claim(world, "li", *ids)

    assert outcome.ids == [ids[0], ids[3]]
    assert told(outcome) == [(f"cus_{id}", "NOT_FOUND") for id in (ids[1], ids[2], MISSING)]
    assert [owner(world, id) for id in ids[:4]] == [world.ids["li"], None, world.ids["wu"], world.ids["li"]]
    assert (used(world, "li"), held(world, "li"), whole(world)) == ({"2026-11-24": 2}, 2, [])
    log = world.log(since=mark)
    assert [x["record_id"] for x in log if x["outcome"] == "OK"] == [ids[0], ids[3]]
    denied = [(x["record_id"], x["changes"]) for x in log if x["outcome"] == "DENIED"]
    assert denied == [(ids[1], {"attempts": [None, 3]})]
    assert len({(x["batch_id"], x["request_id"]) for x in log}) == 1


def test_all_or_nothing_leaves_nothing_and_says_of_each_what_stood_in_the_way(world: World) -> None:
    ids = mixed(world)
    mark = world.mark()

    with unchanged(world):
        outcome = claim(world, "li", *ids, mode=Mode.ALL_OR_NOTHING)

    assert outcome.ids == []
    assert [problem.code() for problem in outcome.problems] == [
        "BATCH_UNDONE",
        "NOT_FOUND",
        "NOT_FOUND",
        "BATCH_UNDONE",
        "NOT_FOUND",
    ]
    assert [problem.record_id for problem in outcome.problems] == [f"cus_{id}" for id in ids]
    assert outcome.problems[0].say() == "Nothing was changed, because another record of this batch was refused."
    assert (used(world, "li"), held(world, "li")) == ({}, 0)
    (entry,) = world.log(since=mark)
    assert (entry["record_id"], entry["outcome"], entry["changes"]) == (ids[1], "DENIED", {"attempts": [None, 3]})


def test_all_or_nothing_does_everything_when_everything_can_be_done(world: World) -> None:
    ids = [world.customer(str(n), pool="north") for n in range(3)]

    outcome = claim(world, "li", *ids, mode=Mode.ALL_OR_NOTHING)

    assert (outcome.ids, outcome.problems, held(world, "li")) == (ids, [], 3)


def test_a_record_named_twice_is_done_once(world: World) -> None:
    customer, other = world.customer("A", pool="north"), world.customer("B", pool="north")
    world.rule("north", daily_quota=9)
    mark = world.mark()

    outcome = claim(world, "li", customer, other, customer, customer)

    assert (outcome.ids, outcome.problems) == ([customer, other], [])
    assert (used(world, "li"), held(world, "li"), len(world.log(since=mark))) == ({"2026-11-24": 2}, 2, 2)


def test_results_come_in_the_order_asked(world: World) -> None:
    ids = [world.customer(str(n), pool="north") for n in range(4)]

    assert claim(world, "li", *reversed(ids)).ids == list(reversed(ids))


def test_an_empty_batch_does_nothing(world: World) -> None:
    for mode in Mode:
        with unchanged(world):
            assert claim(world, "li", mode=mode) == Outcome([], [])


USE_CASES: list[Callable[..., Outcome]] = [
    claiming.claim,
    releasing.release,
    locking.lock,
    locking.unlock,
    lambda scope, ids: assigning.assign(scope, ids, scope.me),
    lambda scope, ids: transferring.transfer(scope, ids, scope.me),
    lambda scope, ids: create_update.delete(scope, Customer, ids),
]


def test_one_request_names_no_more_records_than_it_may(world: World) -> None:
    ids = list(range(MISSING, MISSING + LARGEST + 1))

    for call in USE_CASES:
        with unchanged(world), pytest.raises(Validation, match="At most 200 records in one request") as refused:
            world.li.do(call, ids)
        assert refused.value.field == "ids"
        assert refused.value.say("zh") == "一次最多处理 200 条记录。"
    assert world.count(AuditEntry, AuditEntry.outcome == Logged.DENIED) == 0


def test_a_request_names_exactly_as_many_as_it_may_and_one_named_twice_counts_once(world: World) -> None:
    ids = list(range(MISSING, MISSING + LARGEST))

    assert len(claim(world, "li", *ids, ids[0]).problems) == LARGEST


def test_quota_runs_out_in_the_middle_of_a_batch_and_the_rest_is_refused(world: World) -> None:
    world.rule("north", daily_quota=2)
    ids = [world.customer(str(n), pool="north") for n in range(4)]

    outcome = claim(world, "li", *ids)

    assert outcome.ids == ids[:2]
    assert told(outcome) == [(f"cus_{id}", "QUOTA_REACHED") for id in ids[2:]]
    assert [owner(world, id) for id in ids[2:]] == [None, None]


def test_customers_from_several_pools_are_counted_each_in_its_own(world: World) -> None:
    world.seat("south", "li")
    world.rule("north", daily_quota=1)
    change(world, Pool, world.ids["south"], priority=3)
    north, south = world.customer("A", pool="north"), world.customer("B", pool="south")

    assert claim(world, "li", north, south).ids == [north, south]
    assert (used(world, "li", "north"), used(world, "li", "south")) == ({"2026-11-24": 1}, {})


def test_a_batch_that_is_undone_tells_nobody(world: World) -> None:
    customer = world.customer(pool="north")
    events = world.count(Event)

    claim(world, "li", customer, MISSING, mode=Mode.ALL_OR_NOTHING)

    assert world.count(Event) == events
