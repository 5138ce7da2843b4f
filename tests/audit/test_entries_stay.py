"""No secret is in the log, and no entry changes."""

import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import (
    AuditEntry,
    AuditSeal,
    Customer,
)
from models.audit.proof import entry_hash, values_hash
from resolvers.audit.seal import Horizon, seal
from resolvers.people import passwords, tokens
from resolvers.people import sign_in as signing_in
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.entries import NOON
from tests.support.world import World

# --- secrets ---------------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_no_password_and_no_token_is_anywhere_in_the_log(world: World) -> None:
    first, second = "correct horse 42", "battery staple 43"
    world.system.do(passwords.set_password, "li", passwords.hash_password(first), one_time=True)
    begun = world.run(signing_in.sign_in(world.backend.scope(None, "graphql"), "li", first))
    world.run(passwords.change_password(world.li, first, second))
    made = world.li.do(tokens.create_token, "robot")
    world.li.do(tokens.revoke_token, made.id)

    said = "\n".join(str(row) for row in world.log())
    secrets = [first, second, begun.token, made.token, made.token[3:20], "argon2"]
    with world.backend.writer.engine.connect() as connection:
        for table, column in (
            ("credential", "password_hash"),
            ("api_token", "token_hash"),
            ("sign_in_session", "token_hash"),
        ):
            secrets += connection.execute(text(f"SELECT {column} FROM {table}")).scalars()
    assert len(secrets) == 9
    assert [secret for secret in secrets if secret in said] == []
    assert "robot" in said, "what happened is there all the same"


# --- it stays as written ---------------------------------------------------------------------------------


TAMPERING = {
    "audit_entry": ("UPDATE audit_entry SET label = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"),
    "audit_seal": ("UPDATE audit_seal SET count = 0", "DELETE FROM audit_seal", "TRUNCATE audit_seal"),
}


@pytest.mark.parametrize("table", TAMPERING)
def test_the_database_refuses_to_change_or_delete_what_was_logged(world: World, table: str) -> None:
    horizon, end = Horizon(), time.monotonic() + 10
    while not world.count(AuditSeal) and time.monotonic() < end:  # other databases of the server are waited for
        with world.backend.writer.engine.begin() as connection:
            seal(connection, world.clock.now, horizon)
    rows = {model: world.rows(model) for model in (AuditEntry, AuditSeal)}
    assert all(rows.values())

    last = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    statements = (*TAMPERING[table][:2], TAMPERING[table][2] if world.backend.dialect == "postgresql" else last)
    for statement in statements:
        with (
            pytest.raises(DBAPIError, match=f"{table} is append-only"),
            world.backend.writer.engine.begin() as connection,
        ):
            connection.execute(text(statement))

    assert {model: world.rows(model) for model in (AuditEntry, AuditSeal)} == rows


def test_every_entry_carries_the_hash_of_all_that_it_says(world: World) -> None:
    world.system.do(create_update.update, Customer, world.customer("Acme"), {"remark": "铸 “x”\n"})
    row = world.log()[-1]
    assert (values_hash(row), entry_hash(row)) == (row["values_hash"], row["hash"])

    others: dict[str, Any] = {key: f"{row[key]}!" for key in row if isinstance(row[key], str)}
    others |= {"at": NOON, "actor_id": 1, "behalf_id": 1, "record_id": 0, "label": "x", "reason": "x"}
    others |= {"changes": {"remark": [None, "铸 “y”\n"]}}
    for key in row.keys() - {"id", "hash", "values_hash"}:
        other = row | {key: others[key]}
        assert entry_hash(other | {"values_hash": values_hash(other)}) != row["hash"], key


@at_length_on_postgresql
def test_two_entries_that_say_the_same_have_different_value_hashes(world: World) -> None:
    id = world.customer("A")
    for name in ("B", "A", "B"):
        world.system.do(create_update.update, Customer, id, {"name": name})

    first, _, third = world.log("customer", id)[-3:]
    assert first["changes"] == third["changes"] == {"name": ["A", "B"]}
    assert first["values_hash"] != third["values_hash"]


@at_length_on_postgresql
def test_records_change_only_inside_a_use_case_that_names_its_action(world: World) -> None:
    id, mark = world.customer("A"), world.mark()

    def forgetful(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            del db.info["signature"]
            world.session(db, Customer, id).name = "B"

    with pytest.raises(RuntimeError, match=r"inside scope\.write"):
        world.system.do(forgetful)
    assert (world.row(Customer, id)["name"], world.log(since=mark)) == ("A", [])
