"""Seats in pools, what keeps a pool from vanishing, and where somebody stands with his limits."""

from datetime import timedelta

import pytest

from models import Pool, PoolMember, User
from models.errors import Duplicate, NotFound, Refusal
from models.pool import GranteeKind, Seat
from resolvers.pool.members import GRANTEES
from resolvers.pool.my_limits import Limits, my_limits
from resolvers.records import create_update
from tests.support.claim_checks import MISSING, change, claim, codes, organise, the, unchanged
from tests.support.world import START, World


def seat(world: World, by: str, kind: GranteeKind, grantee_id: int, pool: str = "north") -> None:
    values = {"pool_id": world.ids[pool], "grantee_kind": kind, "grantee_id": grantee_id, "seat": Seat.MEMBER}
    world.scope(by).do(create_update.create, PoolMember, values)


@pytest.mark.parametrize("kind", GranteeKind)
def test_a_seat_is_given_to_somebody_who_exists(world: World, kind: GranteeKind) -> None:
    with unchanged(world), pytest.raises(NotFound) as refused:
        seat(world, "ada", kind, MISSING)

    assert (refused.value.field, refused.value.params["what"]) == ("granteeId", GRANTEES[kind].names.noun)


def test_a_seat_is_given_once_and_again_after_it_was_taken_away(world: World) -> None:
    with unchanged(world), pytest.raises(Duplicate):
        seat(world, "ada", GranteeKind.USER, world.ids["li"])
    held = world.rows(PoolMember, PoolMember.grantee_id == world.ids["li"], PoolMember.pool_id == world.ids["north"])
    world.ada.do(create_update.delete, PoolMember, [held[0]["id"]])

    seat(world, "ada", GranteeKind.USER, world.ids["li"])

    assert claim(world, "li", world.customer(pool="north")).problems == []


def test_nobody_gives_himself_a_seat(world: World) -> None:
    for login, pool in (("mei", "north"), ("li", "south"), ("fin", "north"), ("rolf", "north"), ("aud", "north")):
        with unchanged(world), pytest.raises(Refusal) as refused:
            seat(world, login, GranteeKind.USER, world.ids[login], pool)
        assert refused.value.code() in ("FORBIDDEN", "NOT_FOUND"), login


def test_the_broadest_of_several_seats_counts(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "west")
    world.seat("north", "kim", Seat.VIEWER)
    seat(world, "ada", GranteeKind.DEPARTMENT, world.ids["west"])

    assert claim(world, "kim", world.customer(pool="north")).problems == []


def test_a_pool_with_customers_is_neither_deleted_nor_purged(world: World) -> None:
    lake = world.make(Pool, name="Lake")
    world.ids["lake"] = lake
    world.customer(pool="lake")

    with unchanged(world):
        refusal = the(world.ada.do(create_update.delete, Pool, [lake]))
    assert (refusal.code(), refusal.params["label"]) == ("IN_USE", "Lake")


def test_a_pool_of_the_bin_is_not_purged(world: World) -> None:
    lake = world.make(Pool, name="Lake")
    world.ada.do(create_update.delete, Pool, [lake])

    with unchanged(world):
        assert codes(world.ada.do(create_update.purge, Pool, [lake], confirm=True)) == ["IN_USE"]


# --- where somebody stands -------------------------------------------------------------------------------


def stands(world: World, login: str) -> Limits:
    found: Limits = world.run(world.scope(login).read(my_limits))
    return found


def test_every_limit_of_every_pool_where_one_may_claim_is_shown_with_what_is_used(world: World) -> None:
    organise(world, time_zone="Asia/Shanghai", capacity=7)
    world.seat("south", "li")
    world.rule("north", daily_quota=5, weekly_quota=9)
    world.rule("south", weekly_quota=3)
    claim(world, "li", world.customer("A", pool="north"), world.customer("B", pool="south"))

    found = stands(world, "li")

    north, south = world.ids["north"], world.ids["south"]
    midnight, monday = START + timedelta(hours=8), START + timedelta(days=5, hours=8)
    assert [(pool, x.kind, x.used, x.limit, x.resets_at) for pool, x in found.quotas] == [
        (north, "day", 1, 5, midnight),
        (north, "week", 1, 9, monday),
        (south, "week", 1, 3, monday),
    ]
    assert (found.capacity.held, found.capacity.limit) == (2, 7)


def test_pools_without_a_limit_or_without_a_seat_to_claim_show_nothing(world: World) -> None:
    world.user("kim", "Kim Ro", "sales", "west")
    world.seat("north", "kim", Seat.VIEWER)
    world.rule("north", daily_quota=5)
    change(world, User, world.ids["kim"], capacity=4)

    assert (stands(world, "kim").quotas, stands(world, "mei").quotas) == ([], [])
    assert (stands(world, "kim").capacity.held, stands(world, "kim").capacity.limit) == (0, 4)
    assert stands(world, "ada").capacity.limit is None
