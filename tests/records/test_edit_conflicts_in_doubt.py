"""Conflicts where the log is silent, a field is hidden, or two requests meet."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from models import Contact, Customer
from models.errors import Conflict, Forbidden
from resolvers.records import create_update
from resolvers.records.edit_conflicts import MOST_VERSIONS, Line, fields_changed
from resolvers.runtime.scope import Scope
from tests.support.edit_conflicts import MAIL, PHONE, conflict, contact, edit
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.refusals import refused
from tests.support.world import World

# --- what nobody can know --------------------------------------------------------------------------------


def test_a_version_from_the_future_is_a_conflict_about_everything(world: World) -> None:
    customer = world.customer("Acme", phone="10086")

    assert conflict(world, "li", Customer, customer, 2, name="Acme", phone="1001") == {
        "version": 1,
        "current": {"name": "Acme", "phone": "10086"},
        "given": {"name": "Acme", "phone": "1001"},
    }
    assert conflict(world, "li", Customer, customer, 2)["current"] == {}


@at_length_on_postgresql
@pytest.mark.parametrize("version", [0, -1, -(2**31)])
def test_a_version_that_never_was_lets_nothing_through(world: World, version: int) -> None:
    customer = world.customer("Acme", phone="10086")

    told = conflict(world, "li", Customer, customer, version, name="Acme", phone="1001", remark="big")

    assert told["current"] == {"phone": "10086", "remark": None}


@pytest.mark.parametrize("version", [3, MOST_VERSIONS + 2])
def test_where_the_log_is_silent_every_field_counts_as_changed(world: World, version: int) -> None:
    customer = world.customer("Acme", phone="10086")
    edit(world, "li", Customer, customer, 1, phone="10010")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text(f"UPDATE customer SET version = {version} WHERE id = {customer}"))

    told = conflict(world, "li", Customer, customer, 1, name="Acme East", phone="10010")

    assert told == {"version": version, "current": {"name": "Acme"}, "given": {"name": "Acme East"}}


BORN = Line("a", "contact.create", {"customer_id": [None, 1], "name": [None, "Ann"], "title": [None, "CEO"]})
TITLE = Line("b", "contact.edit", {"title": ["CEO", "CTO"]})
NAME = Line("c", "contact.edit", {"name": ["Ann", "Anna"]})
POINTS = Line("d", "contact.edit", {"phone": [None, "1"]})


@pytest.mark.parametrize(
    ("lines", "versions", "changed"),
    [
        ([], 1, None),
        ([BORN], 1, None),
        ([TITLE, BORN], 1, {"title"}),
        ([TITLE, BORN], 2, None),
        ([NAME, TITLE, BORN], 1, {"name"}),
        ([NAME, TITLE, BORN], 2, {"name", "title"}),
        ([POINTS, TITLE, BORN], 1, {"phone"}),
        ([POINTS, TITLE, BORN], 2, {"phone", "title"}),
        ([POINTS, Line("a", "contact.create", POINTS.changes), BORN], 1, {"phone"}),
        ([POINTS._replace(batch_id="b"), TITLE, NAME, BORN], 1, {"phone", "title"}),
        ([POINTS._replace(batch_id="b"), TITLE, NAME, BORN], 2, {"phone", "title", "name"}),
        ([POINTS._replace(action="contact.merge"), TITLE, NAME], 1, {"phone", "title"}),
        ([NAME, TITLE._replace(batch_id="c"), BORN], 1, {"name", "title"}),
        ([NAME._replace(changes={"name": ["Ann", None]}), BORN], 1, {"name"}),
        ([NAME._replace(changes={"name": [None, None]}), BORN], 1, {"name"}),
        ([TITLE, BORN, Line("z", "contact.purge", {"name": ["Old", None]})], 2, None),
    ],
)
def test_so_many_lines_of_the_log_reach_back_so_many_versions(
    lines: list[Line], versions: int, changed: set[str] | None
) -> None:
    assert fields_changed(Contact, lines, versions) == changed


# --- what may not be told --------------------------------------------------------------------------------


def test_the_value_of_a_hidden_field_is_never_told(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[PHONE])
    edit(world, "ada", Customer, customer, 1, phone="13900139000", name="Acme East")
    edit(world, "ada", Contact, ann, 1, points=[{"kind": "PHONE", "value": "13900139000"}])

    for version in (1, 2, 9):
        for model, id, given in ((Customer, customer, {"name": "A", "phone": "1"}), (Contact, ann, {"points": []})):
            refusal = refused(world, world.lead, Forbidden, create_update.update, model, id, given, version)
            assert not any("139" in str((each.params, each.say())) for each in refusal.all)
    assert conflict(world, "lead", Customer, customer, 1, name="A")["current"] == {"name": "Acme East"}


# --- at the door, and at the same moment -----------------------------------------------------------------


def test_graphql_merges_and_shows_both_values_of_a_conflict(api: Api, world: World) -> None:
    world.customer("Acme", owner="li", phone="10086")
    api.change("li", "updateCustomer", {"id": "cus_1", "version": 1, "name": "Acme East"}, "customer { id }")
    look = "customer { name phone version } problems { code field recordId params }"

    merged = api.change("lead", "updateCustomer", {"id": "cus_1", "version": 1, "phone": "10010"}, look)
    refusal = api.change("lead", "updateCustomer", {"id": "cus_1", "version": 1, "name": "Acme West"}, look)

    now = {"name": "Acme East", "phone": "10010", "version": 3}
    assert merged == {"customer": now, "problems": []}
    assert refusal["customer"] == now
    (problem,) = refusal["problems"]
    assert (problem["code"], problem["field"], problem["recordId"]) == ("CONFLICT", "version", "cus_1")
    assert problem["params"] == {
        "label": "C2026001",
        "version": 3,
        "current": {"name": "Acme East"},
        "given": {"name": "Acme West"},
    }


def test_graphql_shows_both_values_of_phones(api: Api, world: World) -> None:
    ann = contact(world, points=[PHONE])
    given = {"id": f"con_{ann}", "version": 1, "points": [MAIL]}
    api.change("li", "updateContact", given, "contact { id }")

    payload = api.change("li", "updateContact", given | {"points": [PHONE, MAIL]}, "problems { code params }")

    (problem,) = payload["problems"]
    assert problem["code"] == "CONFLICT"
    assert (problem["params"]["current"], problem["params"]["given"]) == ({"points": [MAIL]}, {"points": [PHONE, MAIL]})


def _at_once(world: World, id: int, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Li edits, and before that is committed Lead edits the same version on a connection of his own and waits."""
    done, goes = threading.Event(), threading.Event()
    li, lead = world.li, world.lead

    def work(scope: Scope) -> None:
        create_update.update(scope, Customer, id, first, 1)
        done.set()
        assert goes.wait(timeout=30)

    with ThreadPoolExecutor(2) as two:
        one = two.submit(li.do, work)
        assert done.wait(timeout=30)
        other = two.submit(lead.do, create_update.update, Customer, id, second, 1)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)  # he waits
        goes.set()
        one.result(timeout=30)
        other.result(timeout=30)


def test_two_connections_at_the_same_moment_merge(world: World) -> None:
    customer = world.customer("Acme")

    _at_once(world, customer, {"name": "Acme East"}, {"phone": "10010"})

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["version"]) == ("Acme East", "10010", 3)


def test_two_connections_at_the_same_moment_conflict(world: World) -> None:
    customer = world.customer("Acme")

    with pytest.raises(Conflict) as caught:
        _at_once(world, customer, {"name": "Acme East"}, {"name": "Acme West", "phone": "10010"})

    assert (caught.value.params["current"], caught.value.params["given"]) == (
        {"name": "Acme East"},
        {"name": "Acme West"},
    )
    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["version"]) == ("Acme East", None, 2)
