"""An id is given once, because log, seats, shares and idempotency keys remember records by it."""

import re

import pytest
from sqlalchemy import column, insert, select, table, text

from millpond.migrate import configuration, migrate
from models import (
    ENTITIES,
    AuditEntry,
    Base,
    Customer,
    Department,
    IdempotencyKey,
    PoolMember,
    Role,
    Share,
    Tombstone,
    User,
    utcnow,
)
from models.audit.entries import Signature, entry
from models.database.engines import writing_engine
from models.errors import NotFound
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.audit import history
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import global_id
from resolvers.setup.invariants import broken
from tests.support.world import World


def purge(world: World, model: type[Customer] | type[Department] | type[Role], id: int) -> None:
    for action, more in ((create_update.delete, {}), (create_update.purge, {"confirm": True})):
        assert world.ada.do(action, model, [id], **more).problems == []  # type: ignore[arg-type]  a use case


def test_the_id_of_a_purged_record_is_not_given_to_the_next_one(world: World) -> None:
    secret = world.customer("Secret Ltd", owner="mei")
    purge(world, Customer, secret)

    new = world.customer("New Ltd")

    assert new > secret
    entries = world.run(world.li.read(history.of_record, Customer, new)).entries
    assert [(x.record_id, x.label) for x in entries] == [(new, "C2026002")]
    assert "Secret" not in repr(entries)


def test_a_new_department_does_not_inherit_the_seats_of_a_purged_one(world: World) -> None:
    old = world.make(Department, name="Old")
    world.make(PoolMember, pool_id=world.ids["south"], grantee_kind=GranteeKind.DEPARTMENT, grantee_id=old)
    purge(world, Department, old)

    new = world.make(Department, name="New")

    assert new > old
    assert world.rows(PoolMember, PoolMember.grantee_kind == GranteeKind.DEPARTMENT) == []


def test_every_table_with_an_id_counts_on(new_url: str) -> None:
    engine = writing_engine(new_url)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if [column.name for column in table.primary_key] != ["id"] or table.c.id.autoincrement is False:
                continue
            if engine.dialect.name == "sqlite":
                found = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": table.name})
                assert "AUTOINCREMENT" in found.scalar_one(), table.name
            else:
                found = connection.execute(text("SELECT pg_get_serial_sequence(:n, 'id')"), {"n": table.name})
                assert found.scalar_one() is not None, table.name
    engine.dispose()


def test_an_existing_database_starts_above_every_id_that_is_remembered(empty_url: str) -> None:
    from alembic import command

    engine, now = writing_engine(empty_url), utcnow()
    times = {"version": 1, "created_at": now, "updated_at": now}
    user = {"login": "a", "name": "A", "active": True, "language": "en", **times}
    pool = {"name": "P", "enabled": True, "priority": 0, **times}
    seat = {"pool_id": 1, "grantee_kind": "DEPARTMENT", "grantee_id": 40, "seat": "MEMBER", **times}
    customer = {"number": "C1", "name": "A", "owner_id": 1, **times}
    share = {"customer_id": 1, "grantee_kind": "ROLE", "grantee_id": 50, "level": "VIEW", "starts_at": now}
    key = {"user_id": 1, "key": "k", "action": "opportunity.create", "fingerprint": "f", "at": now}
    logged = entry(Signature(1, "A", "test", "r", "b", "contact.purge"), now, "contact", 70, {}, label="X")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "2026_11_28_policy_words")
        tables = Base.metadata.tables
        rows = {"app_user": user, "pool": pool, "pool_member": seat, "customer": customer, "share": share}
        for name, row in rows.items():
            old = table(name, *(column(key, tables[name].c[key].type) for key in row))
            connection.execute(insert(old), row)
        connection.execute(insert(IdempotencyKey.__table__), {**key, "answer": {"ids": [60], "problems": []}})
        connection.execute(insert(AuditEntry.__table__), logged)
        connection.execute(insert(Tombstone.__table__), {"for_module": "customer", "record_id": 30, "purged_at": now})

    migrate(engine)

    wanted = {
        "customer": {**customer, "number": "C2"},
        "department": {"name": "D", "path": "/", **times},
        "role": {"code": "r", "name": "R", **times},
        "opportunity": {"customer_id": 1, "name": "O", "currency": "CNY", "stage": "early", "owner_id": 1, **times},
        "contact": {"customer_id": 1, "name": "C", "owner_id": 1, **times},
        "app_user": {**user, "login": "b"},
    }
    with engine.begin() as connection:
        made = {
            name: connection.execute(insert(tables[name]).returning(tables[name].c.id), row).scalar_one()
            for name, row in wanted.items()
        }
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
    assert made == {"customer": 31, "department": 41, "role": 51, "opportunity": 61, "contact": 71, "app_user": 2}
    engine.dispose()


def test_a_replay_about_a_purged_record_says_that_it_is_gone(world: World) -> None:
    ids = [world.customer("A", pool="north"), world.customer("B", pool="north")]
    arguments = {"ids": ids}
    replay = lambda: world.li.do(  # noqa: E731
        run_once, "k1", "customer.claim", arguments, lambda _: Outcome(ids), Customer
    )
    assert replay().ids == ids
    purge(world, Customer, ids[0])

    again = replay()

    assert again.ids == ids[1:]
    assert [(x.code(), x.record_id) for x in again.problems] == [("NOT_FOUND", global_id(Customer, ids[0]))]
    assert isinstance(again.problems[0], NotFound)


def test_the_doctor_finds_reused_ids_and_what_points_to_nothing(world: World) -> None:
    customer, department = world.customer(industry="steel"), world.make(Department, name="Old")
    seat = world.make(
        PoolMember, pool_id=world.ids["south"], grantee_kind=GranteeKind.DEPARTMENT, grantee_id=department
    )
    gone = {"customer_id": customer, "grantee_kind": GranteeKind.ROLE, "grantee_id": 4711, "level": ShareLevel.VIEW}
    purged = entry(Signature(1, "A", "test", "r", "b", "customer.purge"), utcnow(), "customer", customer, {})
    with world.backend.writer.engine.begin() as connection:
        assert broken(connection) == []
        table = Base.metadata.tables
        connection.execute(table["department"].delete().where(table["department"].c.id == department))
        connection.execute(table["dictionary_item"].delete().where(table["dictionary_item"].c.key == "steel"))
        share = connection.execute(
            insert(Share.__table__).returning(Share.__table__.c.id), {**gone, "starts_at": utcnow()}
        )
        number = share.scalar_one()
        connection.execute(insert(AuditEntry.__table__), purged)

        assert broken(connection) == [
            f"Seat {seat} is held by a department that is not there.",
            f"Share {number} is for a role that is not there.",
            "1 of the customers hold “steel”, which the dictionary industry does not have.",
            f"Customer {customer} has the id of a record that was purged.",
        ]


@pytest.mark.parametrize("model", [x for x in ENTITIES if not x.singleton], ids=lambda x: x.__tablename__)
def test_the_migration_leaves_the_definition_that_the_model_asks_for(sqlite_url: str, model: type[Base]) -> None:
    engine = writing_engine(sqlite_url)
    with engine.connect() as connection:
        sql = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": model.__tablename__})
    assert re.match(rf'CREATE TABLE "?{model.__tablename__}"? \(\s+id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,', sql)
    assert "PRIMARY KEY (id)" not in sql
    engine.dispose()


def test_users_have_ids_above_those_of_the_log(world: World) -> None:
    with world.backend.writer.engine.connect() as connection:
        highest = connection.scalar(
            select(AuditEntry.record_id).where(AuditEntry.entity == "app_user").order_by(AuditEntry.record_id.desc())
        )
    assert world.user("new", "New", "sales") > (highest or 0)
    assert world.count(User) == len({row["id"] for row in world.rows(User)})
