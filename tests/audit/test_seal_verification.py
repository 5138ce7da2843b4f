"""What changes below the application is found and named."""

from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from millpond.database import look
from models import AuditEntry, AuditSeal, Customer
from models.audit.entries import entry
from models.audit.proof import entry_hash, values_hash
from resolvers.audit import verification
from resolvers.audit.seal import FIRST, Horizon
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.sealing import SIGNATURE, below_the_triggers, draw, problems, sealed, three_seals
from tests.support.world import START, World


def tamper(world: World, statement: str, **values: Any) -> None:
    with below_the_triggers(world) as connection:
        assert connection.execute(text(statement), values).rowcount == 1


# --- finding out -----------------------------------------------------------------------------------------


def test_a_changed_value_is_found_and_the_entry_named(world: World) -> None:
    second = three_seals(world)[1]
    id = second["first_id"] + 1

    tamper(world, "UPDATE audit_entry SET label = 'nobody' WHERE id = :id", id=id)

    assert problems(world) == [f"entry {id} was changed: its values are not those that were written"]


@at_length_on_postgresql
def test_a_changed_diff_is_found_and_the_entry_named(world: World) -> None:
    id = three_seals(world)[1]["last_id"]

    tamper(world, """UPDATE audit_entry SET changes = '{"name": [null, "Acme!"]}' WHERE id = :id""", id=id)

    assert problems(world) == [f"entry {id} was changed: its values are not those that were written"]


def test_a_changed_header_is_found_and_the_entry_named(world: World) -> None:
    id = three_seals(world)[2]["first_id"]
    row = world.row(AuditEntry, id)

    for column in ("actor_name", "action", "door", "batch_id", "request_id", "entity"):
        change = f"UPDATE audit_entry SET {column} = :value WHERE id = :id"
        tamper(world, change, id=id, value="x")
        assert problems(world) == [f"entry {id} was changed: who, when or what is not as it was written"], column
        tamper(world, change, id=id, value=row[column])
    assert problems(world) == []


@at_length_on_postgresql
def test_a_changed_entry_that_has_no_seal_yet_is_found_and_named(world: World) -> None:
    three_seals(world)
    world.customer("Acme")
    id = world.mark()

    tamper(world, "UPDATE audit_entry SET actor_id = 1 WHERE id = :id", id=id)

    assert problems(world) == [f"entry {id} was changed: who, when or what is not as it was written"]


@at_length_on_postgresql
def test_an_entry_rewritten_with_hashes_that_fit_breaks_its_seal(world: World) -> None:
    seal_ = three_seals(world)[1]
    row = world.row(AuditEntry, seal_["last_id"]) | {"actor_name": "Somebody Else"}
    row["values_hash"] = values_hash(row)

    tamper(
        world,
        "UPDATE audit_entry SET actor_name = :name, hash = :hash WHERE id = :id",
        name=row["actor_name"],
        hash=entry_hash(row),
        id=row["id"],
    )

    span = f"entries {seal_['first_id']} to {seal_['last_id']}"
    assert problems(world) == [f"seal 2 is broken: what is there now is not what was sealed: {span}"]


def test_a_missing_entry_is_named_with_its_seal(world: World) -> None:
    second = three_seals(world)[1]
    id = second["first_id"] + 1

    tamper(world, "DELETE FROM audit_entry WHERE id = :id", id=id)

    assert problems(world) == [f"seal 2 covers 3 entries, 2 are there: missing: entry {id}"]


def test_a_missing_entry_beside_a_gap_of_a_rolled_back_transaction_is_one_of_those_named(
    world: World, rivals: Engine
) -> None:
    sealed(world)
    with rivals.connect() as undone, undone.begin() as transaction:
        draw(undone, 1)
        transaction.rollback()
    gap = world.mark() + 1
    for _ in range(2):
        world.customer("Acme")
    sealed(world)

    tamper(world, "DELETE FROM audit_entry WHERE id = :id", id=gap + 1)

    assert problems(world) == [f"seal 2 covers 2 entries, 1 are there: missing: 1 of the entries {gap}, {gap + 1}"]


def test_a_missing_seal_is_found_and_its_entries_are_still_looked_at(world: World) -> None:
    _, second, third = three_seals(world)

    tamper(world, "DELETE FROM audit_seal WHERE id = 2")
    tamper(world, "UPDATE audit_entry SET door = 'x' WHERE id = :id", id=second["last_id"])

    assert problems(world) == [
        f"a seal is missing before seal 3: none covers the entries {second['first_id']} to {third['first_id'] - 1}",
        "seal 3 does not follow the seal before it",
        f"entry {second['last_id']} was changed: who, when or what is not as it was written",
    ]


def test_an_inserted_entry_is_found(world: World) -> None:
    world.customer("Acme")
    rivals = world.backend.dialect == "postgresql"
    sealed(world)
    with below_the_triggers(world) as connection:  # a gap in which an entry could be slipped
        connection.execute(text("DELETE FROM audit_seal"))
        connection.execute(text("DELETE FROM audit_entry WHERE id = 5"))
        if rivals:
            connection.execute(text("ALTER SEQUENCE audit_seal_id_seq RESTART"))
    sealed(world)
    assert problems(world) == []
    last, (only,) = world.mark(), world.rows(AuditSeal)

    with below_the_triggers(world) as connection:
        slipped = entry(SIGNATURE, START, "customer", 1, {"name": ["A", "B"]}) | {"id": 5}
        connection.execute(insert(AuditEntry.__table__), slipped)

    assert problems(world) == [
        f"seal {only['id']} covers {last - 1} entries, {last} are there: one of the entries 1 to {last} was added"
    ]


@at_length_on_postgresql
def test_an_entry_before_the_first_is_found(world: World) -> None:
    three_seals(world)
    with below_the_triggers(world) as connection:
        connection.execute(insert(AuditEntry.__table__), entry(SIGNATURE, START, "customer", 1, {}) | {"id": -3})

    assert problems(world) == ["entry -3 was added: the numbers of entries begin with 1"]


@at_length_on_postgresql
def test_a_changed_seal_is_found(world: World) -> None:
    third = three_seals(world)[2]
    span = f"entries {third['first_id']} to {third['last_id']}"

    for change in ("at = '2026-11-25T00:00:00.000Z'", f"hash = '{FIRST}'"):
        tamper(world, f"UPDATE audit_seal SET {change} WHERE id = 3")
        assert problems(world) == [f"seal 3 is broken: what is there now is not what was sealed: {span}"], change


NONSENSE = ("changes = '{broken'", "at = 'once'", "outcome = 'MAYBE'", "label = x'ff00'", "at = x'00'")


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_an_entry_that_cannot_even_be_read_is_named(sqlite_url: str, nonsense: str) -> None:
    world = World(sqlite_url)
    try:
        three_seals(world)
        id = world.rows(AuditSeal)[1]["last_id"]
        with below_the_triggers(world) as connection:
            connection.execute(text("PRAGMA ignore_check_constraints = on"))
            connection.execute(text(f"UPDATE audit_entry SET {nonsense} WHERE id = {id}"))

        found = look(sqlite_url, verification.verify)

        assert f"entry {id} was changed: it cannot be read" in found.problems
        assert found.entries == world.count(AuditEntry)
    finally:
        world.close()


def test_a_seal_that_cannot_even_be_read_is_named(sqlite_url: str) -> None:
    world = World(sqlite_url)
    try:
        three_seals(world)
        tamper(world, "UPDATE audit_seal SET last_id = 'x' WHERE id = 2")

        assert "seal 2 was changed: it cannot be read" in look(sqlite_url, verification.verify).problems
    finally:
        world.close()


@at_length_on_postgresql
def test_the_log_is_verified_while_people_work_and_the_sealer_seals(world: World) -> None:
    horizon = Horizon()
    for number in range(5):
        id = world.customer(f"Acme {number}")
        sealed(world, horizon)
        world.system.do(create_update.update, Customer, id, {"name": "Other"})
        assert look(world.backend.url, verification.verify).problems == []
