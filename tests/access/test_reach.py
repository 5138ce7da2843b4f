"""What a person ends up able to do: by roles, seats, departments and accounts alike."""

from typing import Any

import pytest

from models import Department, Organisation, PoolMember, Role, User, UserRole
from models.errors import BeyondCeiling, GrantsToSelf, NeedsSecond, RoleToSelf
from models.pool import GranteeKind, Seat
from policies import STARTER, Snapshot
from policies.reach import DEPARTMENT, NOWHERE, POOL, Standing, gains, taken
from resolvers.access import policy_drafts
from resolvers.people import passwords
from resolvers.records import create_update
from tests.support.policy_drafting import activate, draft
from tests.support.refusals import add_line, refused
from tests.support.world import World

POLICY = Snapshot(STARTER)
CLERK = "p, support, role, touch, all, any, allow", "p, support, user, touch, all, any, allow"
"""Lines by which Sam gives roles and edits people, and may grant nothing of the daily work."""


def standing(role: str, *places: Any) -> Standing:
    return Standing(frozenset({role}) if role else frozenset(), frozenset(places))


def test_a_seat_is_a_gain_where_its_words_are_in_a_line() -> None:
    member, admin = ((POOL, 1), 3), ((POOL, 1), 4)

    found = list(gains(POLICY, standing("sales"), standing("sales", admin), standing("support"), is_self=False))

    assert ("customer", "assign") in {(x.object, x.action) for x in found}
    assert all(x.when[0] == "pool_admin" for x in found)
    for author in (standing("sales_lead", admin), standing("role_manager"), standing("administrator")):
        assert list(gains(POLICY, standing("sales"), standing("sales", member), author, is_self=False)) == []
    elsewhere = standing("sales_lead", ((POOL, 2), 4))
    assert list(gains(POLICY, standing("sales"), standing("sales", member), elsewhere, is_self=False))


def test_a_department_is_a_gain_for_a_role_that_speaks_of_departments_only() -> None:
    east, all = ((DEPARTMENT, 1), 2), (((DEPARTMENT, 1), 1), ((DEPARTMENT, 2), 2))
    author = standing("sales_lead", east)

    assert list(gains(POLICY, standing("sales", east), standing("sales", *all), author, is_self=False)) == []
    found = list(gains(POLICY, standing("sales_lead", east), standing("sales_lead", *all), author, is_self=False))
    assert ("customer", "view") in {(x.object, x.action) for x in found}


def test_what_somebody_owns_counts_for_whoever_takes_their_account() -> None:
    found = {(x.object, x.action) for x in taken(POLICY, standing("sales"), standing("sales"))}

    assert ("customer", "view") in found
    assert list(taken(POLICY, standing("sales"), standing("administrator"))) == []
    assert list(taken(POLICY, NOWHERE, standing("support"))) == []


def test_what_everybody_may_but_the_taker_is_a_gain_of_the_taker() -> None:
    """A role manager denies themselves what they give to everybody, and takes any account."""
    lines = "p, *, customer, view, all, any, allow\np, role_manager, customer, view, all, any, deny\n"
    policy, rolf = Snapshot(STARTER + lines), standing("role_manager")

    assert ("customer", "view") in {(x.object, x.action) for x in taken(policy, standing(""), rolf)}
    assert list(taken(POLICY, standing(""), rolf)) == []


def test_nobody_gives_themselves_what_they_could_give_to_others() -> None:
    rolf, lead = standing("role_manager"), Standing(frozenset({"role_manager", "sales_lead"}))

    assert list(gains(POLICY, rolf, lead, rolf, is_self=False)) == []
    assert list(gains(POLICY, rolf, lead, rolf, is_self=True))


# --- through the use cases -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["finance", "sales_lead", "sales", "role_manager"])
def test_nobody_gives_roles_to_themselves(world: World, role: str) -> None:
    for login in ("rolf", "ada"):
        given = {"user_id": world.ids[login], "role_id": world.ids[role]}
        if (login, role) != ("rolf", "role_manager"):
            refused(world, world.scope(login), RoleToSelf, create_update.create, UserRole, given)
    held = world.rows(UserRole, UserRole.user_id == world.ids["rolf"])[0]["id"]
    later = {"ends_at": world.clock.now.replace(year=2030)}
    refused(world, world.rolf, RoleToSelf, create_update.update, UserRole, held, later)


@pytest.mark.parametrize(
    "lines",
    [
        ("p, role_manager, customer, view, all, !locked, allow", "p, role_manager, customer, unlock, all, any, allow"),
        ("p, *, customer, unlock, all, locked, allow",),
        ("g, role_manager, sales_lead",),
    ],
)
def test_nobody_hands_rights_to_themselves_by_lines(world: World, lines: tuple[str, ...]) -> None:
    """With `unlock` and `view` a role manager would get around every lock."""
    id, review = draft(world, "rolf", *lines)

    assert any(beyond.to_self for beyond in review.beyond)
    refused(world, world.rolf, GrantsToSelf, policy_drafts.activate_policy, id, "mine", review.hash)
    assert activate(world, "ada", *lines)


def test_a_role_without_lines_brings_what_its_seat_brings(world: World) -> None:
    keeper = world.make(Role, code="keeper", name="Keeper")
    world.make(
        PoolMember, pool_id=world.ids["north"], grantee_kind=GranteeKind.ROLE, grantee_id=keeper, seat=Seat.ADMIN
    )
    for line in CLERK:
        add_line(world, line)
    given = {"user_id": world.ids["mei"], "role_id": keeper}

    refusal = refused(world, world.scope("sam"), BeyondCeiling, create_update.create, UserRole, given)
    assert "pool that" in refusal.say() or "pool_admin" in refusal.say()
    assert world.rolf.do(create_update.create, UserRole, given).id


def test_a_seat_is_given_by_whoever_may_hand_out_what_it_brings(world: World) -> None:
    add_line(world, "p, support, pool, touch, all, any, allow")
    seat = {"pool_id": world.ids["north"], "grantee_kind": GranteeKind.USER, "grantee_id": world.ids["mei"]}
    sam = world.scope("sam")

    refused(world, sam, BeyondCeiling, create_update.create, PoolMember, {**seat, "seat": Seat.ADMIN})
    mine = {**seat, "grantee_id": world.ids["sam"], "seat": Seat.ADMIN}
    refused(world, sam, GrantsToSelf, create_update.create, PoolMember, mine)
    given = world.lead.do(create_update.create, PoolMember, {**seat, "seat": Seat.MEMBER}).id
    refused(world, sam, BeyondCeiling, create_update.update, PoolMember, given, {"seat": Seat.ADMIN})
    world.lead.do(create_update.update, PoolMember, given, {"seat": Seat.ADMIN})
    assert world.lead.do(create_update.delete, PoolMember, [given]).problems == []
    assert [type(x) for x in sam.do(create_update.restore, PoolMember, [given]).problems] == [BeyondCeiling]


def test_a_seat_of_a_department_counts_for_everybody_below(world: World) -> None:
    add_line(world, "p, support, pool, touch, all, any, allow")
    seat = {"pool_id": world.ids["south"], "grantee_kind": GranteeKind.DEPARTMENT, "grantee_id": world.ids["house"]}

    refused(world, world.scope("sam"), BeyondCeiling, create_update.create, PoolMember, {**seat, "seat": Seat.MEMBER})


def test_a_move_up_the_tree_is_judged_by_what_it_brings(world: World) -> None:
    for line in CLERK:
        add_line(world, line)
    sam = world.scope("sam")

    refused(
        world, sam, BeyondCeiling, create_update.update, User, world.ids["lead"], {"department_id": world.ids["house"]}
    )
    sam.do(create_update.update, User, world.ids["wu"], {"department_id": world.ids["west"]})
    world.ada.do(create_update.update, User, world.ids["lead"], {"department_id": world.ids["house"]})


def test_a_move_of_a_department_is_judged_for_all_in_it(world: World) -> None:
    add_line(world, "p, support, department, write, all, any, allow")
    below_east = {"parent_id": world.ids["east"]}

    refused(world, world.scope("sam"), BeyondCeiling, create_update.update, Department, world.ids["west"], below_east)
    world.ada.do(create_update.update, Department, world.ids["west"], below_east)


def test_nobody_takes_an_account_by_which_they_would_see_more(world: World) -> None:
    for line in CLERK:
        add_line(world, line)
    sam = world.scope("sam")
    world.user("new", "New One", "support")
    world.customer("Mine", "li")

    refused(world, sam, BeyondCeiling, passwords.set_password, "li", "x", one_time=True)
    refused(world, sam, BeyondCeiling, create_update.update, User, world.ids["li"], {"login": "li2"})
    refused(world, sam, BeyondCeiling, create_update.update, User, world.ids["ada"], {"login": "ada2"})
    sam.do(create_update.update, User, world.ids["new"], {"login": "newer"})
    world.ada.do(passwords.set_password, "li", "x", one_time=True)


def test_two_persons_give_a_role_that_brings_what_two_have_to_decide(world: World) -> None:
    world.ada.do(create_update.update, Organisation, 1, {"two_for_policy": True})
    world.user("rolf2", "Rolf Two", "role_manager")
    lead = {"user_id": world.ids["wu"], "role_id": world.ids["sales_lead"]}  # brings `export`
    plain = {"user_id": world.ids["sam"], "role_id": world.ids["sales"]}

    refusal = refused(world, world.rolf, NeedsSecond, create_update.create, UserRole, lead)
    assert refusal.say() == "It lets somebody export: a second person has to do the same within 7 days."
    assert refusal.say("zh") == "此改动放开了权限（导出），须由另一人在 7 天内作同样的操作。"
    refused(world, world.rolf, NeedsSecond, create_update.create, UserRole, lead)
    assert world.rolf.do(create_update.create, UserRole, plain).id
    given = world.scope("rolf2").do(create_update.create, UserRole, lead).id

    world.clock.pass_by(days=1)
    world.rolf.do(create_update.delete, UserRole, [given])
    world.clock.pass_by(days=1)
    refused(world, world.scope("rolf2"), NeedsSecond, create_update.create, UserRole, lead)  # the first one is used up
    world.clock.pass_by(days=8)
    refused(world, world.rolf, NeedsSecond, create_update.create, UserRole, lead)  # and this one too old
