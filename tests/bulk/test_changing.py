"""Bulk changes: each record by the rules of single changes, one batch in the log, and a result for each."""

from datetime import timedelta

from models import BulkChange, Contact, Customer, FollowUp, Job, Plan, User
from models.bulk_change import BulkState, ItemState
from models.errors import Forbidden, NotFound, Validation
from models.job import JobState
from resolvers.bulk import changes, changing
from resolvers.bulk.wanted import Handover, Words, restored, stored
from resolvers.exports.listing import Listing
from resolvers.records import create_update
from tests.support.bulk_changes import BulkChanges
from tests.support.refusals import refused
from tests.support.world import World

DONE, SAME, REFUSED, KEPT = ItemState.DONE, ItemState.SAME, ItemState.REFUSED, ItemState.KEPT


def test_each_record_of_a_selection_is_changed_the_same_already_or_refused(world: World, bulk: BulkChanges) -> None:
    first, second, other = world.customer("A"), world.customer("B", stage="won"), world.customer("C", owner="mei")

    id = bulk.changed("li", {"stage": "won", "remark": None}, ids=[first, second, other], reason="Fair")

    assert bulk.states(id) == {first: DONE, second: SAME, other: REFUSED}
    assert list(bulk.said(id)) == [other]
    made = bulk.of("li", id)
    assert (made.state, made.row.total, made.done) == (BulkState.DONE, 3, 3)
    assert [world.row(Customer, each)["stage"] for each in (first, second, other)] == ["won", "won", None]
    (entry,) = [x for x in world.log("customer", first) if x["batch_id"] == made.row.batch_id]
    assert (entry["action"], entry["changes"], entry["reason"]) == ("customer.edit", {"stage": [None, "won"]}, "Fair")


def test_all_that_a_filter_finds_is_found_once_and_has_one_batch(world: World, bulk: BulkChanges) -> None:
    ids = [world.customer(f"C{n}", industry="retail") for n in range(45)]
    world.customer("other", industry="steel")

    id = bulk.begin("li", {"region": "east"}, filter={"industry": {"eq": "retail"}})
    bulk.run()

    assert set(bulk.states(id)) == set(ids)
    batches = {world.log("customer", each)[-1]["batch_id"] for each in ids}
    assert batches == {bulk.of("li", id).row.batch_id}


def test_a_list_of_words_gets_some_and_loses_some() -> None:
    words = Words(add=("b", "c"), remove=("a",))
    assert words.within(["a", "b", "d"]) == ["b", "d", "c"]
    assert words.within(None) == ["b", "c"]
    assert restored(stored({"tags": words})) == {"tags": words}


def test_what_no_record_could_have_is_refused_at_once(world: World, bulk: BulkChanges) -> None:
    customer = Listing(ids=(world.customer("A"),))
    for given, field in (
        ({}, "set"),
        ({"stage": "nonsense " * 20}, "stage"),
        ({"number": "C1"}, "number"),
        ({"owner_id": 1}, "ownerId"),
        ({"name": None}, "name"),
        ({"stage": Words(add=("won",))}, "stage"),
        ({"owner_id": Handover(1), "stage": "won"}, "ownerId"),
    ):
        refusal = refused(world, world.li, Validation, changing.begin, Customer, customer, given)
        assert refusal.field == field
    refused(world, world.aud, Forbidden, changing.begin, Customer, customer, {"stage": "won"})
    assert world.rows(BulkChange) == []


def test_every_kind_takes_part_by_its_own_rules(world: World, bulk: BulkChanges) -> None:
    customer = world.customer("A")
    contact = world.li.do(create_update.create, Contact, {"customer_id": customer, "name": "Ann"}).id
    done_at = world.clock.now
    call = {"customer_id": customer, "kind": "CALL", "content": "Said", "happened_at": done_at}
    said = world.li.do(create_update.create, FollowUp, call).id
    due = {"customer_id": customer, "kind": "CALL", "due_at": done_at + timedelta(days=1), "content": "Ask"}
    plan = world.li.do(create_update.create, Plan, due).id

    assert bulk.states(bulk.changed("li", {"title": "Boss"}, model=Contact, ids=[contact])) == {contact: DONE}
    assert bulk.states(bulk.changed("li", {"kind": "VISIT"}, model=FollowUp, ids=[said])) == {said: DONE}
    past = bulk.changed("li", {"due_at": done_at - timedelta(days=1)}, model=Plan, ids=[plan])
    assert bulk.states(past) == {plan: REFUSED}
    me = world.ids["ada"]
    assert bulk.states(bulk.changed("ada", {"active": False}, model=User, ids=[me, world.ids["wu"]]))[me] is REFUSED


def test_the_rights_of_the_moment_count(world: World, bulk: BulkChanges) -> None:
    ids = [world.customer("A"), world.customer("B")]
    bulk.begin("li", {"stage": "won"}, ids=ids)
    world.system.do(create_update.update, User, world.ids["li"], {"active": False})

    bulk.run()

    (row,) = [row for row in world.rows(Job) if row["kind"] == "change_in_bulk"]
    assert row["state"] == JobState.FAILED
    assert [world.row(Customer, each)["stage"] for each in ids] == [None, None]


def test_one_that_is_stopped_goes_on_where_it_stopped(world: World, bulk: BulkChanges) -> None:
    id = bulk.begin("li", {"stage": "won"}, ids=[world.customer("A")])
    world.li.do(changes.stop, id)
    assert bulk.of("li", id).state is BulkState.STOPPED

    bulk.run()
    world.li.do(changes.resume, id)
    bulk.run()

    assert (bulk.of("li", id).state, [*bulk.states(id).values()]) == (BulkState.DONE, [DONE])
    refused(world, world.wu, NotFound, changes.stop, id)
