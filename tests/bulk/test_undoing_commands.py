"""Undoing of what is no plain edit: phones of contacts, ended locks, steps of stages; and who may ask for it again."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models import BulkChange, Contact, ContactPoint, Customer, Opportunity
from models.bulk_change import ItemState
from resolvers.bulk import changes
from resolvers.customers import lock, opportunity_stages
from resolvers.customers.transfer import transfer
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.notices.conftest import inbox_of as inbox_of
from tests.panel.sweep.worlds import add_policy_line
from tests.support.bulk_changes import BulkChanges
from tests.support.panel import Panel
from tests.support.pipelines import deal, pipeline
from tests.support.world import World

DONE, REFUSED, KEPT = ItemState.DONE, ItemState.REFUSED, ItemState.KEPT
PHONES = [{"kind": "PHONE", "value": "13800138000"}, {"kind": "PHONE", "value": "13900139000"}]
MAIL = {"kind": "EMAIL", "value": "ann@example.org"}


def batch_of(world: World, entity: str, id: int) -> str:
    return str(world.log(entity, id)[-1]["batch_id"])


def points(world: World, contact: int) -> list[tuple[str, str]]:
    rows = [row for row in world.rows(ContactPoint) if row["contact_id"] == contact]
    return [(row["kind"], row["value"]) for row in sorted(rows, key=lambda row: row["position"])]


def test_phones_of_a_contact_come_back_beside_what_was_added_since(world: World, bulk: BulkChanges) -> None:
    contact = world.li.do(
        create_update.create,
        Contact,
        {"customer_id": world.customer(owner="li"), "name": "Ann", "points": [*PHONES, MAIL]},
    ).id
    world.li.do(create_update.update, Contact, contact, {"name": "Anna", "points": [MAIL]})
    batch = batch_of(world, "contact", contact)
    chat = {"kind": "WECHAT", "value": "ann"}
    world.li.do(create_update.update, Contact, contact, {"points": [MAIL, chat]})

    undone = bulk.undo_batch("li", batch)

    assert bulk.states(undone) == {contact: DONE}
    assert points(world, contact) == [(x["kind"], x["value"]) for x in (*PHONES, MAIL, chat)]
    assert world.row(Contact, contact)["name"] == "Ann"


def test_phones_changed_since_stay(world: World, bulk: BulkChanges) -> None:
    given = {"customer_id": world.customer(owner="li"), "name": "Ann", "points": PHONES}
    contact = world.li.do(create_update.create, Contact, given).id
    world.li.do(create_update.update, Contact, contact, {"points": PHONES[:1]})
    batch = batch_of(world, "contact", contact)
    world.li.do(create_update.update, Contact, contact, {"points": PHONES[1:]})

    assert bulk.states(bulk.undo_batch("li", batch)) == {contact: KEPT}
    assert points(world, contact) == [("PHONE", "13900139000")]


def test_a_lock_that_a_transfer_ended_comes_back_with_the_owner(world: World, bulk: BulkChanges) -> None:
    customer = world.customer(owner="li")
    world.li.do(lock.lock, [customer], "Tender", None)
    before = {
        key: world.row(Customer, customer)[key] for key in ("owner_id", "locked_by_id", "locked_at", "lock_reason")
    }
    world.li.do(transfer, [customer], world.ids["wu"], lift_lock=True)
    assert world.row(Customer, customer)["locked_by_id"] is None

    undone = bulk.undo_batch("ada", batch_of(world, "customer", customer))

    assert bulk.states(undone) == {customer: DONE}
    assert {key: world.row(Customer, customer)[key] for key in before} == before
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []


def test_a_lock_that_may_not_be_set_is_named_and_tried_again_by_one_who_may(
    world: World, bulk: BulkChanges, inbox_of: Any
) -> None:
    customer = world.customer(owner="li")
    world.li.do(lock.lock, [customer], "Tender", None)
    world.li.do(transfer, [customer], world.ids["wu"], lift_lock=True)
    batch = batch_of(world, "customer", customer)
    add_policy_line(world, "p, sales_lead, customer, lock, all, any, deny")
    add_policy_line(world, "p, sales_lead, audit, view, all, any, allow")

    undone = bulk.undo_batch("lead", batch)

    assert bulk.states(undone) == {customer: REFUSED}
    assert bulk.said(undone)[customer].startswith("The former owner is back, but not the lock. ")
    assert bulk.said(undone, "zh")[customer].startswith("原负责人已恢复，但锁定未恢复。")
    row = world.row(Customer, customer)
    assert (row["owner_id"], row["locked_by_id"]) == (world.ids["li"], None)

    assert bulk.undo_batch("ada", batch) == undone

    assert bulk.states(undone) == {customer: DONE}
    assert world.row(Customer, customer)["locked_by_id"] == world.ids["li"]
    assert world.row(BulkChange, undone)["owner_id"] == world.ids["lead"]
    assert bulk.of("lead", undone).row.id == bulk.of("ada", undone).row.id == undone
    assert world.run(world.li.read(changes.bulk_change, undone)) is None
    (told,) = inbox_of("ada")
    assert (told.title, told.text) == (
        "An undoing has ended",
        "Undone: 1. Kept, because changed since: 0. Could not be undone: 0.",
    )
    assert [x.kind.key for x in inbox_of("lead")] == ["undo_ended", "undo_ended"]


def test_one_whose_try_is_refused_too_does_not_become_the_owner(world: World, bulk: BulkChanges) -> None:
    customer = world.customer(owner="li", stage="early")
    world.li.do(create_update.update, Customer, customer, {"stage": "won"})
    batch = batch_of(world, "customer", customer)
    world.li.do(lock.lock, [customer], "Mine", None)

    undone = bulk.undo_batch("ada", batch)
    assert bulk.states(undone) == {customer: REFUSED}
    assert bulk.undo_batch("aud", batch) == undone

    assert bulk.states(undone) == {customer: REFUSED}
    assert world.row(BulkChange, undone)["owner_id"] == world.ids["ada"]
    assert bulk.undo_batch("li", batch) == undone
    assert (bulk.states(undone), world.row(Customer, customer)["stage"]) == ({customer: DONE}, "early")


@pytest.mark.parametrize("verb", ["move", "win", "lose"])
def test_steps_of_stages_come_back(world: World, bulk: BulkChanges, verb: str) -> None:
    pipeline(world)
    customer = world.customer(owner="li")
    id = deal(world, customer)
    kept = ("stage", "probability", "closed_on", "lost_reason", "amount")
    before = {key: world.row(Opportunity, id)[key] for key in kept}
    if verb == "move":
        world.li.do(opportunity_stages.move, id, "proposal")
    elif verb == "win":
        world.li.do(opportunity_stages.win, id, amount=Decimal(12), closed_on=date(2026, 11, 20))
    else:
        world.li.do(opportunity_stages.lose, id, reason="price")
    assert world.row(Opportunity, id)["stage"] != before["stage"]

    undone = bulk.undo_batch("li", batch_of(world, "opportunity", id))

    assert (bulk.said(undone), bulk.states(undone)) == ({}, {id: DONE})
    assert {key: world.row(Opportunity, id)[key] for key in kept} == before
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []


def test_the_maker_is_told_what_a_change_and_its_undoing_came_to_and_is_led_there(
    world: World, bulk: BulkChanges, inbox_of: Any
) -> None:
    mine, same, hers = world.customer(owner="li"), world.customer(owner="li", stage="won"), world.customer(owner="mei")
    id = bulk.changed("li", {"stage": "won"}, ids=[mine, same, hers])

    (told,) = inbox_of("li")
    assert (told.title, told.text) == ("A bulk change has ended", "Changed: 1. Already as wanted: 1. Refused: 1.")
    assert told.record == (BulkChange, id)
    li = Panel(world).of("li")
    opened = li.get(f"/admin/notifications/open?id=ntc_{told.id}")
    assert opened.headers["location"] == f"/admin/bulk/blk_{id}"

    bulk.undo("li", id)

    undoing, _ = inbox_of("li")
    assert undoing.text == "Undone: 1. Kept, because changed since: 0. Could not be undone: 0."
