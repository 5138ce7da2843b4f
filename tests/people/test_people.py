"""People, departments, roles and words: the tree, logins, and what follows when somebody moves or leaves."""

from typing import Any

import pytest

from models import (
    ApiToken,
    Customer,
    Dictionary,
    Organisation,
    OwnerLoad,
    Role,
    SignInSession,
    User,
)
from models.errors import Duplicate, Forbidden, Refusal, Validation
from resolvers.people import passwords, tokens
from resolvers.people import sign_in as signing_in
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World


def with_password(world: World, login: str, password: str = "millpond-demo") -> None:
    world.system.do(passwords.set_password, login, passwords.hash_password(password), one_time=False)


# --- leaving ---------------------------------------------------------------------------------------------


def test_who_is_deactivated_is_out_at_once(world: World) -> None:
    with_password(world, "li")
    session = world.run(signing_in.sign_in(world.backend.scope(None, "test"), "li", "millpond-demo"))
    token = world.li.do(tokens.create_token, "robot")

    world.ada.do(create_update.update, User, world.ids["li"], {"active": False})

    for key in (session.token, token.token):
        assert world.run(world.backend.principal_of(key)) is None
    assert {row["revoked_at"] for row in (*world.rows(SignInSession), *world.rows(ApiToken))} == {world.clock.now}


@at_length_on_postgresql
def test_old_keys_stay_dead_when_somebody_comes_back(world: World) -> None:
    token = world.li.do(tokens.create_token, "robot")
    world.ada.do(create_update.update, User, world.ids["li"], {"active": False})

    world.ada.do(create_update.update, User, world.ids["li"], {"active": True})

    assert world.run(world.backend.principal_of(token.token)) is None


@at_length_on_postgresql
def test_who_is_in_the_bin_is_out_at_once(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "sales")
    token = world.zoe.do(tokens.create_token, "robot")

    world.ada.do(create_update.delete, User, [zoe])

    assert world.run(world.backend.principal_of(token.token)) is None
    assert world.row(User, zoe)["active"] is False


@at_length_on_postgresql
def test_nobody_locks_himself_out(world: World) -> None:
    me = world.ids["ada"]

    assert refused(world, world.ada, Validation, create_update.update, User, me, {"active": False}).field == "active"
    before = world.everything()
    assert [x.code() for x in world.ada.do(create_update.delete, User, [me]).problems] == ["VALIDATION"]
    assert world.everything() == before


@at_length_on_postgresql
def test_who_left_may_be_replaced_but_stays_the_author(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "administrator")
    customer = world.zoe.do(create_update.create, Customer, {"name": "Acme", "owner_id": world.ids["li"]}).id

    assert world.ada.do(create_update.delete, User, [zoe]).ids == [zoe]

    assert world.row(Customer, customer)["created_by_id"] == zoe


# --- logins and codes ------------------------------------------------------------------------------------


@at_length_on_postgresql
@pytest.mark.parametrize(("typed", "stored"), [(" Zoe.Chen ", "zoe.chen"), ("Z-1_a", "z-1_a"), ("86zoe", "86zoe")])
def test_a_login_is_stored_in_small_letters(world: World, typed: str, stored: str) -> None:
    assert world.ada.do(create_update.create, User, {"login": typed, "name": "Zoe"}).login == stored


@at_length_on_postgresql
@pytest.mark.parametrize(
    "login",
    ["z", "zoe chen", "zoe@acme.example", "左", "-zoe", "zoe/1", "system:demo", "z" * 41, "system", "Nobody", "zoé"],
)
def test_a_login_of_another_form_is_refused(world: World, login: str) -> None:
    refusal = refused(world, world.ada, Validation, create_update.create, User, {"login": login, "name": "Zoe"})

    assert (refusal.field, "login" in refusal.say("en").lower(), "账号" in refusal.say("zh")) == ("login", True, True)


def test_a_login_is_one_persons_whatever_its_letters(world: World) -> None:
    refusal = refused(world, world.ada, Duplicate, create_update.create, User, {"login": "LI", "name": "Li Ning"})

    assert (refusal.field, refusal.say()) == ("login", "li is taken already. Choose another.")


@at_length_on_postgresql
@pytest.mark.parametrize("code", ["*", "system", "system:demo", "Sales", "a,b", "x", "1st", "sales lead", "r" * 41])
def test_a_role_code_can_stand_in_a_policy_line(world: World, code: str) -> None:
    assert (
        refused(world, world.ada, Validation, create_update.create, Role, {"code": code, "name": "X"}).field == "code"
    )


@at_length_on_postgresql
def test_people_of_one_name_are_two_people(world: World) -> None:
    twin = world.user("li2", "Li Na", "sales", "west")

    assert twin != world.ids["li"]
    assert world.scope("li2").person.id == twin


@at_length_on_postgresql
def test_a_new_person_holds_nothing_yet_and_speaks_english(world: World) -> None:
    zoe = world.ada.do(create_update.create, User, {"login": "zoe", "name": "Zoe"})

    assert (zoe.active, zoe.language) == (True, "en")
    assert [row["held"] for row in world.rows(OwnerLoad, OwnerLoad.user_id == zoe.id)] == [0]


@pytest.mark.parametrize(("key", "value"), [("language", "fr"), ("capacity", -1), ("department_id", 999)])
def test_a_person_has_sensible_values_or_none(world: World, key: str, value: Any) -> None:
    given = {"login": "zoe", "name": "Zoe", key: value}

    refusal = refused(world, world.ada, Refusal, create_update.create, User, given)

    assert refusal.field == {"department_id": "departmentId"}.get(key, key)


# --- the organisation and the dictionaries ---------------------------------------------------------------


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("time_zone", "Mars/Olympus", "timeZone"),
        ("time_zone", "../../etc/passwd", "timeZone"),
        ("currency", "yuan", "currency"),
        ("language", "fr", "language"),
        ("capacity", -1, "capacity"),
        ("name", " ", "name"),
    ],
)
def test_the_organisation_has_settings_that_the_house_can_reckon_with(
    world: World, key: str, value: Any, field: str
) -> None:
    assert refused(world, world.ada, Validation, create_update.update, Organisation, 1, {key: value}).field == field


@at_length_on_postgresql
def test_an_administrator_sets_the_organisation_and_nobody_else(world: World) -> None:
    given = {"name": "Pond AG", "time_zone": "Asia/Shanghai", "currency": "eur", "language": "zh", "capacity": 100}
    for login in ("li", "lead", "rolf", "aud"):
        refused(world, world.scope(login), Forbidden, create_update.update, Organisation, 1, given)

    world.ada.do(create_update.update, Organisation, 1, given)

    row = world.row(Organisation, 1)
    assert {key: row[key] for key in given} == {**given, "currency": "EUR"}


@at_length_on_postgresql
def test_the_code_of_a_dictionary_stays_what_it_is(world: World) -> None:
    (industry,) = world.rows(Dictionary, Dictionary.code == "industry")

    refusal = refused(world, world.ada, Validation, create_update.update, Dictionary, industry["id"], {"code": "trade"})

    assert refusal.say() == "Code is only given at creation."
