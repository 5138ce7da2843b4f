"""The timeline: everything that happened at a customer in one order, in pages, narrowed by kind, under the reader's rights."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from models import Customer, FollowUp
from models.errors import NotFound
from resolvers.customers import lock, plans
from resolvers.customers.timeline import Event, EventKind, timeline
from resolvers.customers.transfer import transfer
from resolvers.pool.release import release
from resolvers.records import create_update
from tests.customers.test_last_contact import written
from tests.customers.test_plans import planned
from tests.support.refusals import add_line
from tests.support.world import World


def read(world: World, by: str, customer: int, size: int = 100, kinds: Collection[EventKind] = ()) -> list[Event]:
    """All pages of a timeline."""
    events, after = list[Event](), None
    while True:
        found = world.run(world.scope(by).read(timeline, customer, kinds=kinds, after=after, size=size))
        events += found.events
        if (after := found.after) is None:
            return events


@pytest.fixture
def lived(world: World) -> int:
    """A customer after some days: called, planned, locked, raised to a stage, transferred and released."""
    customer = world.customer("Acme", owner="li")
    for n in range(3):
        world.clock.pass_by(hours=1)
        written(world, customer, content=f"Call {n}")
    planned(world, customer, ahead=timedelta(hours=2), content="A visit")
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Customer, customer, {"stage": "early"})
    world.li.do(create_update.update, Customer, customer, {"remark": "Pays late"})
    world.clock.pass_by(hours=1)
    world.li.do(lock.lock, [customer], "Contract")
    world.li.do(lock.unlock, [customer])
    world.ada.do(transfer, [customer], world.ids["wu"], "Leave")
    world.clock.pass_by(hours=1)
    world.ada.do(release, [customer], world.ids["north"])
    return customer


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(x.kind, x.at, x.id, x.has_ended) for x in events]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_pages_hold_every_event_once_in_one_order(world: World, lived: int, size: int) -> None:
    whole = read(world, "ada", lived)

    assert told(read(world, "ada", lived, size)) == told(whole)
    assert [x.at for x in whole] == sorted((x.at for x in whole), reverse=True)
    kinds = sorted(x.kind for x in whole)
    assert kinds == ["EDIT"] * 3 + ["FOLLOW_UP"] * 3 + ["OWNERSHIP"] * 3 + ["PLAN"] + ["STAGE"]


@pytest.mark.parametrize("kind", EventKind)
def test_a_kind_narrows_it(world: World, lived: int, kind: EventKind) -> None:
    whole = [x for x in told(read(world, "ada", lived)) if x[0] is kind]

    assert told(read(world, "ada", lived, 2, [kind])) == whole


def test_it_shows_what_the_reader_may_see_and_nothing_else(world: World, lived: int) -> None:
    with pytest.raises(NotFound):
        read(world, "mei", lived)
    add_line(world, "p, sales_lead, followup, view, all, any, deny")
    add_line(world, "p, sales_lead, customer.stage, view, all, any, deny")

    seen = read(world, "lead", lived)

    assert not {x.kind for x in seen} & {EventKind.FOLLOW_UP, EventKind.STAGE}
    assert len([x for x in seen if x.kind is EventKind.EDIT]) == 4
    assert not [change for x in seen if x.entry for change in x.entry.changes if change.key == "stage"]


@pytest.mark.parametrize("cursor", ["", "x", "%", "e30", "eyJmIjpbMSwyXX0", "eyJmIjogMX0", "bnVsbA", "é"])
def test_a_cursor_of_nothing_is_the_first_page(world: World, lived: int, cursor: str) -> None:
    first = world.run(world.ada.read(timeline, lived, size=3)).events

    assert told(world.run(world.ada.read(timeline, lived, after=cursor, size=3)).events) == told(first)


def test_what_is_deleted_is_not_in_it(world: World) -> None:
    customer = world.customer(owner="li")
    call = written(world, customer)
    plan = planned(world, customer)
    world.ada.do(create_update.delete, FollowUp, [call.id])
    world.li.do(plans.cancel, plan, "Closed")

    found = read(world, "li", customer)

    assert [x.kind for x in found] == [EventKind.PLAN, EventKind.OWNERSHIP]
    assert found[0].row is not None
    assert (found[0].row["state"], found[0].row["cancel_reason"]) == ("CANCELLED", "Closed")
