"""Cooldown of former owners and protection of new arrivals, to the very moment."""

from datetime import timedelta

from models import Customer, OwnershipPeriod
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import release as releasing
from resolvers.records import create_update
from tests.support.claim_checks import claim, codes, the, unchanged
from tests.support.world import START, World


def test_a_former_owner_waits_to_the_very_moment_and_others_do_not(world: World) -> None:
    world.rule("north", cooldown_days=7)
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    world.clock.pass_by(hours=1)
    world.li.do(releasing.release, [customer])
    ended = world.clock.now

    world.clock.now = ended + timedelta(days=7, milliseconds=-1)
    refusal = the(claim(world, "li", customer))
    assert (refusal.code(), refusal.params) == ("COOLDOWN", {"passes_at": ended + timedelta(days=7)})
    assert refusal.say() == "You owned this customer until recently. You may claim it again from 1 Dec 2026 09:00."
    world.clock.pass_by(milliseconds=1)
    assert claim(world, "li", customer).ids == [customer]


def test_any_former_owner_waits_not_only_the_last(world: World) -> None:
    world.rule("north", cooldown_days=7)
    customer = world.customer(owner="li")
    world.li.do(transferring.transfer, [customer], world.ids["wu"])
    world.wu.do(releasing.release, [customer])

    assert codes(claim(world, "li", customer)) == ["COOLDOWN"]
    assert codes(claim(world, "wu", customer)) == ["COOLDOWN"]
    assert claim(world, "lead", customer).ids == [customer]


def test_the_last_of_several_times_as_owner_counts(world: World) -> None:
    world.rule("north", cooldown_days=7)
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    world.li.do(releasing.release, [customer])
    world.clock.pass_by(days=7)
    claim(world, "li", customer)
    world.li.do(releasing.release, [customer])

    assert the(claim(world, "li", customer)).params == {"passes_at": START + timedelta(days=14)}
    assert world.count(OwnershipPeriod) == 2


def test_an_assignment_does_not_ask_for_cooldown_or_protection(world: World) -> None:
    world.rule("north", cooldown_days=7, protect_days=7)
    customer = world.customer(pool="north")
    world.lead.do(assigning.assign, [customer], world.ids["li"])
    world.li.do(releasing.release, [customer])

    assert world.lead.do(assigning.assign, [customer], world.ids["li"]).ids == [customer]


def test_a_new_arrival_waits_from_the_moment_it_was_pooled_and_an_edit_does_not_start_that_again(world: World) -> None:
    world.rule("north", protect_days=2)
    customer = world.customer(pool="north")
    world.clock.pass_by(days=1)
    world.lead.do(create_update.update, Customer, customer, {"remark": "looks promising"})

    world.clock.now = START + timedelta(days=2, milliseconds=-1)
    with unchanged(world):
        refusal = the(claim(world, "li", customer))
    assert (refusal.code(), refusal.params) == ("PROTECTED", {"passes_at": START + timedelta(days=2)})
    assert refusal.say() == "This customer is new in the pool. It may be claimed from 26 Nov 2026 08:00."
    world.clock.pass_by(milliseconds=1)
    assert claim(world, "li", customer).ids == [customer]


def test_a_release_is_a_new_arrival(world: World) -> None:
    world.rule("north", protect_days=2)
    customer = world.customer(owner="li")
    world.clock.pass_by(days=30)
    world.li.do(releasing.release, [customer])

    assert the(claim(world, "wu", customer)).params == {"passes_at": START + timedelta(days=32)}
