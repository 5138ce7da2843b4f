"""Many people, few customers: exact under every way of running, on both databases."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from models import Customer, User
from models.pool import Seat
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import move as moving
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import change, claim, codes, held, owner, used, whole
from tests.support.racing import FULL, Race, at_once, in_processes, in_threads
from tests.support.world import World

# --- one pool, many people -------------------------------------------------------------------------------


def test_at_one_door_every_customer_has_one_winner_and_nobody_is_above_his_quota(world: World) -> None:
    race = Race(world, 10, 24, quota=3)

    race.check(world.run(at_once(world.backend, race.plans())))


def test_the_same_in_threads_with_capacity_as_the_smaller_limit(world: World) -> None:
    race = Race(world, 8, 24, quota=3, capacity=2)

    race.check(in_threads(world.backend, race.plans()))


def test_when_there_is_enough_for_everybody_everything_is_claimed(world: World) -> None:
    race = Race(world, 6, 12, quota=9)

    race.check(world.run(at_once(world.backend, race.plans())))


@pytest.mark.long
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_same_from_three_processes(world: World) -> None:
    race = Race(world, 9, 24, quota=3)

    race.check(in_processes(world.backend.url, race.plans()))


@pytest.mark.long
def test_fifty_people_race_for_two_hundred_customers(world: World) -> None:
    race = Race(world, 50, 200, quota=20)

    race.check(world.run(at_once(world.backend, race.plans(wanted=60))))


@pytest.mark.long
def test_fifty_people_race_for_two_hundred_customers_from_three_processes(world: World) -> None:
    race = Race(world, 50, 200, quota=20, capacity=3)

    race.check(in_processes(world.backend.url, race.plans()))


def test_one_person_in_many_places_stays_within_his_quota_and_capacity(world: World) -> None:
    world.rule("north", daily_quota=4, capacity=3)
    ids = [world.customer(str(n), pool="north") for n in range(12)]

    def one(id: int) -> str:
        outcome = claim(world, "li", id)
        return "won" if outcome.ids else outcome.problems[0].code()

    with ThreadPoolExecutor(6) as hands:
        told = Counter(hands.map(one, ids))

    assert told == {"won": 3, "CAPACITY_REACHED": 9}
    assert (held(world, "li"), used(world, "li"), whole(world)) == (3, {"2026-11-24": 3}, [])


def test_twenty_racers_for_one_customer_are_one_winner_and_nineteen_who_learn_it(world: World) -> None:
    race = Race(world, 20, 1, quota=5)

    answers = world.run(at_once(world.backend, race.plans()))

    race.check(answers)
    assert Counter(code for _, refused in answers for code in refused) == {"ALREADY_CLAIMED": 19}
    assert FULL.isdisjoint(code for _, refused in answers for code in refused)


# --- who waits sees what has become of it ----------------------------------------------------------------

Act = tuple[str, Callable[..., Any], tuple[str, ...]]
"""(who, his use case, whom it names beside the customer)."""


def _bin(scope: Scope, ids: list[int]) -> Outcome:
    return create_update.delete(scope, Customer, ids)


def _bring_back(scope: Scope, ids: list[int]) -> Outcome:
    return create_update.restore(scope, Customer, ids)


def _claim_the_next(scope: Scope, ids: list[int]) -> Outcome:
    return claiming.claim(scope, [ids[0] + 1])


def _dismiss(scope: Scope, _ids: list[int], user_id: int) -> None:
    create_update.update(scope, User, user_id, {"active": False})


def _move(scope: Scope, _ids: list[int], user_id: int, department_id: int) -> None:
    create_update.update(scope, User, user_id, {"department_id": department_id})


LI_CLAIMS: Act = ("li", claiming.claim, ())
LI_CLAIMS_THE_NEXT: Act = ("li", _claim_the_next, ())
LI_RELEASES: Act = ("li", releasing.release, ())
LI_TRANSFERS: Act = ("li", transferring.transfer, ("wu",))
LEAD_TRANSFERS: Act = ("lead", transferring.transfer, ("wu",))
LEAD_ASSIGNS: Act = ("lead", assigning.assign, ("wu",))
ADA_MOVES: Act = ("ada", moving.move, ("south",))
WU_IS_DISMISSED: Act = ("ada", _dismiss, ("wu",))

# (where the customer lies, who is at work, who waits, what that one is told, the owner in the end)
WAITS: list[tuple[str, Act, Act, str, str | None]] = [
    ("pool", ("wu", claiming.claim, ()), LI_CLAIMS, "ALREADY_CLAIMED", "wu"),
    ("pool", LEAD_ASSIGNS, LI_CLAIMS, "ALREADY_CLAIMED", "wu"),
    ("pool", ("ada", _bin, ()), LI_CLAIMS, "NOT_FOUND", None),
    ("pool", LI_CLAIMS, LI_CLAIMS_THE_NEXT, "QUOTA_REACHED", "li"),
    ("pool", LI_CLAIMS, LEAD_ASSIGNS, "ALREADY_CLAIMED", "li"),
    ("pool", LI_CLAIMS, ADA_MOVES, "ALREADY_CLAIMED", "li"),
    ("pool", ADA_MOVES, LI_CLAIMS, "NOT_FOUND", None),  # she has no seat where it now lies
    ("pool", ADA_MOVES, ADA_MOVES, "IN_THAT_POOL", None),
    ("pool", WU_IS_DISMISSED, LEAD_ASSIGNS, "VALIDATION", None),
    ("li", ("lead", transferring.transfer, ("mei",)), LI_RELEASES, "NOT_FOUND", "mei"),
    ("li", ("li", locking.lock, ()), LEAD_TRANSFERS, "NOT_FOUND", "li"),
    ("li", LI_RELEASES, LI_TRANSFERS, "ALREADY_IN_POOL", None),
    ("li", WU_IS_DISMISSED, LI_TRANSFERS, "VALIDATION", "li"),
]


def _act(world: World, act: Act, id: int) -> Any:
    login, use_case, names = act
    return world.scope(login).do(use_case, [id], *(world.ids[name] for name in names))


def _while_at_work(world: World, first: Act, id: int, second: Act) -> Outcome:
    """What `second` is told when it begins after `first` has done its work and before that is committed."""
    done, goes = threading.Event(), threading.Event()
    login, use_case, names = first

    def work(scope: Scope) -> None:
        with scope.write("test.wait"):
            use_case(scope, [id], *(world.ids[name] for name in names))
            done.set()
            assert goes.wait(timeout=30)

    with ThreadPoolExecutor(2) as two:
        one = two.submit(world.scope(login).do, work)
        assert done.wait(timeout=30)
        other = two.submit(_act, world, second, id)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)  # it waits
        goes.set()
        one.result(timeout=30)
        outcome: Outcome = other.result(timeout=30)
        return outcome


@pytest.mark.parametrize(("lies", "first", "second", "code", "then"), WAITS)
def test_who_waits_is_judged_by_what_the_other_has_left(
    world: World, lies: str, first: Act, second: Act, code: str, then: str | None
) -> None:
    world.rule("north", daily_quota=1)
    customer = world.customer("A", pool="north") if lies == "pool" else world.customer("A", owner=lies)
    assert world.customer("B", pool="north") == customer + 1

    outcome = _while_at_work(world, first, customer, second)

    assert codes(outcome) == [code]
    assert owner(world, customer) == (world.ids[then] if then else None)
    assert whole(world) == []


def test_a_customer_goes_to_the_department_to_which_its_heir_has_moved_meanwhile(world: World) -> None:
    customer = world.customer(owner="li")

    outcome = _while_at_work(world, ("ada", _move, ("wu", "west")), customer, LI_TRANSFERS)

    assert outcome.ids == [customer]
    assert world.row(Customer, customer)["department_id"] == world.ids["west"]
    assert whole(world) == []


# --- everything at once ----------------------------------------------------------------------------------


def test_transfers_that_cross_all_come_to_an_end(world: World) -> None:
    logins = ("li", "wu", "mei", "lead")
    ids = {login: [world.customer(f"{login} {n}", owner=login) for n in range(6)] for login in logins}

    def hand_round(login: str) -> list[str]:
        assignees = [other for other in logins if other != login]
        return [
            problem.code()
            for turn in range(2)
            for assignee in assignees
            for problem in world.scope(login)
            .do(transferring.transfer, ids[login][turn::3], world.ids[assignee])
            .problems
        ]

    with ThreadPoolExecutor(4) as people:
        told = [code for found in people.map(hand_round, logins) for code in found]

    assert set(told) <= {"NOT_FOUND", "FORBIDDEN", "VALIDATION"}
    assert sum(held(world, login) for login in logins) == 24
    assert whole(world) == []


def test_whatever_people_do_at_once_the_books_agree_afterwards(world: World) -> None:
    world.rule("north", daily_quota=50, capacity=6)
    change(world, User, world.ids["wu"], capacity=4)
    world.seat("north", "mei")
    world.seat("south", "lead", Seat.ADMIN)
    world.seat("south", "li")
    people = ("li", "wu", "mei", "lead")
    ids = [world.customer(str(n), pool="north") for n in range(6)]
    ids += [world.customer(f"{login} {n}", owner=login) for login in people for n in range(2)]
    uses: list[tuple[Callable[..., Outcome], bool]] = [
        *[(use, False) for use in (claiming.claim, claiming.claim, releasing.release, locking.lock, locking.unlock)],
        *[(use, False) for use in (_bin, _bring_back)],
        *[(use, True) for use in (assigning.assign, transferring.transfer)],
        *[(partial(moving.move, pool_id=world.ids[pool]), False) for pool in ("north", "south")],
    ]

    def live(seed: int) -> int:
        dice, done = random.Random(seed), 0
        for _ in range(20):
            some, assignee = dice.sample(ids, dice.choice((1, 1, 2, 4))), world.ids[dice.choice(people)]
            use, needs_heir = dice.choice(uses)
            done += len(world.scope(dice.choice(people)).do(use, some, *([assignee] if needs_heir else [])).ids)
        return done

    with ThreadPoolExecutor(4) as threads:
        done = sum(threads.map(live, range(4)))

    assert done > 10
    assert whole(world) == []
