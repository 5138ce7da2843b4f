"""Departments form a tree, and roles have a beginning and an end."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from models import (
    Customer,
    Department,
    Role,
    User,
    UserRole,
)
from models.errors import Duplicate, Forbidden, NotFound, Validation
from policies import STARTER
from resolvers.people import tokens
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World

# --- moving ----------------------------------------------------------------------------------------------


def test_a_persons_customers_follow_to_the_new_department(world: World) -> None:
    mine, other = world.customer(owner="li"), world.customer(owner="wu")
    mark = world.mark()

    world.ada.do(create_update.update, User, world.ids["li"], {"department_id": world.ids["west"]})

    rows = [world.row(Customer, id) for id in (mine, other)]
    assert [(row["department_id"], row["version"]) for row in rows] == [(world.ids["west"], 2), (world.ids["east"], 1)]
    assert rows[0]["updated_by_id"] == world.ids["ada"]
    user, customer = world.log(since=mark)
    moved = {"department_id": [world.ids["east"], world.ids["west"]]}
    assert (user["entity"], user["record_id"], user["changes"]) == ("app_user", world.ids["li"], moved)
    assert (customer["entity"], customer["record_id"], customer["changes"]) == ("customer", mine, moved)
    assert (customer["batch_id"], customer["action"]) == (user["batch_id"], "user.edit")
    with pytest.raises(NotFound):
        world.lead.do(create_update.update, Customer, mine, {"name": "Gone"})


@at_length_on_postgresql
def test_a_department_has_the_path_of_its_place_in_the_tree(world: World) -> None:
    backend, east = world.ids["house"], world.ids["east"]
    shanghai = world.make(Department, name="Shanghai", parent_id=east)

    assert world.row(Department, shanghai)["path"] == f"/{backend}/{east}/{shanghai}/"


def test_a_subtree_moves_with_its_head(world: World) -> None:
    backend, east, west = world.ids["house"], world.ids["east"], world.ids["west"]
    shanghai = world.make(Department, name="Shanghai", parent_id=east)
    pudong = world.make(Department, name="Pudong", parent_id=shanghai)

    world.ada.do(create_update.update, Department, shanghai, {"parent_id": west})
    assert world.row(Department, pudong)["path"] == f"/{backend}/{west}/{shanghai}/{pudong}/"
    world.ada.do(create_update.update, Department, shanghai, {"parent_id": None})

    assert world.row(Department, shanghai)["path"] == f"/{shanghai}/"
    assert world.row(Department, pudong)["path"] == f"/{shanghai}/{pudong}/"


@at_length_on_postgresql
def test_a_lead_sees_what_is_below_him_as_soon_as_it_is(world: World) -> None:
    shanghai = world.make(Department, name="Shanghai", parent_id=world.ids["west"])
    world.ids["shanghai"] = shanghai
    world.user("zoe", "Zoe", "sales", "shanghai")
    customer = world.customer(owner="zoe")
    with pytest.raises(NotFound):
        world.lead.do(create_update.update, Customer, customer, {"name": "Ours"})

    world.ada.do(create_update.update, Department, shanghai, {"parent_id": world.ids["east"]})

    assert world.lead.do(create_update.update, Customer, customer, {"name": "Ours"}).name == "Ours"


@at_length_on_postgresql
@pytest.mark.parametrize("below", ["east", "shanghai"])
def test_a_department_is_not_below_itself(world: World, below: str) -> None:
    world.ids["shanghai"] = world.make(Department, name="Shanghai", parent_id=world.ids["east"])
    given = {"parent_id": world.ids[below]}

    refusal = refused(world, world.ada, Validation, create_update.update, Department, world.ids["east"], given)

    assert (refusal.field, refusal.say()) == ("parentId", "A department cannot be below itself.")


def test_departments_that_are_moved_at_once_never_make_a_circle(world: World) -> None:
    ids = [world.make(Department, name=name) for name in "AB"]

    async def both() -> list[Any]:
        ada = world.ada
        moves = [ada.run(create_update.update, Department, x, {"parent_id": y}) for x, y in (ids, ids[::-1])]
        return await asyncio.gather(*moves, return_exceptions=True)

    outcomes = world.run(both())

    assert sorted(type(x).__name__ for x in outcomes) == ["Department", "Validation"]


# --- roles -----------------------------------------------------------------------------------------------


def test_a_role_has_a_beginning_and_an_end(world: World) -> None:
    day = timedelta(days=1)
    world.ada.do(
        create_update.create,
        UserRole,
        {
            "user_id": world.ids["fin"],
            "role_id": world.ids["sales"],
            "starts_at": world.clock.now + day,
            "ends_at": world.clock.now + 2 * day,
        },
    )
    held = []
    for _ in range(3):
        held.append("sales" in world.fin.person.roles)
        world.clock.pass_by(days=1)

    assert held == [False, True, False]


@at_length_on_postgresql
def test_a_role_ends_in_the_middle_of_a_session(world: World) -> None:
    (role,) = world.rows(UserRole, UserRole.user_id == world.ids["li"])
    world.ada.do(create_update.update, UserRole, role["id"], {"ends_at": world.clock.now + timedelta(minutes=1)})
    token = world.li.do(tokens.create_token, "robot").token
    before = world.run(world.backend.principal_of(token))

    world.clock.pass_by(minutes=1)
    after = world.run(world.backend.principal_of(token))

    assert before is not None
    assert after is not None
    assert (before.roles, after.roles) == ({"sales"}, frozenset())
    with pytest.raises(Forbidden):
        world.backend.scope(after, "test").do(create_update.create, Customer, {"name": "Acme"})


def test_a_role_is_not_given_backwards_nor_twice(world: World) -> None:
    given = {"user_id": world.ids["fin"], "role_id": world.ids["sales"], "starts_at": world.clock.now}

    refusal = refused(
        world, world.ada, Validation, create_update.create, UserRole, {**given, "ends_at": world.clock.now}
    )

    assert refusal.field == "endsAt"
    twice = {"user_id": world.ids["li"], "role_id": world.ids["sales"]}
    assert refused(world, world.ada, Duplicate, create_update.create, UserRole, twice).field == "roleId"


@at_length_on_postgresql
def test_who_may_not_give_roles_gives_none(world: World) -> None:
    given = {"user_id": world.ids["li"], "role_id": world.ids["administrator"]}

    refused(world, world.li, Forbidden, create_update.create, UserRole, given)


def test_a_role_that_the_policy_names_stays(world: World) -> None:
    role = world.ids["auditor"]
    held = world.rows(UserRole, UserRole.role_id == role)
    world.ada.do(create_update.delete, UserRole, [row["id"] for row in held])

    (problem,) = world.ada.do(create_update.delete, Role, [role]).problems

    assert (problem.code(), problem.params["count"]) == ("IN_USE", len(re.findall("(?m)^p2?, auditor,", STARTER)))
    assert "policy line" in problem.say().lower()
    assert "策略行" in problem.say("zh")
