"""Assigning a pooled customer to a member."""

from datetime import timedelta
from functools import partial

from sqlalchemy import update

from models import Customer, Event, OwnershipPeriod, Pool, PoolMember, User
from models.errors import Forbidden, NotEligible
from models.pool import Seat
from resolvers.ownership import assignees
from resolvers.pool import assign as assigning
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.panel.sweep.dry_run import is_in_reach
from tests.support.claim_checks import (
    MISSING,
    change,
    claim,
    codes,
    held,
    owner,
    refused_like_missing,
    the,
    unchanged,
    used,
    whole,
)
from tests.support.world import PEOPLE, START, World


def assign(world: World, by: str, to: str, *ids: int) -> Outcome:
    outcome: Outcome = world.scope(by).do(assigning.assign, list(ids), world.ids[to])
    return outcome


# --- assign ----------------------------------------------------------------------------------------------


def test_an_administrator_of_the_pool_assigns_to_a_member(world: World) -> None:
    customer = world.customer(pool="north")
    mark, events = world.mark(), world.count(Event)

    outcome = world.lead.do(assigning.assign, [customer], world.ids["wu"], reason="  he knows them ")

    assert outcome.ids == [customer]
    row = world.row(Customer, customer)
    assert (row["owner_id"], row["pool_id"], row["department_id"]) == (world.ids["wu"], None, world.ids["east"])
    (period,) = world.rows(OwnershipPeriod)
    assert (period["owner_id"], period["began"], period["pool_id"]) == (world.ids["wu"], "ASSIGN", world.ids["north"])
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["actor_id"], entry["reason"]) == (
        "customer.assign",
        world.ids["lead"],
        "he knows them",
    )
    assert entry["changes"]["owner_id"] == [None, world.ids["wu"]]
    topics = [event["topic"] for event in world.rows(Event)[events:]]
    assert topics == [f"pool:{world.ids['north']}", f"user:{world.ids['wu']}"]
    assert (held(world, "wu"), used(world, "wu"), whole(world)) == (1, {}, [])


NOT_ELIGIBLE = {
    "mei": "Mei Lin cannot receive this customer: no seat in this pool.",
    "kim": "Kim Ro cannot receive this customer: no seat in this pool.",  # a viewer
    "rolf": "Rolf Vik cannot receive this customer: no right to see customers of his own.",
    "fin": "Finn Ray cannot receive this customer: no seat in this pool.",  # a seat without a role that may claim
    "gone": "Gus One is no longer active.",
    "away": "Ari Way cannot receive this customer: absent.",
}


def test_only_who_could_claim_there_is_given_a_customer(world: World) -> None:
    newcomers = {"kim": ("Kim Ro", Seat.VIEWER), "gone": ("Gus One", Seat.MEMBER), "away": ("Ari Way", Seat.MEMBER)}
    for login, (name, seat) in newcomers.items():
        world.user(login, name, "sales", "east")
        world.seat("north", login, seat)
    world.seat("north", "rolf")
    world.seat("north", "fin")
    change(world, User, world.ids["gone"], active=False)
    change(world, User, world.ids["away"], absent_until=START + timedelta(days=1))
    customer = world.customer(pool="north")

    for to, sentence in NOT_ELIGIBLE.items():
        with unchanged(world):
            refusal = the(assign(world, "lead", to, customer))
        assert refusal.code() == ("VALIDATION" if to == "gone" else "NOT_ELIGIBLE")
        assert (refusal.say(), refusal.field, refusal.record_id) == (sentence, "userId", f"cus_{customer}")


def test_who_is_back_is_eligible_again_at_that_moment(world: World) -> None:
    change(world, User, world.ids["wu"], absent_until=START + timedelta(days=1))
    customer = world.customer(pool="north")
    world.clock.pass_by(days=1)

    assert assign(world, "lead", "wu", customer).ids == [customer]


def test_a_seat_by_department_or_role_is_a_seat(world: World) -> None:
    first, second = world.customer("A", pool="south"), world.customer("B", pool="south")
    world.seat("south", "lead", Seat.ADMIN)
    world.make(PoolMember, pool_id=world.ids["south"], grantee_kind="DEPARTMENT", grantee_id=world.ids["house"])

    assert assign(world, "lead", "wu", first, second).ids == [first, second]


def test_an_unknown_person_is_not_found_whoever_he_was(world: World) -> None:
    customer = world.customer(pool="north")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(User).where(User.id == world.ids["wu"]).values(deleted_at=START))

    for user_id in (world.ids["wu"], MISSING, 0):
        with unchanged(world):
            refusal = the(world.lead.do(assigning.assign, [customer], user_id))
        assert (refusal.code(), refusal.field, refusal.params) == (
            "NOT_FOUND",
            "userId",
            {"what": "person", "what_zh": "人员"},
        )


def test_an_assignment_stops_at_the_capacity_of_who_receives(world: World) -> None:
    change(world, User, world.ids["wu"], capacity=1)
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")

    outcome = assign(world, "lead", "wu", first, second)

    assert outcome.ids == [first]
    assert [p.say() for p in outcome.problems] == ["Wu Wei holds 1 customers; the limit is 1. Release one first."]
    assert (owner(world, second), held(world, "wu"), whole(world)) == (None, 1, [])


def test_a_member_may_claim_there_and_not_assign(world: World) -> None:
    customer = world.customer(pool="north")
    mark = world.mark()

    with unchanged(world):
        assert codes(assign(world, "li", "wu", customer)) == ["FORBIDDEN"]

    assert [(x["action"], x["outcome"], x["record_id"]) for x in world.log(since=mark)] == [
        ("customer.assign", "DENIED", customer)
    ]


def test_the_administrator_of_one_pool_finds_nothing_in_another(world: World) -> None:
    customer = world.customer(pool="south")

    refused_like_missing(world, "lead", assigning.assign, customer, world.ids["lead"])


def test_what_was_taken_meanwhile_is_not_assigned_again(world: World) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)

    with unchanged(world):
        assert codes(assign(world, "lead", "wu", customer)) == ["ALREADY_CLAIMED"]
        world.clock.pass_by(hours=1)
        assert codes(assign(world, "lead", "wu", customer)) == ["NOT_IN_POOL"]  # of her team: she sees it


def test_nothing_is_assigned_from_a_closed_pool(world: World) -> None:
    customer = world.customer(pool="north")
    change(world, Pool, world.ids["north"], enabled=False)

    with unchanged(world):
        assert (
            the(assign(world, "lead", "wu", customer)).say()
            == "Wu Wei cannot receive this customer: the pool is closed."
        )


# --- whom the dialog offers --------------------------------------------------------------------------------


def test_the_people_offered_are_those_whom_an_attempt_accepts_and_none_for_a_foreign_pool(world: World) -> None:
    world.seat("south", "lead", Seat.MEMBER)
    world.seat("south", "wu")
    here, there, owned = world.customer(pool="north"), world.customer(pool="south"), world.customer(owner="li")
    people = [world.ids[login] for login in PEOPLE]

    for login in ("lead", "li"):
        accepted = {
            customer: {id for id in people if is_in_reach(world, login, partial(attempt, customer, id))}
            for customer in (here, there, owned)
        }
        for ids in ([here], [there], [here, there], [owned]):
            found = {x.id for x in world.run(world.scope(login).read(assignees.pool_candidates, ids))}
            reached = [accepted[id] for id in ids if accepted[id]]
            assert found == (set.intersection(*reached) if reached else set()), (login, ids)


def attempt(customer: int, to: int, scope: Scope) -> Outcome:
    outcome = assigning.assign(scope, [customer], to)
    if any(isinstance(problem, NotEligible) for problem in outcome.problems):
        raise Forbidden(action="customer.assign")
    return outcome


def test_absent_and_full_people_are_offered_last_with_a_mark(world: World) -> None:
    world.user("zoe", "Zoe Ye", "sales", "west")
    world.seat("north", "zoe")
    change(world, User, world.ids["li"], absent_until=START + timedelta(days=2))
    change(world, User, world.ids["wu"], capacity=0)
    customer = world.customer(pool="north")

    found = world.run(world.lead.read(assignees.pool_candidates, [customer]))

    assert [(x.name, x.is_absent, x.is_full) for x in found] == [
        ("Lena Lead", False, False),
        ("Zoe Ye", False, False),
        ("Wu Wei", False, True),
        ("Li Na", True, False),
    ]
