"""Deletions in bulk are answered like deletions one by one, and leave the same in the tables."""

from typing import Any

import pytest

from models import Contact, Customer, Department, FollowUp, Opportunity, Pool
from resolvers.bulk import many, singly
from resolvers.customers import lock as locking
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.support.bulk_writes import codes_of, same
from tests.support.world import World


@pytest.mark.parametrize("login", ["ada", "li", "lead", "sam"])
def test_deletions_of_customers_are_answered_alike(world: World, login: str) -> None:
    mine, second = (world.customer(name, owner="li", contact_name="Ann") for name in ("Mine", "Second"))
    hidden, pooled = world.customer("Hidden", owner="mei"), world.customer("Pooled", pool="north")
    locked, own, gone = (world.customer(name, owner=owner) for name, owner in (("A", "wu"), ("B", "li"), ("C", "li")))
    world.wu.do(locking.lock, [locked])
    world.li.do(locking.lock, [own])
    world.li.do(create_update.delete, Customer, [gone])
    call = {"kind": "CALL", "content": "Spoke of it", "happened_at": world.clock.now}
    world.li.do(create_update.create, FollowUp, {"customer_id": second, **call})
    world.li.do(create_update.create, Opportunity, {"customer_id": second, "name": "Deal"})

    told = same(world, login, Customer, [mine, second, hidden, pooled, locked, own, gone, 999_999])

    assert (None in codes_of(told)) is (login != "sam")
    assert {"IN_BIN", "NOT_FOUND", "FORBIDDEN"} & set(codes_of(told))


def test_deletions_of_follow_ups_and_contacts_are_answered_alike(world: World) -> None:
    customer = world.customer("Acme", owner="li")
    contacts = [world.make(Contact, customer_id=customer, name=name) for name in ("Ann", "Bo")]
    calls = [
        world.li.do(create_update.create, FollowUp, {"customer_id": customer, **_call(world, n)}).id for n in range(3)
    ]
    theirs = world.lead.do(create_update.create, FollowUp, {"customer_id": customer, **_call(world, 9)}).id

    same(world, "li", FollowUp, [calls[2], theirs, calls[0]])
    same(world, "li", Contact, contacts)


def _call(world: World, n: int) -> dict[str, Any]:
    return {"kind": "CALL", "content": f"Spoke of it for the {n}th time", "happened_at": world.clock.now}


def test_what_is_in_use_and_who_is_granted_something_is_decided_one_by_one(world: World) -> None:
    world.customer("Pooled", pool="north")

    told = same(world, "ada", Pool, [world.ids["north"], world.ids["south"]])
    same(world, "ada", Department, [world.ids["west"], world.ids["east"]])

    assert codes_of(told)[0] == "IN_USE"


def test_good_records_are_not_deleted_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [world.customer(f"Firm {n}", owner="li", contact_name="Ann") for n in range(4)]
    monkeypatch.delattr(singly, "delete")

    assert all(verdict.is_done for verdict in world.li.do(many.delete_many, Customer, ids))

    assert all(row["deleted_at"] for model in (Customer, Contact) for row in world.rows(model))
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []
