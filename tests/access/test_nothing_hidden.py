"""Explanations, figures and refusals tell nothing that the asker may not see."""

from typing import Any

import pytest

from models import Customer, User
from models.errors import CapacityReached, NotFound
from resolvers.access import explain, policy_drafts, policy_impact, policy_revisions
from resolvers.customers import lock, transfer
from resolvers.pool import workload
from resolvers.pool.assign import assign
from resolvers.records import create_update
from tests.support.policy_drafting import EXPORT, activate, draft
from tests.support.refusals import add_line
from tests.support.world import World

NAMELESS = "p, *, user.name, view, others, any, deny"


def asked(world: World, login: str, reading: Any, *given: Any) -> Any:
    return world.run(world.scope(login).read(reading, *given))


def test_a_record_out_of_sight_is_explained_as_one_that_there_is_not(world: World) -> None:
    """Role managers see the policy, and no customer."""
    hidden, li = world.customer("Hidden", "li"), world.ids["li"]
    for id in (hidden, 999_999):
        for reading, given in (
            (explain.explain_access, (li, "view", Customer, id)),
            (explain.who_can_access, (Customer, id)),
        ):
            with pytest.raises(NotFound) as caught:
                asked(world, "rolf", reading, *given)
            assert caught.value.say() == "There is no such customer, or you may not see it."
    assert asked(world, "rolf", explain.explain_access, li, "view", Customer).allowed  # a new record of Li's


def test_a_locked_record_is_explained_to_nobody_else(world: World) -> None:
    mine = world.customer("Mine", "li")
    world.li.do(lock.lock, [mine])

    with pytest.raises(NotFound):
        asked(world, "ada", explain.who_can_access, Customer, mine)
    assert asked(world, "li", explain.explain_access, world.ids["li"], "view", Customer, mine).allowed


def test_the_review_counts_the_records_that_its_reader_sees(world: World) -> None:
    for owner in ("li", "wu", "mei"):
        world.customer(f"of {owner}", owner)
    world.li.do(lock.lock, [world.customer("Locked", "li")])
    counted = {}
    for login in ("rolf", "ada"):
        _, review = draft(world, login, EXPORT)
        effects = [
            effect
            for change in review.changes
            for effect in asked(world, login, policy_impact.effects, review, change)
            if effect.object == "customer"
        ]
        counted[login] = sorted(((x.won, len(x.samples_won)) for x in effects), reverse=True)

    assert counted == {"rolf": [(0, 0)] * 2, "ada": [(3, 3), (0, 0)]}


def test_the_load_of_the_team_leaves_out_what_is_hidden(world: World) -> None:
    for name in ("A", "B", "C"):
        world.customer(name, "li")
    world.li.do(lock.lock, [world.customer("Locked", "li")])

    team = {x.name: x.held for x in asked(world, "lead", workload.of_team)}

    assert team["Li Na"] == 3
    assert asked(world, "lead", workload.of_team)[0].name == "Li Na"


def test_a_colleague_who_is_full_is_said_to_be_so_without_numbers(world: World) -> None:
    world.ada.do(_limit, world, "mei", 0)
    mine = world.customer("Mine", "li")

    (refusal,) = world.li.do(transfer.transfer, [mine], world.ids["mei"]).problems

    assert isinstance(refusal, CapacityReached)
    assert refusal.say() == "Mei Lin cannot take another customer now."
    assert refusal.say("zh") == "Mei Lin 目前无法再接收客户。"
    assert "held" not in refusal.params
    (refusal,) = world.ada.do(transfer.transfer, [mine], world.ids["mei"]).problems
    assert refusal.say() == "Mei Lin holds 0 customers; the limit is 0. Release one first."


def test_whoever_sees_the_capacity_is_told_the_numbers(world: World) -> None:
    world.ada.do(_limit, world, "wu", 0)
    pooled = world.customer("Pooled", pool="north")

    (refusal,) = world.lead.do(assign, [pooled], world.ids["wu"]).problems

    assert refusal.say() == "Wu Wei holds 0 customers; the limit is 0. Release one first."


def test_names_are_told_to_whoever_may_see_them(world: World) -> None:
    mine = world.customer("Mine", "li")
    activate(world, "ada", EXPORT)
    add_line(world, NAMELESS)
    shown = {x.name for x in asked(world, "aud", explain.who_can_access, Customer, mine)}
    told = asked(world, "aud", explain.explain_access, world.ids["li"], "view", Customer, mine)
    _, review = draft(world, "rolf", "p, sales, customer, share, all, any, allow")
    draft(world, "ada", "p, sales, customer, share, all, any, allow")

    assert shown == {"a user", "Audrey Oh"}
    assert told.person.name == "a user"
    assert {x.name for group in review.groups.values() for x in group.people} == {"a user", "Rolf Vik"}
    assert {x.author for x in asked(world, "rolf", policy_drafts.drafts)} == {"a user", "Rolf Vik"}
    assert {x.author for x in asked(world, "rolf", policy_revisions.revisions)} == {None}
    assert asked(world, "li", explain.whom_to_ask) == []


def test_a_user_out_of_sight_is_neither_listed_nor_explained(world: World) -> None:
    mine = world.customer("Mine", "li")
    add_line(world, "p, auditor, user, view, others, any, deny")

    assert {x.name for x in asked(world, "aud", explain.who_can_access, Customer, mine)} == {"Audrey Oh"}
    with pytest.raises(NotFound):
        asked(world, "aud", explain.explain_access, world.ids["li"], "view", Customer, mine)


def _limit(scope: Any, world: World, login: str, capacity: int) -> None:

    create_update.update(scope, User, world.ids[login], {"capacity": capacity})
