"""Sign-in in tests: the one password of all users, and attempts with it."""

import asyncio

import pytest
from argon2 import PasswordHasher

from models.errors import Refusal
from resolvers.people import passwords
from resolvers.people import sign_in as signing_in
from resolvers.people.sign_in import NewSession
from resolvers.runtime.scope import Scope
from tests.support.world import World

RIGHT, WRONG = "millpond-demo", "millpond-wrong"
_CHEAP, _OURS = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1), (passwords._hasher, passwords._dummy)
HASH = _CHEAP.hash(RIGHT)
"""A hash of RIGHT that is cheap to verify, because it names a low cost."""


def hash_cheaply() -> None:
    """Hash in this process at a thousandth of the cost: almost no test is about it."""
    passwords._hasher, passwords._dummy = _CHEAP, _CHEAP.hash("nobody has this password")


def at_full_cost(patch: pytest.MonkeyPatch) -> PasswordHasher:
    """Hash as the product does, for one test."""
    patch.setattr(passwords, "_hasher", _OURS[0])
    patch.setattr(passwords, "_dummy", _OURS[1])
    return _OURS[0]


def give_passwords(world: World, *logins: str) -> None:
    for login in logins:
        world.system.do(passwords.set_password, login, HASH, one_time=False)


def door(world: World, address: str | None = "10.0.0.1") -> Scope:
    return world.backend.scope(None, "test", address=address, agent="Mozilla/5.0")


def sign_in(
    world: World,
    login: str = "li",
    password: str = RIGHT,
    address: str | None = "10.0.0.1",
    browser: str | None = None,
) -> NewSession:
    return world.run(signing_in.sign_in(door(world, address), login, password, browser))


def fails(
    world: World,
    login: str = "li",
    password: str = WRONG,
    address: str | None = "10.0.0.1",
    browser: str | None = None,
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        sign_in(world, login, password, address, browser)
    return caught.value


def who(world: World, token: str) -> str | None:
    """The login of the user of a token; returns after the use of the token is written down."""

    async def identify() -> str | None:
        found = await world.backend.principal_of(token)
        await asyncio.gather(*world.backend._noting.values())
        return found.login if found else None

    return world.run(identify())
