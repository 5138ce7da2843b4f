"""No change of rights keeps administrators from setting everything right again."""

import pytest

from models import Role, User, UserRole
from models.errors import AdministratorsBound, BeyondCeiling
from policies import Snapshot
from policies.administrators import bindings
from policies.review import can_administer
from resolvers.access import policy_drafts
from resolvers.records import create_update
from resolvers.runtime.policy_store import put_in_force
from tests.access.test_handing_out import sign_in_able
from tests.support.policy_drafting import EXPORT, HIDE, activate, draft
from tests.support.refusals import add_line, refused
from tests.support.world import START, World

PURGE = "p, sales, customer, purge, own, deleted, allow"


@pytest.mark.parametrize("login", ["rolf", "ada"])
@pytest.mark.parametrize(
    "line",
    [
        "p2, administrator, *, *, all, any, deny",
        "p2, administrator, customer, purge, all, deleted, deny",
        "p2, *, policy, *, all, any, deny",
        "g, administrator, role_manager",
    ],
)
def test_no_revision_takes_from_administrators_what_they_may_hand_out(world: World, line: str, login: str) -> None:
    sign_in_able(world, "ada")
    id, review = draft(world, login, line)

    assert review.binds
    assert not review.may_take_effect
    refused(world, world.scope(login), AdministratorsBound, policy_drafts.activate_policy, id, "bind", review.hash)
    activate(world, "ada", PURGE)  # what only administrators hand out


def test_no_revision_binds_administrators_to_the_denials_of_other_roles(world: World) -> None:
    world.make(Role, code="shy", name="Shy")
    activate(world, "ada", "p, shy, customer, view, all, any, deny")
    id, review = draft(world, "rolf", "g, administrator, shy")

    assert {(bound.object, bound.action) for bound in review.binds} >= {("customer", "view")}
    refused(world, world.rolf, AdministratorsBound, policy_drafts.activate_policy, id, "bind", review.hash)
    activate(world, "ada", "p, administrator, customer, export, all, any, deny")  # a denial of their own


def test_what_binds_is_found_when_a_denial_only_comes_by_inheritance() -> None:
    before = Snapshot("p, boss, *, *, all, any, allow\np, shy, role, edit, all, any, deny\n")
    after = Snapshot(f"{before.text}g, boss, shy\n")
    boss = frozenset({"boss"})

    assert {(bound.object, bound.action) for bound in bindings(before, after, [(boss, boss)])} >= {("role", "edit")}
    assert not can_administer(after, boss)
    assert list(bindings(after, after, [(boss, boss)])) == []


@pytest.mark.parametrize("right", ["role.user", "role.role", "user.login", "policy"])
def test_whoever_may_no_longer_give_roles_or_read_the_policy_is_no_administrator(right: str) -> None:
    free = "p, boss, *, *, all, any, allow\np2, boss, *, *, all, any, allow\n"
    boss = frozenset({"boss"})

    assert can_administer(Snapshot(free), boss)
    assert not can_administer(Snapshot(f"{free}p, boss, {right}, view, all, any, deny\n"), boss)
    assert not can_administer(Snapshot(f"{free}p2, boss, {right}, view, all, any, deny\n"), boss)


def test_a_role_manager_neither_binds_an_administrator_by_a_role_nor_takes_theirs(world: World) -> None:
    sign_in_able(world, "ada")
    world.user("eve", "Eve", "administrator")
    sign_in_able(world, "eve")
    for role in ("auditor", "role_manager"):
        given = {"user_id": world.ids["eve"], "role_id": world.ids[role]}
        refused(world, world.rolf, AdministratorsBound, create_update.create, UserRole, given)
    held = world.rows(UserRole, UserRole.user_id == world.ids["eve"])[0]["id"]

    outcome = world.rolf.do(create_update.delete, UserRole, [held])
    assert [type(problem) for problem in outcome.problems] == [AdministratorsBound]
    assert world.ada.do(create_update.delete, UserRole, [held]).problems == []  # administrators may


def test_whoever_edits_people_neither_shuts_an_administrator_out_nor_takes_their_login(world: World) -> None:
    sign_in_able(world, "ada")
    world.user("eve", "Eve", "administrator")
    sign_in_able(world, "eve")
    add_line(world, "p, support, user, touch, all, any, allow")
    sam, eve = world.scope("sam"), world.ids["eve"]

    refused(world, sam, AdministratorsBound, create_update.update, User, eve, {"active": False})
    assert [type(x) for x in sam.do(create_update.delete, User, [eve]).problems] == [AdministratorsBound]
    refused(world, sam, BeyondCeiling, create_update.update, User, eve, {"login": "eve2"})
    sam.do(create_update.update, User, world.ids["aud"], {"name": "Audrey O."})


def test_an_administrator_brings_back_the_last_revision_of_an_administrator(world: World) -> None:
    """Also where the way back gives rights that the administrator could not hand out in a new revision."""
    sign_in_able(world, "ada")
    hers = activate(world, "ada", EXPORT)
    activate(world, "rolf", HIDE, without=EXPORT)
    poor = world.backend.policy.text.replace(
        "p2, administrator, *, *, all, any, allow", "p, administrator, customer, export, all, any, deny"
    )
    with world.backend.writer.engine.begin() as connection:  # as by hand: administrators may no longer hand it out
        put_in_force(connection, poor, "a test", START, world.ids["rolf"])
        world.backend.refresh_policy(connection)
    refused(world, world.ada, BeyondCeiling, policy_drafts.apply_policy, f"{poor}{EXPORT}\n", "export")

    assert world.ada.do(policy_drafts.rollback_policy, hers, "back") == world.backend.policy.revision
    assert EXPORT in world.backend.policy.text


def test_an_administrator_alone_brings_it_back_although_two_have_to_widen(world: World) -> None:
    hers = activate(world, "ada", EXPORT)
    activate(world, "rolf", without=EXPORT)
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE organisation SET two_for_policy = true")

    world.ada.do(policy_drafts.rollback_policy, hers, "back")

    assert EXPORT in world.backend.policy.text


def test_a_role_manager_is_judged_when_they_bring_it_back(world: World) -> None:
    hers = activate(world, "ada", PURGE)
    activate(world, "ada", HIDE, without=PURGE)

    refused(world, world.rolf, BeyondCeiling, policy_drafts.rollback_policy, hers, "back")
