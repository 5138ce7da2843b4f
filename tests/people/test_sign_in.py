"""Coming in with a password: one answer for every failure, a brake on guessing, sessions that end."""

import asyncio
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from argon2 import Parameters, extract_parameters

from models import SignInAttempt, SignInSession, User
from models.errors import (
    Forbidden,
    NotFound,
    NotSignedIn,
    SignInRefused,
    TooManyAttempts,
    Validation,
)
from resolvers.people import passwords, sign_in_throttle, tokens
from resolvers.people import sign_in as signing_in
from resolvers.people.sign_in import NewSession
from resolvers.people.sign_in_throttle import sign_in_log
from resolvers.records import create_update
from resolvers.runtime.principals import Entrances, hash_of
from tests.support.engines import at_length_on_postgresql
from tests.support.sign_in import HASH, RIGHT, WRONG, at_full_cost, door, fails, give_passwords, sign_in, who
from tests.support.world import World


@pytest.fixture(autouse=True)
def _passwords(world: World) -> None:
    give_passwords(world, "li", "wu", "ada")


# --- in and out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["li", " LI ", "Li\u200b", "li\x00"])
def test_a_person_signs_in_and_is_known_by_the_token(world: World, login: str) -> None:
    entrance = sign_in(world, login)

    assert entrance.principal.id == world.ids["li"]
    assert entrance.expires_at == world.clock.now + timedelta(days=14)
    assert who(world, entrance.token) == "li"
    (session,) = world.rows(SignInSession)
    assert (session["address"], session["agent"], session["created_at"]) == ("10.0.0.1", "Mozilla/5.0", world.clock.now)
    assert session["token_hash"] == hash_of(entrance.token)


@at_length_on_postgresql
def test_every_sign_in_has_a_token_of_its_own(world: World) -> None:
    first, second = sign_in(world), sign_in(world)

    assert first.token != second.token
    assert [who(world, x.token) for x in (first, second)] == ["li", "li"]


@pytest.mark.parametrize(
    "token", ["", "ms_", "ms_unknown", "mp_unknown", "x" * 5000, "ms_\ud800", "' OR 1=1 --", "\x00"]
)
def test_an_unknown_token_is_nobody(world: World, token: str) -> None:
    assert who(world, token) is None


def test_every_failure_gets_the_same_answer(world: World) -> None:
    world.ada.do(create_update.update, User, world.ids["wu"], {"active": False})
    gone = world.user("zoe", "Zoe", "sales")
    world.system.do(passwords.set_password, "zoe", HASH, one_time=False)
    world.ada.do(create_update.delete, User, [gone])
    tries: list[tuple[Any, Any]] = [
        ("li", WRONG),
        ("li", ""),
        ("li", None),
        ("li", "\ud800"),
        ("li", RIGHT + " "),
        ("nobody-here", RIGHT),
        ("wu", RIGHT),
        ("zoe", RIGHT),
        ("mei", RIGHT),
        ("", RIGHT),
        (None, None),
        ("' OR 1=1 --", RIGHT),
        ("x" * 10_000, "y" * 10_000),
        ("\ud800", RIGHT),
    ]

    answers = {(x.code(), x.say("en"), x.say("zh"), x.field) for x in (fails(world, *try_) for try_ in tries)}

    assert answers == {("SIGN_IN_REFUSED", "The login or the password is wrong.", "账号或密码错误。", None)}
    assert world.rows(SignInSession) == []
    assert world.count(SignInAttempt, ~SignInAttempt.ok) == len(tries)


@at_length_on_postgresql
def test_every_failure_takes_as_long_as_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at_full_cost(monkeypatch)
    world.backend.entrances = Entrances(tries=1000, tries_per_address=1000)
    for login in ("li", "wu"):
        world.system.do(passwords.set_password, login, passwords.hash_password(RIGHT), one_time=False)
    world.ada.do(create_update.update, User, world.ids["wu"], {"active": False})

    costs: list[Parameters] = []

    def noted(stored: str, password: str | None) -> bool:
        costs.append(extract_parameters(stored))
        return matches(stored, password)

    matches = passwords._matches
    monkeypatch.setattr(passwords, "_matches", noted)

    for login in ("li", "nobody-here", "wu"):
        fails(world, login)

    assert costs == [extract_parameters(passwords.hash_password(RIGHT))] * 3  # all the rest takes a hundredth of it


@at_length_on_postgresql
def test_signing_out_ends_the_session_and_no_other(world: World) -> None:
    first, second = sign_in(world), sign_in(world)
    scope = world.backend.scope(first.principal, "test", token=first.token)

    scope.do(signing_in.sign_out, "ms_unknown")
    scope.do(signing_in.sign_out, first.token)

    assert [who(world, x.token) for x in (first, second)] == [None, "li"]


@at_length_on_postgresql
def test_nobody_signs_somebody_else_out(world: World) -> None:
    entrance = sign_in(world)

    world.wu.do(signing_in.sign_out, entrance.token)

    assert who(world, entrance.token) == "li"


@at_length_on_postgresql
def test_whoever_is_not_signed_in_does_nothing(world: World) -> None:
    before = world.everything()
    for use_case, args in (
        (signing_in.sign_out, ("x",)),
        (tokens.create_token, ("x",)),
        (tokens.revoke_session, (1,)),
    ):
        with pytest.raises(NotSignedIn):
            door(world).do(use_case, *args)

    assert world.everything() == before


# --- how long a session lasts ----------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it(world: World) -> None:
    entrance = sign_in(world)
    for _ in range(3):
        world.clock.pass_by(hours=11, minutes=59)
        assert who(world, entrance.token) == "li"

    world.clock.pass_by(hours=12)

    assert who(world, entrance.token) is None


@at_length_on_postgresql
def test_a_session_ends_after_its_life_however_busy(world: World) -> None:
    entrance = sign_in(world)
    while world.clock.now + timedelta(hours=8) < entrance.expires_at:
        world.clock.pass_by(hours=8)
        assert who(world, entrance.token) == "li"

    world.clock.now = entrance.expires_at - timedelta(milliseconds=1)
    assert who(world, entrance.token) == "li"
    world.clock.now = entrance.expires_at

    assert who(world, entrance.token) is None


@at_length_on_postgresql
def test_the_house_may_choose_other_lengths(world: World) -> None:
    world.backend.entrances = Entrances(idle=timedelta(minutes=30), life=timedelta(hours=1))
    idle, busy = sign_in(world), sign_in(world)

    assert busy.expires_at == world.clock.now + timedelta(hours=1)
    world.clock.pass_by(minutes=29)
    assert who(world, busy.token) == "li"
    world.clock.pass_by(minutes=1)
    assert (who(world, idle.token), who(world, busy.token)) == (None, "li")


def test_the_use_of_a_session_is_noted_at_most_every_five_minutes(world: World) -> None:
    entrance, began = sign_in(world), world.clock.now

    seen = []
    for minutes in (4, 2, 1):
        world.clock.pass_by(minutes=minutes)
        who(world, entrance.token)
        seen.append(world.rows(SignInSession)[0]["seen_at"])

    assert [(x - began).total_seconds() / 60 for x in seen] == [0, 6, 6]


def test_one_sees_and_ends_ones_own_sessions_and_nobody_elses(world: World) -> None:
    first, second = sign_in(world), sign_in(world)
    mine = world.run(world.li.read(tokens.keys_of, SignInSession))
    assert [row.token_hash for row in mine] == [hash_of(second.token), hash_of(first.token)]
    assert world.run(world.wu.read(tokens.keys_of, SignInSession)) == []
    before = world.everything()
    for id in (mine[0].id, 999):
        with pytest.raises(NotFound, match="There is no such session"):
            world.wu.do(tokens.revoke_session, id)
    assert world.everything() == before

    world.li.do(tokens.revoke_session, mine[0].id)

    assert [who(world, x.token) for x in (first, second)] == ["li", None]
    assert len(world.run(world.li.read(tokens.keys_of, SignInSession))) == 1
    world.clock.pass_by(hours=13)
    assert world.run(world.li.read(tokens.keys_of, SignInSession)) == []


# --- the brake on guessing -------------------------------------------------------------------------------


def test_guesses_wait_after_eight_failures_and_longer_each_time(world: World) -> None:
    for _ in range(8):
        assert fails(world).code() == "SIGN_IN_REFUSED"

    waits = []
    for _ in range(8):
        refusal = fails(world, password=RIGHT)
        assert refusal.code() == "TOO_MANY_ATTEMPTS"
        waits.append(round((refusal.params["until"] - world.clock.now).total_seconds()))
        world.clock.now = refusal.params["until"] - timedelta(milliseconds=1)
        assert fails(world, password=RIGHT).code() == "TOO_MANY_ATTEMPTS"
        world.clock.now = refusal.params["until"]
        assert fails(world).code() == "SIGN_IN_REFUSED"

    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]


def test_nobody_keeps_a_person_out_by_guessing(world: World) -> None:
    """Eight guesses from one address, repeated for as long as one likes, delay that address and nobody else."""
    for _ in range(10):
        world.clock.pass_by(seconds=100)
        for _ in range(8):
            fails(world)

    assert fails(world, password=RIGHT).code() == "TOO_MANY_ATTEMPTS"
    assert sign_in(world, address="10.0.0.2").principal.login == "li"
    assert sign_in(world, "wu", address="10.0.0.2").principal.login == "wu"


def test_a_known_browser_and_a_live_session_do_not_wait_for_strangers(world: World) -> None:
    world.backend.entrances = Entrances(tries=2, tries_per_address=3, tries_per_account=4)
    mine, other = "b" * 43, "c" * 43
    session = sign_in(world, browser=mine)
    sign_in(world, "wu", browser=other)
    for n in range(8):
        fails(world, address=f"10.0.0.{n % 4}", browser=other)  # known to Wu, a stranger to Li

    assert fails(world, password=RIGHT, address="10.9.9.9").code() == "TOO_MANY_ATTEMPTS"
    assert sign_in(world, browser=mine).principal.login == "li"
    scope = world.backend.scope(session.principal, "test", token=session.token, address="10.0.0.1")
    world.run(passwords.confirm_password(scope, RIGHT))

    assert [fails(world, browser=mine).code() for _ in range(3)] == ["SIGN_IN_REFUSED"] * 2 + ["TOO_MANY_ATTEMPTS"]


def test_many_addresses_together_are_delayed_until_the_person_is_unlocked(world: World) -> None:
    world.backend.entrances = Entrances(tries_per_account=20)
    for n in range(20):
        assert fails(world, address=f"10.0.{n}.1").code() == "SIGN_IN_REFUSED"
    assert fails(world, password=RIGHT, address="10.1.1.1").code() == "TOO_MANY_ATTEMPTS"
    world.clock.pass_by(seconds=1)

    world.system.do(sign_in_throttle.unlock, "li")

    assert sign_in(world, address="10.1.1.1").principal.login == "li"
    assert world.log("app_user", world.ids["li"])[-1]["action"] == "user.edit"
    with pytest.raises(Forbidden):
        world.wu.do(sign_in_throttle.unlock, "li")
    with pytest.raises(NotFound):
        world.system.do(sign_in_throttle.unlock, "nobody-here")
    with pytest.raises(Validation, match="Mei Lin has no password yet"):
        world.system.do(sign_in_throttle.unlock, "mei")


def test_a_reset_lifts_the_delay_even_at_an_address_from_which_many_guess(world: World) -> None:
    world.backend.entrances = Entrances(tries_per_address=5)
    for n in range(5):
        fails(world, f"guess{n}")
        fails(world, address="10.0.0.7")
    assert fails(world, password=RIGHT).code() == "TOO_MANY_ATTEMPTS"
    world.clock.pass_by(seconds=1)

    world.ada.do(passwords.set_password, "li", HASH, one_time=True)

    assert sign_in(world).principal.must_change_password
    assert fails(world, "wu", RIGHT).code() == "TOO_MANY_ATTEMPTS"


@at_length_on_postgresql
def test_an_unknown_login_waits_like_a_known_one(world: World) -> None:
    answers = [fails(world, "nobody-here").code() for _ in range(9)]

    assert answers == ["SIGN_IN_REFUSED"] * 8 + ["TOO_MANY_ATTEMPTS"]


@at_length_on_postgresql
def test_an_address_waits_after_forty_failures_whatever_the_login(world: World) -> None:
    world.backend.entrances = Entrances(tries_per_address=5)
    answers = [fails(world, f"guess{n}").code() for n in range(6)]

    assert answers == ["SIGN_IN_REFUSED"] * 5 + ["TOO_MANY_ATTEMPTS"]
    assert fails(world, password=RIGHT).code() == "TOO_MANY_ATTEMPTS"
    assert sign_in(world, address="10.0.0.2").principal.login == "li"
    assert Entrances().tries_per_address == 40


@at_length_on_postgresql
def test_the_addresses_of_one_network_are_one(world: World) -> None:
    answers = [fails(world, address=f"2001:db8:0:1::{n:x}").code() for n in range(1, 10)]

    assert answers == ["SIGN_IN_REFUSED"] * 8 + ["TOO_MANY_ATTEMPTS"]
    assert fails(world, address="2001:db8:0:2::1").code() == "SIGN_IN_REFUSED"
    assert fails(world, address="::ffff:10.0.0.9").code() == "SIGN_IN_REFUSED"
    assert [row["address"] for row in world.rows(SignInAttempt)][-2:] == ["2001:db8:0:2::/64", "10.0.0.9"]


@at_length_on_postgresql
def test_passwords_that_wait_to_be_hashed_are_bounded_and_strangers_leave_room_for_the_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 4)
    monkeypatch.setattr(passwords, "MOST_WAITING_ALIKE", 2)
    known, open_ = sign_in(world, browser="b" * 43), threading.Event()
    verify = passwords._verify

    def slowly(stored: str, password: str | None) -> bool:
        open_.wait(20)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", slowly)

    async def rush() -> list[Any]:
        from_one = [signing_in.sign_in(door(world, "10.0.0.1"), "wu", WRONG) for _ in range(5)]
        others = [signing_in.sign_in(door(world, f"10.0.1.{n}"), "wu", WRONG) for n in range(5)]
        tasks = [asyncio.ensure_future(call) for call in (*from_one, *others)]
        for _ in range(500):
            if sum(task.done() for task in tasks) == 6:
                break
            await asyncio.sleep(0.01)
        mine = asyncio.ensure_future(signing_in.sign_in(door(world), "li", RIGHT, "b" * 43))
        await asyncio.sleep(0.1)
        open_.set()
        return await asyncio.gather(*tasks, mine, return_exceptions=True)

    *strangers, mine = world.run(rush())

    kinds = Counter(type(x) for x in strangers)
    assert kinds == {SignInRefused: 4, TooManyAttempts: 6}
    assert isinstance(mine, NewSession)
    assert mine.principal.login == known.principal.login
    assert not passwords._waiting


def test_who_signs_in_rightly_is_never_slowed_down(world: World) -> None:
    world.backend.entrances = Entrances(tries=2, tries_per_address=2)

    for _ in range(4):
        sign_in(world)

    assert world.count(SignInAttempt, SignInAttempt.ok) == 4


@at_length_on_postgresql
def test_a_refused_try_does_not_prolong_the_wait(world: World) -> None:
    for _ in range(8):
        fails(world)
    for _ in range(7):
        world.clock.pass_by(seconds=2)
        fails(world)

    world.clock.pass_by(seconds=1)

    assert sign_in(world).principal.login == "li"


def test_of_many_guesses_at_once_no_more_count_than_of_many_in_a_row(world: World) -> None:
    world.backend.entrances = Entrances(tries=3)

    async def rush() -> list[Any]:
        guesses = [WRONG] * 8 + [RIGHT] * 4
        calls = [signing_in.sign_in(door(world), "li", guess) for guess in guesses]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = world.run(rush())

    refused = [x for x in outcomes if isinstance(x, SignInRefused)]
    assert len(refused) <= 3
    assert world.count(SignInAttempt, ~SignInAttempt.ok) == len(refused)
    assert all(isinstance(x, SignInRefused | TooManyAttempts | NewSession) for x in outcomes)


# --- the log of tries ------------------------------------------------------------------------------------


def tries(world: World, asker: str, **which: Any) -> list[tuple[str, int | None, bool]]:
    found = world.run(world.scope(asker).read(sign_in_log, **which))
    return [(row.login, row.user_id, row.ok) for row in found]


def test_everybody_sees_the_tries_at_his_own_door_and_who_may_all(world: World) -> None:
    li, wu = world.ids["li"], world.ids["wu"]
    sign_in(world)
    fails(world)
    fails(world, "nobody-here")
    sign_in(world, "wu")

    assert tries(world, "li") == [("li", li, False), ("li", li, True)]
    assert tries(world, "ada") == [
        ("wu", wu, True),
        ("nobody-here", None, False),
        ("li", li, False),
        ("li", li, True),
    ]
    assert tries(world, "ada", login=" LI ", first=1) == [("li", li, False)]
    assert tries(world, "li", login="wu") == []


@at_length_on_postgresql
def test_the_log_of_tries_is_read_page_by_page(world: World) -> None:
    for n in range(5):
        fails(world, f"guess{n}")
    first = world.run(world.ada.read(sign_in_log, first=2))

    second = world.run(world.ada.read(sign_in_log, first=2, before=first[-1].id))

    assert [row.login for row in (*first, *second)] == ["guess4", "guess3", "guess2", "guess1"]
