"""What a user may hand out, and what takes the last administrator away."""

import pytest

from models import (
    Credential,
    PolicyRevision,
    Role,
    User,
    UserRole,
)
from models.errors import (
    BeyondCeiling,
    InBin,
    InvalidPolicyText,
    LastAdministrator,
)
from policies import STARTER, Snapshot
from resolvers.access import policy_drafts
from resolvers.records import create_update
from tests.support.policy_drafting import EXPORT, HIDE, activate, draft
from tests.support.refusals import refused
from tests.support.world import World


def test_a_role_manager_hands_out_what_he_does_not_have_himself_up_to_his_ceiling(world: World) -> None:
    activate(world, "rolf", EXPORT)

    id, review = draft(world, "rolf", "p, sales, customer, purge, all, deleted, allow")
    assert {(beyond.object, beyond.actions) for beyond in review.beyond} == {("customer", ("purge",))}
    assert "deleted" in review.beyond[0].when
    refused(world, world.rolf, BeyondCeiling, policy_drafts.activate_policy, id, "more", review.hash)


@pytest.mark.parametrize(
    "line",
    [
        "g, role_manager, administrator",
        "p, role_manager, user, edit, all, any, allow",
        "p2, role_manager, *, *, all, any, allow",
        "p, *, *, *, all, any, allow",
        "p, support, user, create, own, any, allow",
        "p, support, customer.phone, purge, all, any, allow",
    ],
)
def test_nobody_hands_out_more_than_his_ceiling(world: World, line: str) -> None:
    id, review = draft(world, "rolf", line)

    assert not review.may_take_effect
    refused(world, world.rolf, BeyondCeiling, policy_drafts.activate_policy, id, "more", review.hash)


def test_the_rule_about_locks_is_an_administrators(world: World) -> None:
    lock = "p, *, customer, touch, others, locked, deny"
    id, review = draft(world, "rolf", without=lock)
    refused(world, world.rolf, BeyondCeiling, policy_drafts.activate_policy, id, "open", review.hash)

    assert activate(world, "ada", without=lock) == world.backend.policy.revision


def test_nobody_gives_a_role_that_brings_more_than_he_may_hand_out(world: World) -> None:
    theirs = {"user_id": world.ids["sam"], "role_id": world.ids["administrator"]}
    refused(world, world.rolf, BeyondCeiling, create_update.create, UserRole, theirs)

    world.rolf.do(create_update.create, UserRole, {"user_id": world.ids["sam"], "role_id": world.ids["sales"]})


def test_a_role_that_only_forbids_is_not_taken_away_by_somebody_who_may_not_hand_out_what_that_opens(
    world: World,
) -> None:
    world.ids["both"] = world.user("both", "Bo Th", "administrator")
    world.make(UserRole, user_id=world.ids["both"], role_id=world.ids["auditor"])
    held = world.rows(UserRole, UserRole.user_id == world.ids["both"], UserRole.role_id == world.ids["auditor"])

    outcome = world.rolf.do(create_update.delete, UserRole, [held[0]["id"]])

    assert [type(problem) for problem in outcome.problems] == [BeyondCeiling]


def test_a_role_does_not_come_back_through_the_bin(world: World) -> None:
    wide = world.make(Role, code="purger", name="Purger")
    activate(world, "ada", "p, purger, customer, purge, all, any, allow")
    held = world.ada.do(create_update.create, UserRole, {"user_id": world.ids["sam"], "role_id": wide}).id
    world.ada.do(create_update.delete, UserRole, [held])
    outcome = world.rolf.do(create_update.restore, UserRole, [held])
    assert [type(problem) for problem in outcome.problems] == [BeyondCeiling]

    inside = world.backend.policy
    world.backend.policy = Snapshot(STARTER, revision=inside.revision)  # a role that the policy names stays
    assert world.rolf.do(create_update.delete, Role, [wide]).problems == []
    world.backend.policy = inside
    outcome = world.rolf.do(create_update.restore, UserRole, [held])
    assert [type(problem) for problem in outcome.problems] == [InBin]
    with world.backend.writer.engine.begin() as connection:  # as if both had happened at once
        connection.execute(UserRole.__table__.update().where(UserRole.id == held).values(deleted_at=None))  # type: ignore[attr-defined]
    outcome = world.rolf.do(create_update.restore, Role, [wide])

    assert [type(problem) for problem in outcome.problems] == [BeyondCeiling]


def test_what_everybody_may_is_judged_for_who_has_no_role_yet(world: World) -> None:
    lines = ["p, *, user, edit, all, any, allow"]
    lines += [
        f"p, {role}, user, edit, all, any, deny"
        for role in ("role_manager", "sales", "sales_lead", "finance", "support", "auditor")
    ]
    id, review = draft(world, "rolf", *lines)

    assert frozenset() in {beyond.roles for beyond in review.beyond}
    refused(world, world.rolf, BeyondCeiling, policy_drafts.activate_policy, id, "more", review.hash)


def test_what_widens_is_found_whatever_else_changes_alike(world: World) -> None:
    both = [f"p, support, {kind}, export, all, deleted, allow" for kind in ("department", "opportunity")]
    activate(world, "ada", *both)
    own = [f"p, support, {kind}, export, own, any, allow" for kind in ("department", "opportunity")]

    _, review = draft(world, "ada", *own)

    gains = {object for change in review.changes if change.gained for object in change.objects}
    assert gains == {"opportunity"}  # nobody owns a department
    assert review.widens == ("export",)


def test_handing_out_more_widens_too(world: World) -> None:
    _, review = draft(world, "ada", "p2, support, customer, export, all, any, allow")

    assert review.widens == ("export",)


def test_a_revision_that_was_changed_by_hand_does_not_come_back(world: World) -> None:
    activate(world, "ada", HIDE)
    with world.backend.writer.engine.begin() as connection:
        changed = f"{STARTER}\n{EXPORT}\n"
        connection.execute(PolicyRevision.__table__.update().where(PolicyRevision.number == 1).values(text=changed))  # type: ignore[attr-defined]

    refused(world, world.ada, InvalidPolicyText, policy_drafts.rollback_policy, 1, "back")


def test_the_last_administrator_stays(world: World) -> None:
    sign_in_able(world, "ada")
    held = world.rows(UserRole, UserRole.user_id == world.ids["ada"])[0]["id"]

    for login in ("rolf", "ada"):
        outcome = world.scope(login).do(create_update.delete, UserRole, [held])
        assert [type(problem) for problem in outcome.problems] == [LastAdministrator]
    refused(world, world.system, LastAdministrator, create_update.update, User, world.ids["ada"], {"active": False})
    outcome = world.system.do(create_update.delete, User, [world.ids["ada"]])
    assert [type(problem) for problem in outcome.problems] == [LastAdministrator]
    refused(
        world,
        world.system,
        LastAdministrator,
        create_update.update,
        UserRole,
        held,
        {"ends_at": world.clock.now.replace(year=2030)},
    )
    id, review = draft(world, "ada", without="p, administrator, *, *, all, any, allow")
    assert not review.keeps_an_administrator
    refused(world, world.ada, LastAdministrator, policy_drafts.activate_policy, id, "gone", review.hash)


def test_one_of_two_administrators_may_go(world: World) -> None:
    sign_in_able(world, "ada")
    world.user("eve", "Eve", "administrator")
    held = world.rows(UserRole, UserRole.user_id == world.ids["ada"])[0]["id"]
    assert world.system.do(create_update.delete, UserRole, [held]).problems  # Eve has no password yet

    sign_in_able(world, "eve")
    assert not world.system.do(create_update.delete, UserRole, [held]).problems


def sign_in_able(world: World, login: str) -> None:
    with world.backend.writer.engine.begin() as connection:
        row = {"user_id": world.ids[login], "password_hash": "x", "changed_at": world.clock.now, "one_time": False}
        connection.execute(Credential.__table__.insert(), row)  # type: ignore[attr-defined]
