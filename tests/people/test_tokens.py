"""Keys for programs: shown once, stored hashed, with an end, and gone at once when revoked."""

from datetime import datetime, timedelta

import pytest

from models import ApiToken, Customer, User
from models.errors import NotFound, SignInRefused, Validation
from resolvers.people import tokens
from resolvers.records import create_update
from resolvers.runtime.principals import hash_of
from tests.support.engines import at_length_on_postgresql
from tests.support.sign_in import RIGHT, WRONG, give_passwords
from tests.support.world import World


def who(world: World, token: str) -> str | None:
    found = world.run(world.backend.principal_of(token))
    return found.login if found else None


def test_a_token_is_shown_once_and_stored_hashed(world: World) -> None:
    made = world.li.do(tokens.create_token, " robot ")

    row = world.row(ApiToken, made.id)
    assert made.token.startswith("mp_")
    assert len(made.token) == 46
    assert (row["token_hash"], row["hint"], row["name"]) == (hash_of(made.token), made.token[:8], "robot")
    assert (row["user_id"], row["expires_at"], row["revoked_at"]) == (world.ids["li"], None, None)
    assert made.token not in str(world.everything()) + str(world.log())


@at_length_on_postgresql
def test_a_token_acts_with_the_rights_of_its_person_as_they_are_now(world: World) -> None:
    token = world.li.do(tokens.create_token, "robot").token
    principal = world.run(world.backend.principal_of(token))

    assert principal is not None
    assert (principal.login, principal.roles) == ("li", {"sales"})
    made = world.backend.scope(principal, "graphql").do(create_update.create, Customer, {"name": "Acme"})
    assert world.log("customer", made.id)[0]["actor_id"] == world.ids["li"]


def test_a_token_ends_at_its_time_and_does_not_fall_asleep(world: World) -> None:
    token = world.li.do(tokens.create_token, "robot", world.clock.now + timedelta(days=90)).token

    world.clock.pass_by(days=90, milliseconds=-1)
    assert who(world, token) == "li"
    world.clock.pass_by(milliseconds=1)

    assert who(world, token) is None


@at_length_on_postgresql
def test_a_revoked_token_is_dead_at_once(world: World) -> None:
    made, other = world.li.do(tokens.create_token, "robot"), world.li.do(tokens.create_token, "crawler")

    world.li.do(tokens.revoke_token, made.id)

    assert (who(world, made.token), who(world, other.token)) == (None, "li")


def test_nobody_revokes_the_token_of_somebody_else(world: World) -> None:
    made = world.li.do(tokens.create_token, "robot")
    before = world.everything()

    answers = []
    for id in (made.id, 999, 0):
        with pytest.raises(NotFound) as caught:
            world.wu.do(tokens.revoke_token, id)
        answers.append((caught.value.say("en"), caught.value.say("zh")))

    assert set(answers) == {("There is no such token, or you may not see it.", "该令牌不存在，或您无权查看。")}
    assert world.everything() == before
    assert who(world, made.token) == "li"


@at_length_on_postgresql
def test_a_token_is_revoked_once(world: World) -> None:
    made = world.li.do(tokens.create_token, "robot")
    world.li.do(tokens.revoke_token, made.id)

    with pytest.raises(NotFound):
        world.li.do(tokens.revoke_token, made.id)


@at_length_on_postgresql
def test_one_sees_ones_own_living_tokens(world: World) -> None:
    first = world.li.do(tokens.create_token, "first")
    second = world.li.do(tokens.create_token, "second", world.clock.now + timedelta(days=1))
    gone = world.li.do(tokens.create_token, "gone")
    world.li.do(tokens.revoke_token, gone.id)
    world.wu.do(tokens.create_token, "of wu")

    assert [row.id for row in world.run(world.li.read(tokens.keys_of, ApiToken))] == [second.id, first.id]
    world.clock.pass_by(days=1)
    assert [row.id for row in world.run(world.li.read(tokens.keys_of, ApiToken))] == [first.id]


@at_length_on_postgresql
@pytest.mark.parametrize("hours", [0, -1])
def test_a_token_does_not_end_before_it_begins(world: World, hours: int) -> None:
    before = world.everything()

    with pytest.raises(Validation) as caught:
        world.li.do(tokens.create_token, "robot", world.clock.now + timedelta(hours=hours))

    assert caught.value.field == "expiresAt"
    assert world.everything() == before


@at_length_on_postgresql
def test_an_end_without_a_zone_is_utc_and_one_out_of_range_is_refused(world: World) -> None:
    made = world.li.do(tokens.create_token, "robot", datetime(2027, 1, 1))  # noqa: DTZ001

    assert world.row(ApiToken, made.id)["expires_at"].isoformat() == "2027-01-01T00:00:00+00:00"
    with pytest.raises(Validation) as caught:
        world.li.do(tokens.create_token, "robot", datetime.max)  # noqa: DTZ901
    assert caught.value.field == "expiresAt"


@at_length_on_postgresql
@pytest.mark.parametrize(("name", "field"), [("x" * 201, "name"), ("a\x00b", "name")])
def test_the_name_of_a_token_is_a_line_of_text(world: World, name: str, field: str) -> None:
    with pytest.raises(Validation) as caught:
        world.li.do(tokens.create_token, name)

    assert caught.value.field == field


@at_length_on_postgresql
def test_fifty_living_tokens_are_enough(world: World) -> None:
    made = [world.li.do(tokens.create_token, f"robot {n}") for n in range(50)]
    before = world.everything()

    with pytest.raises(Validation, match="At most 50 tokens"):
        world.li.do(tokens.create_token, "one more")
    assert world.everything() == before
    world.li.do(tokens.revoke_token, made[0].id)

    assert world.li.do(tokens.create_token, "one more").id


@at_length_on_postgresql
def test_the_house_itself_has_no_tokens(world: World) -> None:
    with pytest.raises(Exception, match="Please sign in"):
        world.system.do(tokens.create_token, "robot")

    assert world.rows(ApiToken) == []


def test_making_and_revoking_is_in_the_log_by_name(world: World) -> None:
    mark = world.mark()
    made = world.li.do(tokens.create_token, "robot")
    world.li.do(tokens.revoke_token, made.id)

    log = world.log(since=mark)

    assert [(x["action"], x["entity"], x["record_id"], x["changes"]) for x in log] == [
        ("session.token", "app_user", world.ids["li"], {"token": [None, "robot"]}),
        ("session.end", "app_user", world.ids["li"], {"token": ["robot", None]}),
    ]


@at_length_on_postgresql
def test_the_use_of_a_token_is_noted(world: World) -> None:
    made = world.li.do(tokens.create_token, "robot")
    world.clock.pass_by(hours=1)

    who(world, made.token)
    world.run(_noted(world))

    assert world.row(ApiToken, made.id)["seen_at"] == world.clock.now


async def _noted(world: World) -> None:
    for task in list(world.backend._noting.values()):
        await task


@at_length_on_postgresql
def test_a_token_dies_with_its_person(world: World) -> None:
    made = world.li.do(tokens.create_token, "robot")
    world.ada.do(create_update.update, User, world.ids["li"], {"active": False})

    assert who(world, made.token) is None


# --- who makes one ---------------------------------------------------------------------------------------


def test_a_token_asks_for_the_password_of_its_person(world: World) -> None:
    give_passwords(world, "li")
    before = world.everything()

    with pytest.raises(SignInRefused) as caught:
        world.run(tokens.create_own_token(world.li, WRONG, "robot"))

    after = world.everything()
    assert caught.value.field == "password"
    assert len(after.pop("sign_in_attempt")) == len(before.pop("sign_in_attempt")) + 1
    assert after == before
    assert who(world, world.run(tokens.create_own_token(world.li, RIGHT, "robot")).token) == "li"


def test_a_token_makes_none_that_lasts_longer_than_itself(world: World) -> None:
    give_passwords(world, "li")
    ends = world.clock.now + timedelta(days=7)
    made = world.li.do(tokens.create_token, "robot", ends)
    robot = world.backend.scope(world.principal("li"), "test", token=made.token)
    before = world.everything()

    for later in (None, ends + timedelta(milliseconds=1)):
        with pytest.raises(Validation) as caught:
            world.run(tokens.create_own_token(robot, RIGHT, "heir", later))
        assert caught.value.field == "expiresAt"
    assert world.everything() == before

    heir = world.run(tokens.create_own_token(robot, RIGHT, "heir", ends))
    world.clock.pass_by(days=7)
    assert [who(world, token) for token in (made.token, heir.token)] == [None, None]
