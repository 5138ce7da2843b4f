"""The prepared path: what is asked again is answered by one statement, and only while its asker is who he was."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import ApiToken, User, UserRole
from policies import Snapshot
from schema.engine import Answer
from tests.support.reading_as import furnish
from tests.support.returning_caller import LIST, Caller
from tests.support.world import World


@pytest.fixture
def li(world: World) -> Caller:
    furnish(world)
    return Caller(world, "li")


def test_what_was_asked_once_is_answered_by_the_prepared_path_as_by_the_usual_one(li: Caller) -> None:
    assert li.short() is None

    long = li.long()

    assert long is not None
    assert b'"Mine"' in long
    assert li.short() == long
    for variables in ({"n": 1}, {"n": 2, "s": None}, {"s": "Mine"}, {"s": "nothing has this"}, {}):
        li.long(variables=variables)
        assert li.short(variables=variables) == li.long(variables=variables) is not None


def test_a_change_is_seen_by_the_prepared_path(li: Caller) -> None:
    li.long()

    li.world.customer("New here", owner="li")

    assert b'"New here"' in (li.short() or b"")


def test_who_one_is_takes_the_prepared_path_and_figures_about_him_do_not(li: Caller) -> None:
    me = "query ($deep: Boolean = false) { me { user { email } capacity @include(if: $deep) { held } } }"
    li.long(me, {})
    assert li.short(me, {}) == li.long(me, {}) is not None

    assert li.short(me, {"deep": True}) is None
    assert b'"capacity"' in (li.long(me, {"deep": True}) or b"")
    assert li.short(me, {"deep": True}) is None

    _set(li.world, update(User).where(User.id == li.world.ids["li"]).values(email="li@example.com"))
    assert b'"li@example.com"' in (li.short(me, {}) or b"")


def _revoked(world: World) -> None:
    _set(world, update(ApiToken).values(revoked_at=world.clock.now))


def _without_roles(world: World) -> None:
    _set(world, update(UserRole).where(UserRole.user_id == world.ids["li"]).values(deleted_at=world.clock.now))


def _inactive(world: World) -> None:
    _set(world, update(User).where(User.id == world.ids["li"]).values(active=False))


def _in_chinese(world: World) -> None:
    _set(world, update(User).where(User.id == world.ids["li"]).values(language="zh"))


def _set(world: World, statement: Any) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(statement)


@pytest.mark.parametrize("change", [_revoked, _without_roles, _in_chinese, _inactive])
def test_whoever_is_not_quite_as_he_was_goes_the_long_way(li: Caller, change: Callable[[World], None]) -> None:
    li.long()
    assert li.short() is not None

    change(li.world)

    assert li.short() is None
    long = li.long()
    if change in (_revoked, _inactive):
        assert long is None
        assert li.short() is None
    elif change is _without_roles:
        assert b'"Mine"' not in (long or b"")


def test_a_key_that_ends_between_two_looks_of_one_request_opens_nothing(li: Caller) -> None:
    li.long()

    async def ask() -> Answer:
        scope = li.world.backend.scope(await li.world.backend.principal_of(li.token), "graphql", token=li.token)
        _revoked(li.world)
        return await li.engine.answer(scope, LIST, {"n": 10}, None)

    answer = li.world.run(ask())

    assert answer.invalid
    assert [error["extensions"]["code"] for error in json.loads(answer.body)["errors"]] == ["UNAUTHENTICATED"]


def test_the_use_of_a_key_is_noted_by_the_prepared_path_too(li: Caller) -> None:
    async def noted() -> None:
        if waiting := li.world.backend._noting.values():
            await asyncio.wait(waiting)

    li.long()
    li.world.run(noted())
    li.world.clock.pass_by(minutes=10)

    assert li.short() is not None
    li.world.run(noted())

    assert li.world.rows(ApiToken)[0]["seen_at"] == li.world.clock.now


def test_another_policy_is_in_force_at_once(li: Caller) -> None:
    li.long()
    assert b'"Mine"' in (li.short() or b"")

    text = li.world.backend.policy.text + "\np, sales, customer, view, all, any, deny\n"
    li.world.backend.policy = Snapshot(text, revision=li.world.backend.policy.revision)

    assert b'"Mine"' not in (li.short() or li.long() or b"")


def test_a_key_opens_for_its_own_person_alone(li: Caller) -> None:
    wu = Caller(li.world, "wu")
    wu.engine = li.engine
    mine, hers = li.long(), wu.long()

    assert mine != hers
    assert (li.short(), wu.short()) == (mine, hers)


def test_a_foreign_key_opens_nothing(li: Caller) -> None:
    li.long()
    li.token = "mp_" + "x" * 43

    assert li.short() is None
    assert li.long() is None


VERSION = "query ($v: Int) { customers(filter: {version: {eq: $v}}) { totalCount } }"
ROOT = "query ($on: Boolean!) { customers @include(if: $on) { totalCount } __typename }"
SPREAD = "query ($on: Boolean!) { ...A @skip(if: $on) } fragment A on Query { customers { totalCount } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
ELSEWHERE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (LIST, {"n": 10}, {"n": "ten"}),
    (LIST, {"n": 10}, {"s": 5}),
    (LIST, {"n": 1}, {"n": True}),
    (LIST, {"n": 200}, {"n": 201}),
    (VERSION, {"v": 1}, {"v": 2**31}),
    (NODE, {"id": "cus_1"}, {"id": "cus_1"}),
    (ROOT, {"on": True}, {"on": True}),
    (SPREAD, {"on": False}, {"on": False}),
    ("{ me { capacity { held } } }", {}, {}),
]
"""A question, what it was asked with, and with what it does not take the prepared path."""


def test_what_is_not_one_plain_statement_goes_the_long_way(li: Caller) -> None:
    for query, known, variables in ELSEWHERE:
        assert b'"errors"' not in (li.long(query, known) or b'"errors"')

        long = [li.long(query, variables) for _ in range(3)]

        assert li.short(query, variables) is None, (query, variables)
        assert long[0] == long[2] is not None, (query, variables)


def test_one_of_several_operations_is_meant(li: Caller) -> None:
    both = "query A { customers { totalCount } } query B { contacts { totalCount } }"
    a, b = li.long(both, {}, "A"), li.long(both, {}, "B")

    assert a != b
    assert (li.short(both, {}, "A"), li.short(both, {}, "B"), li.short(both, {})) == (a, b, None)


def test_a_role_that_begins_later_counts_from_then_on(li: Caller) -> None:
    soon = li.world.clock.now + timedelta(minutes=3)
    _set(li.world, update(UserRole).where(UserRole.user_id == li.world.ids["li"]).values(ends_at=soon))
    li.long()
    assert b'"Mine"' in (li.short() or b"")

    li.world.clock.pass_by(minutes=4)

    assert li.short() is None
    assert b'"Mine"' not in (li.long() or b"")
