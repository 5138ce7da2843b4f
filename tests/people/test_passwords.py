"""Passwords: changing one's own, passwords of one use, and that nothing secret is written anywhere."""

from dataclasses import replace

import pytest
from argon2 import Type, extract_parameters

from models import Credential, Customer, SignInSession
from models.errors import (
    Forbidden,
    NotFound,
    PasswordMustChange,
    SignInRefused,
    TooManyAttempts,
    Validation,
)
from resolvers.people import passwords, tokens
from resolvers.people import sign_in as signing_in
from resolvers.people.sign_in import NewSession
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.sign_in import HASH, RIGHT, WRONG, at_full_cost, fails, give_passwords, sign_in, who
from tests.support.world import World


@pytest.fixture(autouse=True)
def _passwords(world: World) -> None:
    give_passwords(world, "li", "wu", "ada")


# --- passwords -------------------------------------------------------------------------------------------

NEW = "a much better password"


def change(world: World, entrance: NewSession, old: str = RIGHT, new: str = NEW) -> None:
    scope = world.backend.scope(entrance.principal, "test", token=entrance.token, address="10.0.0.1")
    world.run(passwords.change_password(scope, old, new))


def test_a_changed_password_ends_every_other_session(world: World) -> None:
    mine, other = sign_in(world), sign_in(world)

    change(world, mine)

    assert [who(world, x.token) for x in (mine, other)] == ["li", None]
    assert fails(world, password=RIGHT).code() == "SIGN_IN_REFUSED"
    assert sign_in(world, password=NEW).principal.login == "li"


@at_length_on_postgresql
@pytest.mark.parametrize(
    "new",
    [
        *("1234567890", "password1234", "li-is-the-best", "ＬＩ ＩＳ ＴＨＥ ＢＥＳＴ"),
        *("short", "x" * 201, "aaaaaaaaaaaa", "abababababab", RIGHT, "half \ud800 a character"),
        *("P@ssw0rd1234", "qwertyuiop12", "Na Na Na Na Na", "4@8({[<369&#!1/|0$5+7%2" * 8 + "li"),
    ],
)
def test_a_poor_password_is_refused(world: World, new: str) -> None:
    mine = sign_in(world)
    before = world.everything()

    with pytest.raises(Validation) as caught:
        change(world, mine, new=new)

    assert caught.value.field == "password"
    assert world.everything() == before


def test_a_wrong_old_password_changes_nothing_and_counts_as_a_guess(world: World) -> None:
    mine = sign_in(world)
    before = world.everything()
    for _ in range(8):
        with pytest.raises(SignInRefused) as caught:
            change(world, mine, old=WRONG)
        assert caught.value.field == "old"

    with pytest.raises(TooManyAttempts):
        change(world, mine)

    after = world.everything()
    assert [row["ok"] for row in after.pop("sign_in_attempt")] == [True] + [False] * 8
    before.pop("sign_in_attempt")
    assert after == before


@at_length_on_postgresql
def test_nobody_sets_the_password_of_somebody_else(world: World) -> None:
    before = world.everything()
    for login in ("wu", "lead", "rolf", "aud"):
        with pytest.raises(Forbidden):
            world.scope(login).do(passwords.set_password, "li", HASH, one_time=False)
    with pytest.raises(NotFound):
        world.ada.do(passwords.set_password, "nobody-here", HASH, one_time=False)

    assert world.everything() == before


def test_a_password_of_one_use_opens_nothing_but_its_own_change(world: World) -> None:
    once = passwords.one_time_password()
    world.ada.do(passwords.set_password, "li", passwords.hash_password(once), one_time=True)
    token = sign_in(world, password=once)
    scope = world.backend.scope(token.principal, "test", token=token.token)
    assert (token.principal.must_change_password, len(once)) == (True, 19)
    customer = world.customer()
    before = world.everything()

    for use_case, args in (
        (create_update.create, (Customer, {"name": "Acme"})),
        (create_update.update, (Customer, customer, {"name": "Acme"})),
        (create_update.delete, (Customer, [customer])),
        (tokens.create_token, ("robot",)),
        (tokens.revoke_session, (1,)),
    ):
        with pytest.raises(PasswordMustChange):
            scope.do(use_case, *args)
    with pytest.raises(PasswordMustChange):
        world.run(scope.read(tokens.keys_of, SignInSession))
    assert world.everything() == before

    change(world, token, old=once)
    fresh = world.run(world.backend.principal_of(token.token))

    assert fresh is not None
    assert fresh.must_change_password is False
    assert world.backend.scope(fresh, "test").do(create_update.create, Customer, {"name": "Acme"}).number == "C2026002"


@at_length_on_postgresql
def test_who_has_a_password_of_one_use_may_leave(world: World) -> None:
    world.ada.do(passwords.set_password, "li", HASH, one_time=True)
    entrance = sign_in(world)
    scope = world.backend.scope(entrance.principal, "test", token=entrance.token)

    scope.do(signing_in.sign_out, entrance.token)

    assert who(world, entrance.token) is None


@at_length_on_postgresql
def test_a_password_of_one_use_is_not_kept(world: World) -> None:
    world.ada.do(passwords.set_password, "li", HASH, one_time=True)
    entrance = sign_in(world)

    with pytest.raises(Validation):
        change(world, entrance, new=RIGHT)

    assert world.rows(Credential, Credential.user_id == world.ids["li"])[0]["one_time"] is True


def test_a_new_password_ends_the_tokens_that_are_not_kept_by_name(world: World) -> None:
    mine, kept, other = sign_in(world), *(world.li.do(tokens.create_token, name) for name in ("kept", "other"))
    foreign, mark = world.wu.do(tokens.create_token, "foreign"), world.mark()
    scope = world.backend.scope(mine.principal, "test", token=mine.token, address="10.0.0.1")

    world.run(passwords.change_password(scope, RIGHT, NEW, [kept.id]))

    assert [who(world, x.token) for x in (kept, other, foreign)] == ["li", None, "wu"]
    assert [row["changes"] for row in world.log(since=mark)] == [
        {"password": [None, "chosen"], "token": ["other", None]}
    ]


def test_a_password_that_somebody_else_resets_ends_every_token(world: World) -> None:
    made = [world.li.do(tokens.create_token, name) for name in ("first", "second")]

    world.ada.do(passwords.set_password, "li", HASH, one_time=True, keep_tokens=[made[0].id])

    assert [who(world, x.token) for x in made] == [None, None]


@at_length_on_postgresql
def test_an_api_token_does_not_get_round_a_password_of_one_use(world: World) -> None:
    world.ada.do(passwords.set_password, "li", HASH, one_time=True)
    before = replace(world.principal("li"), must_change_password=False)

    with pytest.raises(PasswordMustChange):
        world.backend.scope(before, "test").do(tokens.create_token, "robot")
    with pytest.raises(PasswordMustChange):
        world.backend.scope(before, "test").do(create_update.create, Customer, {"name": "Acme"})


@at_length_on_postgresql
def test_a_password_that_is_set_by_somebody_else_ends_every_session(world: World) -> None:
    entrance = sign_in(world)

    world.ada.do(passwords.set_password, "li", HASH, one_time=True)

    assert who(world, entrance.token) is None


@at_length_on_postgresql
def test_a_changed_password_is_in_the_log_without_the_password(world: World) -> None:
    mine, mark = sign_in(world), world.mark()

    change(world, mine)
    world.ada.do(passwords.set_password, "li", HASH, one_time=True)

    log = world.log("app_user", world.ids["li"], mark)
    assert [(x["actor_id"], x["action"], x["label"], x["changes"]) for x in log] == [
        (world.ids["li"], "user.password", "Li Na", {"password": [None, "chosen"]}),
        (world.ids["ada"], "user.password", "Li Na", {"password": [None, "for one use"]}),
    ]


def test_nothing_secret_is_in_any_table(world: World) -> None:
    once = passwords.one_time_password()
    world.ada.do(passwords.set_password, "wu", passwords.hash_password(once), one_time=True)
    secrets = [RIGHT, NEW, once, sign_in(world).token, sign_in(world, "wu", once).token]
    secrets.append(world.li.do(tokens.create_token, "robot").token)
    mine = sign_in(world)
    change(world, mine)
    fails(world, password=NEW + "!")

    everything = str(world.everything()) + str(world.log()) + str(world.rows(SignInSession))

    assert [secret for secret in (*secrets, mine.token) if secret in everything] == []
    assert {row["password_hash"][:9] for row in world.rows(Credential)} == {"$argon2id"}


def test_a_password_is_hashed_at_the_cost_that_the_field_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = at_full_cost(monkeypatch)

    for hashed in (passwords.hash_password(RIGHT), passwords._dummy):
        cost = extract_parameters(hashed)
        assert (cost.type, cost.time_cost, cost.memory_cost, cost.parallelism) == (Type.ID, 3, 64 * 1024, 4)  # RFC 9106
        assert not ours.check_needs_rehash(hashed)
