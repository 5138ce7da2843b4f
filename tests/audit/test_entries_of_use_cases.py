"""The log of nested use cases, guarded updates and refusals."""

import pytest
from sqlalchemy import update

from models import (
    Contact,
    Customer,
)
from models.audit.recording import guarded_update
from models.errors import Validation
from resolvers.customers import lock as locking
from resolvers.records import create_update
from resolvers.runtime.batch import Mode
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import refused_like_missing
from tests.support.engines import at_length_on_postgresql
from tests.support.entries import changes
from tests.support.world import World

# --- how it is written -----------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_value_set_before_anybody_has_read_it_is_logged_with_its_old_one(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = world.session(db, Customer, id)
            db.expire(row)
            row.name = "Acme Ltd"

    world.system.do(rename)

    assert changes(world.log(since=mark)) == [{"name": ["Acme", "Acme Ltd"]}]


@at_length_on_postgresql
def test_a_use_case_inside_another_logs_its_own_action_and_the_outer_goes_on_with_its_own(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def outer(scope: Scope) -> None:
        with scope.write("customer.edit", "tidying") as db:
            row = scope.load(db, Customer, id, to="edit")
            row.name = "One"
            create_update.create(scope, Contact, {"customer_id": id, "name": "Ann"})
            with scope.write("customer.transfer", "moved"):
                row.phone = "1"
            row.name = "Two"

    world.system.do(outer)

    said = [
        (x["action"], x["reason"], x["changes"].get("name"), x["changes"].get("phone")) for x in world.log(since=mark)
    ]
    assert said == [
        ("customer.edit", "tidying", ["Acme", "One"], None),
        ("contact.create", "tidying", [None, "Ann"], None),
        ("customer.transfer", "moved", None, [None, "1"]),
        ("customer.edit", "tidying", ["One", "Two"], None),
    ]
    assert len({x["batch_id"] for x in world.log(since=mark)}) == 1


@at_length_on_postgresql
def test_a_nested_use_case_that_is_undone_leaves_no_entry(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def outer(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, id, to="edit")
            with pytest.raises(Validation):
                misspell(scope, row)
            row.phone = "1"

    world.system.do(outer)

    assert changes(world.log(since=mark)) == [{"phone": [None, "1"]}]


def misspell(scope: Scope, row: Customer) -> None:
    """Write a wrong name down, and then think better of it."""
    with scope.write("customer.edit") as db:
        row.name = "Wrong"
        db.flush()
        raise Validation("no", "否")


def test_a_guarded_update_logs_what_it_changed_and_only_that(world: World) -> None:
    ids = [world.customer(name) for name in ("A", "B")]
    before = {id: {"name": name, "phone": None} for id, name in zip(ids, "AB", strict=True)}
    table, mark = Customer.__table__.c, world.mark()

    def rename(scope: Scope) -> list[int]:
        with scope.write("customer.edit") as db:
            to_b = update(Customer).where(table.id.in_(ids)).values(name="B", phone="1", version=table.version + 1)
            return guarded_update(db, to_b, Customer, before)

    assert sorted(world.system.do(rename)) == ids
    said = {x["record_id"]: (x["action"], x["label"], x["changes"]) for x in world.log(since=mark)}
    numbers = [world.row(Customer, id)["number"] for id in ids]
    assert said == {
        ids[0]: ("customer.edit", numbers[0], {"name": ["A", "B"], "phone": [None, "1"]}),
        ids[1]: ("customer.edit", numbers[1], {"phone": [None, "1"]}),
    }


@at_length_on_postgresql
def test_a_guarded_update_of_a_row_whose_old_values_are_unknown_is_undone(world: World) -> None:
    id, mark = world.customer("A"), world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            guarded_update(db, update(Customer).where(Customer.__table__.c.id == id).values(name="B"), Customer, {})

    with pytest.raises(RuntimeError, match=f"the old name of customer {id} was not given"):
        world.system.do(rename)
    assert (world.row(Customer, id)["name"], world.log(since=mark)) == ("A", [])


# --- refusals --------------------------------------------------------------------------------------------


def test_an_attempt_without_the_right_is_logged_though_it_was_undone(world: World) -> None:
    refused_like_missing(world, "wu", locking.lock, world.customer("Acme", "mei"))

    world.customer("Acme", "li")
    mark = world.mark()
    with pytest.raises(Exception, match="roles do not allow"):
        world.aud.do(create_update.create, Customer, {"name": "Mine"})
    (said,) = world.log(since=mark)
    assert (said["outcome"], said["action"], said["actor_id"], said["changes"]) == (
        "DENIED",
        "customer.create",
        world.ids["aud"],
        {},
    )


@at_length_on_postgresql
def test_a_refusal_of_the_business_is_not_logged(world: World) -> None:
    id, mark = world.customer("Acme", "li"), world.mark()

    with pytest.raises(Validation):
        world.li.do(create_update.update, Customer, id, {"name": ""})

    assert world.li.do(locking.unlock, [id]).problems[0].code() == "NOT_LOCKED"
    assert world.log(since=mark) == []


@at_length_on_postgresql
def test_in_a_batch_that_is_undone_only_the_denied_record_is_logged(world: World) -> None:
    mine, hers, mark = world.customer("Mine", "li"), world.customer("Hers", "mei"), world.mark()

    world.li.do(locking.lock, [mine, hers], mode=Mode.ALL_OR_NOTHING)

    assert [(x["record_id"], x["outcome"]) for x in world.log(since=mark)] == [(hers, "DENIED")]
