"""Shares: what they open, to whom, and that they end by themselves at the very moment.  Here they are rows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Department, FollowUp, Share, UserRole
from models.errors import Forbidden, Refusal
from models.follow_up import FollowUpKind
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import claim, refused_like_missing, the, unchanged, whole
from tests.support.world import START, World

HOUR, TICK = timedelta(hours=1), timedelta(milliseconds=1)


def share(
    world: World,
    customer: int,
    kind: GranteeKind,
    grantee: str,
    level: ShareLevel = ShareLevel.VIEW,
    starts_at: datetime = START,
    ends_at: datetime | None = None,
) -> None:
    row = {"customer_id": customer, "grantee_kind": kind, "grantee_id": world.ids[grantee], "level": level}
    with world.backend.writer.engine.begin() as connection:
        connection.execute(insert(Share), {**row, "starts_at": starts_at, "ends_at": ends_at})


def revoke(world: World, customer: int) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(Share).where(Share.customer_id == customer).values(revoked_at=world.clock.now))


def seen(world: World, login: str, model: type[Base] = Customer) -> list[int]:
    def ids(_scope: Scope, db: Session) -> list[int]:
        return list(db.execute(select(model.id).order_by(model.id)).scalars())  # type: ignore[attr-defined]

    found: list[int] = world.run(world.scope(login).read(ids))
    return found


def test_a_share_begins_and_ends_at_the_very_moment(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.EDIT, START + HOUR, START + 2 * HOUR)

    for moment, sees in ((HOUR - TICK, False), (HOUR, True), (2 * HOUR - TICK, True), (2 * HOUR, False)):
        world.clock.now = START + moment
        assert seen(world, "mei") == ([customer] if sees else []), moment
        if sees:
            world.mei.do(create_update.update, Customer, customer, {"remark": str(moment)})
        else:
            with unchanged(world), pytest.raises(Refusal, match="There is no such customer"):
                world.mei.do(create_update.update, Customer, customer, {"remark": str(moment)})
    assert world.count(Share) == 1  # no job has ended it


def test_an_ended_share_leaves_a_customer_like_a_missing_one(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.EDIT, ends_at=START + HOUR)
    world.clock.pass_by(hours=1)

    for call, more in (
        (transferring.transfer, [world.ids["mei"]]),
        (releasing.release, []),
        (locking.lock, []),
        (claiming.claim, []),
    ):
        refused_like_missing(world, "mei", call, customer, *more)


def test_a_revoked_share_is_over(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei")
    assert seen(world, "mei") == [customer]

    revoke(world, customer)

    assert seen(world, "mei") == []


@pytest.mark.parametrize(
    ("kind", "grantee", "who"),
    [
        (GranteeKind.USER, "mei", {"mei"}),
        (GranteeKind.DEPARTMENT, "west", {"mei"}),
        (GranteeKind.DEPARTMENT, "house", {"mei", "wu", "deep"}),
        (GranteeKind.DEPARTMENT, "deepest", {"deep"}),
        (GranteeKind.ROLE, "sales", {"mei", "wu", "deep"}),
        (GranteeKind.ROLE, "role_manager", {"rolf"}),
        (GranteeKind.ROLE, "support", set()),
    ],
)
def test_a_share_reaches_a_person_a_department_with_all_below_or_a_role(
    world: World, kind: GranteeKind, grantee: str, who: set[str]
) -> None:
    world.ids["deepest"] = world.make(Department, name="Deepest", parent_id=world.ids["west"])
    world.user("deep", "Deep Yu", "sales", "deepest")
    who = who | ({"deep"} if grantee == "west" else set())
    customer = world.customer(owner="li")

    share(world, customer, kind, grantee)

    assert {login for login in ("mei", "wu", "deep", "rolf") if seen(world, login)} == who


def test_a_share_by_role_ends_with_the_role(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.ROLE, "role_manager")
    world.make(UserRole, user_id=world.ids["mei"], role_id=world.ids["role_manager"], ends_at=START + HOUR)

    assert seen(world, "mei") == [customer]
    world.clock.pass_by(hours=1)
    assert seen(world, "mei") == []


def test_one_number_means_a_person_a_department_or_a_role_and_never_two_of_them(world: World) -> None:
    mei, west = world.ids["mei"], world.ids["west"]
    assert mei not in (west, world.ids["sales"], world.ids["house"])
    customer = world.customer(owner="li")

    share(world, customer, GranteeKind.USER, "west")
    share(world, customer, GranteeKind.DEPARTMENT, "mei")
    share(world, customer, GranteeKind.ROLE, "mei")

    assert seen(world, "mei") == []


def attempts(world: World) -> tuple[int, dict[str, tuple[Any, ...]]]:
    """A customer of Li's, and what somebody with a share of it may try: (use case, its arguments) by name."""
    customer = world.customer(owner="li")
    contact = world.make(Contact, customer_id=customer, name="Ms Chen")
    done = {"customer_id": customer, "kind": FollowUpKind.CALL, "content": "Hi", "happened_at": START}
    return customer, {
        "edit": (create_update.update, Customer, customer, {"remark": "x"}),
        "edit contact": (create_update.update, Contact, contact, {"remark": "x"}),
        "add contact": (create_update.create, Contact, {"customer_id": customer, "name": "New"}),
        "add follow-up": (create_update.create, FollowUp, done),
    }


def test_a_share_for_viewing_lets_one_look_and_change_nothing(world: World) -> None:
    customer, tries = attempts(world)
    share(world, customer, GranteeKind.USER, "rolf", ShareLevel.VIEW)
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.VIEW)

    assert (seen(world, "mei"), len(seen(world, "mei", Contact))) == ([customer], 1)
    for login in ("mei", "rolf"):
        for name, (call, *arguments) in tries.items():
            if (login, name) != ("mei", "add follow-up"):  # sales people note what they did with whomever they see
                with unchanged(world), pytest.raises(Forbidden):
                    world.scope(login).do(call, *arguments)


def test_a_share_for_editing_lets_one_work_on_it(world: World) -> None:
    customer, tries = attempts(world)
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.EDIT)

    for call, *arguments in tries.values():
        world.mei.do(call, *arguments)

    assert world.row(Customer, customer)["remark"] == "x"
    assert sorted(row["name"] for row in world.rows(Contact)) == ["Ms Chen", "New"]
    assert [row["owner_id"] for row in world.rows(FollowUp)] == [world.ids["mei"]]


@pytest.mark.parametrize("level", ShareLevel)
def test_no_share_lets_one_hand_the_customer_on_or_close_it(world: World, level: ShareLevel) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei", level)

    with unchanged(world):
        for call, more in (
            (transferring.transfer, [world.ids["mei"]]),
            (releasing.release, []),
            (locking.lock, []),
        ):
            assert the(world.mei.do(call, [customer], *more)).code() == "FORBIDDEN"
        assert the(world.mei.do(create_update.delete, Customer, [customer])).code() == "FORBIDDEN"


def test_a_share_of_one_customer_says_nothing_about_another(world: World) -> None:
    shared, other = world.customer("A", owner="li"), world.customer("B", owner="li")
    share(world, shared, GranteeKind.USER, "mei", ShareLevel.EDIT)

    assert seen(world, "mei") == [shared]
    with unchanged(world), pytest.raises(Refusal, match="There is no such customer"):
        world.mei.do(create_update.update, Customer, other, {"remark": "x"})


def test_a_lock_suspends_shares_and_they_are_back_with_its_end(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.EDIT)
    world.li.do(locking.lock, [customer], None, START + HOUR)

    assert seen(world, "mei") == []
    refused_like_missing(world, "mei", transferring.transfer, customer, world.ids["mei"])
    world.clock.pass_by(hours=1)
    assert seen(world, "mei") == [customer]


def test_a_shared_customer_that_goes_into_the_bin_is_gone_for_the_other(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, customer, GranteeKind.USER, "mei")
    world.li.do(create_update.delete, Customer, [customer])

    assert seen(world, "mei") == []


def test_a_share_of_a_pooled_customer_lets_one_look_and_not_claim(world: World) -> None:
    customer = world.customer(pool="north")
    share(world, customer, GranteeKind.USER, "mei", ShareLevel.EDIT)

    assert seen(world, "mei") == [customer]
    with unchanged(world):
        assert the(claim(world, "mei", customer)).code() == "FORBIDDEN"
    assert whole(world) == []
