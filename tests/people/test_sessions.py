"""Sessions of a user: seen and ended by the user, and by who may edit them."""

import pytest

from models import AuditEntry, SignInSession, User
from models.errors import BeyondCeiling, Forbidden, InBin, NotFound, OnlyLooking, SignInRefused
from resolvers.people import passwords, sessions, sign_in_throttle, view_as
from resolvers.people.sessions import OpenSession
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import add_line, refused
from tests.support.sign_in import RIGHT, fails, give_passwords, sign_in, who
from tests.support.world import World


def seen(scope: Scope, world: World, user: str | None = None, **page: int) -> list[OpenSession]:
    found: list[OpenSession] = world.run(scope.read(sessions.sessions_of, user and world.ids[user], **page))
    return found


def of_session(world: World, login: str, token: str) -> Scope:
    return world.backend.scope(world.principal(login), "test", token=token)


@at_length_on_postgresql
def test_a_user_sees_where_they_are_signed_in_and_which_session_is_this_one(world: World) -> None:
    give_passwords(world, "li")
    first = sign_in(world, "li", address="10.0.0.1")
    world.clock.pass_by(minutes=3)
    second = sign_in(world, "li", address="10.0.0.2")

    newest, oldest = seen(of_session(world, "li", first.token), world)

    assert (newest.address, newest.agent, newest.is_this) == ("10.0.0.2", "Mozilla/5.0", False)
    assert (oldest.address, oldest.is_this, oldest.created_at < newest.created_at) == ("10.0.0.1", True, True)
    assert newest.expires_at == second.expires_at
    assert [x.id for x in seen(of_session(world, "li", first.token), world, first=1)] == [newest.id]
    assert [x.id for x in seen(of_session(world, "li", first.token), world, before=newest.id)] == [oldest.id]


def test_who_may_edit_a_user_sees_their_sessions_and_nobody_else_does(world: World) -> None:
    give_passwords(world, "li")
    sign_in(world, "li")

    assert len(seen(world.ada, world, "li")) == 1
    with pytest.raises(Forbidden):
        seen(world.wu, world, "li")
    with pytest.raises(NotFound):
        world.run(world.ada.read(sessions.sessions_of, 999_999))


def test_a_session_that_ended_fell_asleep_or_is_a_view_is_not_listed(world: World) -> None:
    give_passwords(world, "li")
    ended = sign_in(world, "li")
    world.run(
        of_session(world, "li", ended.token).run(sessions.end_sessions, world.ids["li"], [seen(world.li, world)[0].id])
    )
    sign_in(world, "li")
    world.clock.pass_by(hours=13)
    world.ada.do(view_as.start_viewing_as, world.ids["li"])

    assert seen(world.li, world) == []


def test_all_but_this_session_end_and_the_log_says_where_they_were(world: World) -> None:
    give_passwords(world, "li")
    this, other, third = (sign_in(world, "li", address=f"10.0.0.{n}") for n in (1, 2, 3))

    assert of_session(world, "li", this.token).do(sessions.end_sessions, world.ids["li"]) == 2

    assert [who(world, x.token) for x in (this, other, third)] == ["li", None, None]
    assert world.log("app_user", world.ids["li"])[-1]["changes"] == {"session": [["10.0.0.2", "10.0.0.3"], None]}
    assert of_session(world, "li", this.token).do(sessions.end_sessions, world.ids["li"]) == 0


def test_an_administrator_ends_one_or_all_sessions_of_another_user(world: World) -> None:
    give_passwords(world, "li")
    one, two = sign_in(world, "li"), sign_in(world, "li")
    newest = seen(world.ada, world, "li")[0]

    assert world.ada.do(sessions.end_sessions, world.ids["li"], [newest.id]) == 1
    assert [who(world, x.token) for x in (one, two)] == ["li", None]
    assert world.ada.do(sessions.end_sessions, world.ids["li"]) == 1
    assert who(world, one.token) is None
    entry = world.log("app_user", world.ids["li"])[-1]
    assert (entry["action"], entry["actor_id"]) == ("session.end", world.ids["ada"])


def test_sessions_of_others_end_for_nobody_without_the_right(world: World) -> None:
    give_passwords(world, "li", "ada")
    sign_in(world, "li"), sign_in(world, "ada")
    mine, hers = seen(world.li, world)[0].id, seen(world.ada, world)[0].id

    refused(world, world.scope("wu"), Forbidden, sessions.end_sessions, world.ids["li"])
    refused(world, world.scope("li"), NotFound, sessions.end_sessions, world.ids["li"], [mine, hers])
    refused(world, world.ada, NotFound, sessions.end_sessions, world.ids["li"], [hers])
    assert world.count(SignInSession, SignInSession.revoked_at.is_not(None)) == 0


def test_a_password_for_one_use_is_shown_once_and_ends_what_the_old_one_opened(world: World) -> None:
    give_passwords(world, "li")
    old = sign_in(world, "li")

    secret = world.run(passwords.give_one_time_password(world.ada, world.ids["li"]))

    assert who(world, old.token) is None
    assert isinstance(fails(world, "li", RIGHT), SignInRefused)
    assert sign_in(world, "li", secret).principal.must_change_password
    assert secret not in str(world.everything()) + str(world.log())
    assert world.log("app_user", world.ids["li"])[-1]["changes"]["password"] == [None, "for one use"]
    assert world.run(passwords.give_one_time_password(world.ada, world.ids["li"])) != secret


def test_a_password_for_one_use_is_given_by_nobody_without_the_right(world: World) -> None:
    world.user("boss", "Bo Head", "administrator")
    gone = world.user("gone", "Gone", "sales")
    world.ada.do(create_update.delete, User, [gone])

    def given(by: str, user: int) -> str:
        secret: str = world.run(passwords.give_one_time_password(world.scope(by), user))
        return secret

    for by, user, why in (
        ("wu", world.ids["li"], Forbidden),
        ("li", world.ids["boss"], Forbidden),
        ("ada", gone, InBin),
        ("ada", 999_999, NotFound),
    ):
        with pytest.raises(why):
            given(by, user)


def test_who_only_looks_gives_no_password_and_ends_no_session(world: World) -> None:
    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])
    looking = world.backend.scope(world.run(world.ada.read(view_as.viewed_principal, token)), "graphql")

    refused(world, looking, OnlyLooking, sessions.end_sessions, world.ids["li"])
    with pytest.raises(OnlyLooking):
        world.run(passwords.give_one_time_password(looking, world.ids["li"]))


def test_an_account_that_waits_is_unlocked_by_its_id(world: World) -> None:
    give_passwords(world, "li")
    for _ in range(8):
        fails(world, "li")
    assert fails(world, "li", RIGHT).code() == "TOO_MANY_ATTEMPTS"

    with pytest.raises(Forbidden):
        world.scope("wu").do(sign_in_throttle.unlock_account, world.ids["li"])
    world.clock.pass_by(seconds=1)
    world.ada.do(sign_in_throttle.unlock_account, world.ids["li"])

    assert sign_in(world, "li").token
    assert world.rows(AuditEntry, AuditEntry.action == "user.edit")[-1]["record_id"] == world.ids["li"]


def test_a_helper_who_edits_users_gets_into_no_account_beyond_their_own_rights(world: World) -> None:
    add_line(world, "p, role_manager, user, edit, all, any, allow")

    refused(world, world.rolf, BeyondCeiling, sessions.end_sessions, world.ids["ada"])
    with pytest.raises(BeyondCeiling):
        world.run(passwords.give_one_time_password(world.rolf, world.ids["ada"]))
