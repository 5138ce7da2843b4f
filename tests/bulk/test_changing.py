"""Bulk changes: each record by the rules of single changes, one batch in the log, and a result for each."""

from datetime import timedelta

from sqlalchemy import update

from models import BulkChange, BulkItem, Contact, Customer, FollowUp, Job, Plan, User
from models.bulk_change import KEPT as KEPT_FOR
from models.bulk_change import BulkState, ItemState
from models.errors import Forbidden, NotFound, Validation
from models.job import JobState
from resolvers.bulk import changes, changing, housekeeping, undoing
from resolvers.bulk.wanted import Handover, Words, restored, stored
from resolvers.exports.listing import Listing
from resolvers.jobs import control
from resolvers.jobs.kinds import Work
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.bulk_changes import BulkChanges
from tests.support.refusals import refused
from tests.support.tree import classified
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


def test_a_branch_of_the_classification_is_classified_anew(world: World, bulk: BulkChanges) -> None:
    there = classified(world)

    id = bulk.begin("ada", {"category": "formal"}, filter={"category": {"under": ["prospect"]}})
    bulk.run()

    assert set(bulk.states(id)) == {there[name] for name in ("Ash", "Beech", "Cedar", "Fir")}
    assert {world.row(Customer, each)["category"] for each in bulk.states(id)} == {"formal"}


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


def test_one_that_was_stopped_and_undone_never_goes_on(world: World, bulk: BulkChanges) -> None:
    first, second = world.customer("A", stage="early"), world.customer("B", stage="early")
    id = bulk.begin("li", {"stage": "won"}, ids=[first, second])
    with world.backend.writer.engine.begin() as connection:  # as if one chunk had held one record
        connection.execute(update(BulkItem).where(BulkItem.record_id == second).values(state=DONE))
    bulk.run()
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(BulkItem).where(BulkItem.record_id == second).values(state=ItemState.OPEN))
        connection.execute(update(BulkChange).values(state=BulkState.RUNNING, ended_at=None))
        connection.execute(update(Job).values(state=JobState.CANCELLED))

    undone = bulk.undo("li", id)

    assert bulk.states(undone) == {first: DONE}
    refused(world, world.li, Validation, changes.resume, id)
    world.li.do(control.resume, bulk.of("li", id).row.job_id)  # the list of jobs is no way around it
    bulk.run()
    assert [world.row(Customer, each)["stage"] for each in (first, second)] == ["early", "early"]
    made = bulk.of("li", id)
    assert (made.state, made.may_go_on, made.counts) == (BulkState.STOPPED, False, {DONE: 1, ItemState.OPEN: 1})


def test_an_undoing_that_was_stopped_goes_on_when_it_is_asked_for_again(world: World, bulk: BulkChanges) -> None:
    customer = world.customer("A", stage="early")
    batch = bulk.of("li", bulk.changed("li", {"stage": "won"}, ids=[customer])).row.batch_id
    undone = world.li.do(undoing.undo, batch)
    world.li.do(changes.stop, undone)
    bulk.run()
    assert world.row(Customer, customer)["stage"] == "won"

    assert bulk.undo_batch("li", batch) == undone

    assert (world.row(Customer, customer)["stage"], bulk.of("li", undone).state) == ("early", BulkState.DONE)


def test_what_ended_or_was_left_long_ago_is_forgotten(world: World, bulk: BulkChanges) -> None:
    bulk.changed("li", {"stage": "won"}, ids=[world.customer("A")])
    world.li.do(changes.stop, bulk.begin("li", {"stage": "won"}, ids=[world.customer("B")]))
    world.clock.now += KEPT_FOR - timedelta(seconds=1)
    newest = bulk.begin("li", {"stage": "won"}, ids=[world.customer("C")])

    world.system.do(_forget)
    assert world.count(BulkChange) == 3
    world.clock.now += timedelta(seconds=1)
    world.system.do(_forget)
    assert [row["id"] for row in world.rows(BulkChange)] == [newest]
    assert {row["change_id"] for row in world.rows(BulkItem)} == {newest}


def _forget(scope: Scope) -> None:
    with scope.write("system.tidy") as db:
        while housekeeping.expire(scope, db, Work({}, 0, 100, {})).more:
            pass
