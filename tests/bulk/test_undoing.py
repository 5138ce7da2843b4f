"""Undoing: what nobody has changed since goes back, the rest is kept or says why; against an independent model."""

import random
from typing import Any

import pytest

from models import BulkChange, Customer, Opportunity, Plan
from models.bulk_change import BulkState, ItemState
from models.errors import NotFound, Validation
from resolvers.audit.verification import verify
from resolvers.bulk import changing, taking_back_owners, undoing
from resolvers.bulk.wanted import Handover
from resolvers.customers import lock
from resolvers.customers.transfer import transfer
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.support.bulk_changes import BulkChanges
from tests.support.refusals import refused
from tests.support.world import World

DONE, SAME, REFUSED, KEPT = ItemState.DONE, ItemState.SAME, ItemState.REFUSED, ItemState.KEPT


def whole(world: World) -> None:
    with world.backend.writer.engine.connect() as connection:
        assert (broken(connection), verify(connection).problems) == ([], [])


def test_undone_kept_and_failed(world: World, bulk: BulkChanges) -> None:
    names = ("plain", "same field", "other field", "back again", "gone", "locked")
    ids = {name: world.customer(name, stage="early", level=None) for name in names}
    id = bulk.changed("ada", {"stage": "won", "remark": "All"}, ids=[*ids.values()])
    for name, given in (("same field", {"stage": "early"}), ("other field", {"phone": "123"})):
        world.li.do(create_update.update, Customer, ids[name], given)
    for remark in ("Other", "All"):
        world.li.do(create_update.update, Customer, ids["back again"], {"remark": remark})
    world.li.do(create_update.delete, Customer, [ids["gone"]])
    world.li.do(lock.lock, [ids["locked"]], "Mine", None)

    undone = bulk.undo("ada", id)

    became = bulk.states(undone)
    assert {name: became[each] for name, each in ids.items()} == {
        "plain": DONE,
        "same field": KEPT,
        "other field": DONE,
        "back again": KEPT,
        "gone": KEPT,
        "locked": REFUSED,
    }
    assert bulk.said(undone, "zh")[ids["same field"]] == "之后有改动，因此保留原样。"
    stages = {name: world.row(Customer, each)["stage"] for name, each in ids.items()}
    assert [name for name, stage in stages.items() if stage == "early"] == ["plain", "same field", "other field"]
    assert world.row(Customer, ids["other field"])["phone"] == "123"
    (entry,) = [x for x in world.log("customer", ids["plain"]) if x["batch_id"] == bulk.of("ada", undone).row.batch_id]
    assert (entry["changes"]["stage"], entry["reason"]) == (["won", "early"], "Undone")
    whole(world)

    world.li.do(lock.unlock, [ids["locked"]])
    assert bulk.undo("ada", id) == undone
    assert bulk.states(undone)[ids["locked"]] is DONE
    assert bulk.undo("ada", id) == undone
    assert len([row for row in world.rows(BulkChange) if row["kind"] == "UNDO"]) == 1


def test_an_undoing_is_undone_as_well(world: World, bulk: BulkChanges) -> None:
    customer = world.customer("A", stage="early")
    undone = bulk.undo("li", bulk.changed("li", {"stage": "won"}, ids=[customer]))
    assert world.row(Customer, customer)["stage"] == "early"

    assert bulk.states(bulk.undo("li", undone)) == {customer: DONE}

    assert world.row(Customer, customer)["stage"] == "won"


def test_a_single_request_is_undone(world: World, bulk: BulkChanges) -> None:
    customer = world.customer("A", stage="early")
    world.li.do(create_update.update, Customer, customer, {"stage": "won", "name": "B"})
    batch = world.log("customer", customer)[-1]["batch_id"]

    refused(world, world.wu, NotFound, undoing.undo, batch)
    refused(world, world.li, NotFound, undoing.undo, "no such batch")
    undone = bulk.undo_batch("li", batch)

    assert bulk.states(undone) == {customer: DONE}
    row = world.row(Customer, customer)
    assert (row["stage"], row["name"]) == ("early", "A")
    made = world.log("customer", customer)[0]["batch_id"]
    refused(world, world.ada, Validation, undoing.undo, made)


def test_a_transfer_goes_back_with_what_went_along_and_was_not_touched(world: World, bulk: BulkChanges) -> None:
    first, second, third = (world.customer(name, owner="li") for name in "ABC")
    made = {}
    for customer in (first, second):
        for name in ("kept", "moved"):
            given = {"customer_id": customer, "name": name}
            made[customer, name] = world.li.do(create_update.create, Opportunity, given).id
    due = {"customer_id": first, "kind": "CALL", "due_at": world.clock.now.replace(day=28), "content": "Ask"}
    plan = world.li.do(create_update.create, Plan, due).id
    to = Handover(world.ids["wu"])
    id = bulk.changed("lead", {"owner_id": to}, ids=[first, second, third])
    assert [*bulk.states(id).values()] == [DONE, DONE, DONE]
    world.lead.do(transfer, [third], world.ids["lead"])

    undone = bulk.undo("lead", id)

    assert bulk.states(undone) == {first: DONE, second: DONE, third: KEPT}
    owners = [world.row(Customer, each)["owner_id"] for each in (first, second, third)]
    assert owners == [world.ids["li"], world.ids["li"], world.ids["lead"]]
    assert {world.row(Opportunity, each)["owner_id"] for each in made.values()} == {world.ids["li"]}
    assert world.row(Plan, plan)["owner_id"] == world.ids["li"]
    whole(world)


FIELDS: dict[str, tuple[Any, ...]] = {
    "stage": ("early", "won", None),
    "industry": ("retail", "steel", None),
    "phone": ("1001", "1002", None),
}


@pytest.mark.parametrize("seed", range(2))
def test_the_three_lists_are_those_of_the_model(world: World, bulk: BulkChanges, seed: int) -> None:
    """The model keeps the values, and notes which fields of which records were set to another value after the change."""
    rng = random.Random(seed)
    ids = [world.customer(f"C{n}", **{key: rng.choice(values) for key, values in FIELDS.items()}) for n in range(14)]
    model = {id: {key: world.row(Customer, id)[key] for key in FIELDS} for id in ids}
    before = {id: dict(values) for id, values in model.items()}
    given = {key: rng.choice(FIELDS[key]) for key in rng.sample([*FIELDS], 2)}
    wanted = {id for id in ids if any(model[id][key] != value for key, value in given.items())}
    change = bulk.changed("lead", given, ids=ids)
    assert {id for id, state in bulk.states(change).items() if state is DONE} == wanted
    model = {id: values | given for id, values in model.items()}
    touched: dict[int, set[str]] = {id: set() for id in ids}
    for _ in range(20):
        id, key = rng.choice(ids), rng.choice([*FIELDS])
        value = rng.choice(FIELDS[key])
        world.li.do(create_update.update, Customer, id, {key: value})
        if model[id][key] != value:
            touched[id].add(key)
            model[id][key] = value

    undone = bulk.undo("lead", change)

    expected = {}
    for id in wanted:
        own = {key for key, value in given.items() if before[id][key] != value}
        expected[id] = KEPT if own & touched[id] else DONE
        if expected[id] is DONE:
            model[id] |= {key: before[id][key] for key in own}
    assert bulk.states(undone) == expected
    assert {id: {key: world.row(Customer, id)[key] for key in FIELDS} for id in ids} == model
    assert bulk.of("lead", undone).state is BulkState.DONE


def test_what_goes_back_along_is_looked_up_at_the_customers_of_one_step(
    world: World, bulk: BulkChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "MOST_AT_ONCE", 1)
    ids = [world.customer(name, owner="li") for name in "AB"]
    for id in ids:
        given = {"customer_id": id, "name": "Mill", "owner_id": world.ids["li"]}
        world.li.do(create_update.create, Opportunity, given)
    change = bulk.changed("lead", {"owner_id": Handover(world.ids["wu"])}, ids=ids)
    seen: list[int] = []
    went_along = taking_back_owners._went_along

    def counted(*arguments: Any) -> Any:
        found = went_along(*arguments)
        seen.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(taking_back_owners, "_went_along", counted)
    bulk.undo("lead", change)

    assert seen == [1, 1]
    assert {row["owner_id"] for row in world.rows(Opportunity)} == {world.ids["li"]}
