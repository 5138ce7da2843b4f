"""A use case that waited in the queue is judged by the person as they are when it runs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from models import Customer, PoolMember, SignInSession, User, UserRole
from models.errors import Forbidden, NotFound, NotSignedIn, PasswordMustChange
from resolvers.people import passwords, sign_in
from resolvers.pool.claim import claim
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.world import World


def deactivate(world: World) -> None:
    world.ada.do(create_update.update, User, world.ids["li"], {"active": False})


def take_roles(world: World) -> None:
    held = world.rows(UserRole, UserRole.user_id == world.ids["li"])
    world.ada.do(create_update.delete, UserRole, [row["id"] for row in held])


def reset_password(world: World) -> None:
    world.ada.do(passwords.set_password, "li", "x", one_time=True)


def edit(scope: Scope, id: int) -> Any:
    return create_update.update(scope, Customer, id, {"name": "Changed"})


@pytest.mark.parametrize(
    ("meanwhile", "refusal"),
    [(deactivate, NotSignedIn), (take_roles, (Forbidden, NotFound)), (reset_password, PasswordMustChange)],
)
def test_a_use_case_is_judged_by_the_person_as_they_are_when_it_runs(
    world: World, meanwhile: Callable[[World], None], refusal: Any
) -> None:
    mine, li = world.customer("Mine", "li"), world.li  # as at the start of a request
    meanwhile(world)

    with pytest.raises(refusal):
        li.do(edit, mine)
    assert world.row(Customer, mine)["name"] == "Mine"


def test_what_was_queued_before_a_deactivation_that_is_queued_first_is_refused(world: World) -> None:
    """Both wait in the writer at once, as behind a long commit."""
    mine, li, ada = world.customer("Mine", "li"), world.li, world.ada

    async def both() -> list[Any]:
        with world.backend.writer.hold():
            first = asyncio.ensure_future(ada.run(create_update.update, User, world.ids["li"], {"active": False}))
            await asyncio.sleep(0)
            if world.backend.dialect == "postgresql":
                await first
            second = asyncio.ensure_future(li.run(edit, mine))
            await asyncio.sleep(0)
        return await asyncio.gather(first, second, return_exceptions=True)

    _, second = world.run(both())

    assert isinstance(second, NotSignedIn)
    assert world.row(Customer, mine)["name"] == "Mine"


def test_a_new_role_counts_for_what_waits(world: World) -> None:
    theirs, sam = world.customer("Theirs", "wu"), world.scope("sam")
    world.make(UserRole, user_id=world.ids["sam"], role_id=world.ids["administrator"])

    sam.do(edit, theirs)

    assert world.row(Customer, theirs)["name"] == "Changed"


def test_a_use_case_whose_session_has_ended_is_refused(world: World) -> None:
    mine = world.customer("Mine", "li")
    with world.backend.writer.engine.begin() as connection:
        entrances = world.backend.entrances
        made = sign_in.open_session(connection, world.ids["li"], world.clock.now, entrances, None, None)
    li = world.backend.scope(world.principal("li"), "test", token=made.token)
    li.do(edit, mine)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(SignInSession.__table__.update().values(revoked_at=world.clock.now))  # type: ignore[attr-defined]

    with pytest.raises(NotSignedIn):
        li.do(create_update.update, Customer, mine, {"name": "Again"})


def test_a_seat_that_was_taken_meanwhile_claims_nothing(world: World) -> None:
    pooled, li = world.customer("Acme", pool="north"), world.li

    seats = world.rows(PoolMember, PoolMember.grantee_id == world.ids["li"])
    world.ada.do(create_update.delete, PoolMember, [row["id"] for row in seats])

    assert [problem.code() for problem in li.do(claim, [pooled]).problems] == ["NOT_FOUND"]
