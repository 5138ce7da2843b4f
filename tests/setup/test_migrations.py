"""The migrations make the very tables that the models describe, on both engines, and are run by one command."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, column, insert, select, table, text
from sqlalchemy.exc import IntegrityError

from millpond.migrate import UnknownShape, configuration, current, is_current, migrate, revisions
from millpond.migration_steps import differing_checks
from models import (
    Base,
    Customer,
    CustomerStagePeriod,
    FollowUp,
    Opportunity,
    OpportunityStagePeriod,
    PolicyDraft,
    PolicyWord,
    Tombstone,
    User,
    utcnow,
)
from models.base import time_text
from models.counting import copy_key
from models.database.engines import writing_engine
from models.last_contact import stale_last_contacts
from models.next_contact import stale_next_contacts
from resolvers.access.offered_lines import known_words


@pytest.mark.short
def test_an_empty_database_gets_the_tables_of_the_models(empty_url: str) -> None:
    engine = writing_engine(empty_url)

    assert migrate(engine) == revisions()[0]

    with engine.begin() as connection:
        assert differences(connection) == []
        assert is_current(connection)
    engine.dispose()


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    engine = writing_engine(empty_url)
    first = migrate(engine)

    assert migrate(engine) == first
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty_url: str) -> None:
    engine = writing_engine(empty_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2099_from_the_future'"))

    with pytest.raises(UnknownShape, match="2099_from_the_future"):
        migrate(engine)

    with engine.begin() as connection:
        assert current(connection) == "2099_from_the_future"
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
    return [*found, *differing_checks(connection, Base.metadata)]


def test_a_draft_outlives_the_step_that_lets_the_system_have_one(empty_url: str) -> None:
    engine, now = writing_engine(empty_url), utcnow()
    user = {"id": 1, "login": "a", "name": "A", "active": True, "language": "en", "version": 1}
    draft = {"id": 7, "author_id": 1, "base": 1, "text": "# mine", "at": now}
    drafts, words = PolicyDraft.__table__, PolicyWord.__table__
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "2026_11_28_policy_proof")
        connection.execute(insert(User.__table__), {**user, "created_at": now, "updated_at": now})
        connection.execute(insert(drafts), draft)

    migrate(engine)

    with engine.begin() as connection:
        assert connection.execute(select(drafts)).mappings().all() == [draft]
        connection.execute(insert(drafts), {**draft, "id": 8, "author_id": None})
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(insert(drafts), {**draft, "id": 9})
        assert {"customer", ".claim"} <= set(connection.execute(select(words.c.word)).scalars()) <= known_words()
    engine.dispose()


def test_names_and_numbers_that_are_there_get_their_keys(empty_url: str) -> None:
    """Also a number that is there twice, in small letters and in capitals: both stay as they are, the first is found."""
    engine, now = writing_engine(empty_url), utcnow()
    stamps = {"version": 1, "created_at": now, "updated_at": now}
    user = {"id": 1, "login": "a", "name": "Ärzte", "active": True, "language": "en", **stamps}
    numbers = ("C2026995", "C20261861", "c2026995", "X-7")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "2026_11_29_trust")
        connection.execute(insert(User.__table__), user)
        rows = [
            {"id": n, "number": x, "name": f"重庆 {n}", "owner_id": 1, **stamps} for n, x in enumerate(numbers, start=1)
        ]
        old = table("customer", *(column(key, Customer.__table__.c[key].type) for key in rows[0]))
        connection.execute(insert(old), rows)
        rule = {"id": 1, "for_module": "customer", "pattern": "C{YYYY}{seq:3}", **stamps}
        connection.execute(text(f"INSERT INTO number_rule ({', '.join(rule)}) VALUES (:{', :'.join(rule)})"), rule)
        gone = {"id": 1, "for_module": "customer", "record_id": 9, "number": "Ｃ2026001", "purged_at": now}
        connection.execute(insert(Tombstone.__table__), gone)

    migrate(engine)

    c = Customer.__table__.c
    with engine.begin() as connection:
        assert connection.execute(select(User.__table__.c.name_key)).scalars().all() == ["arzte"]
        found = connection.execute(select(c.number, c.name_key, c.number_key).order_by(c.number_order, c.id)).all()
        assert [row.number for row in found] == ["C2026995", "c2026995", "C20261861", "X-7"]
        assert [row.number_key for row in found] == ["c2026995", "c2026995\x1f3", "c20261861", "x-7"]
        assert found[0].name_key == "chong2重qing4庆 1"
        assert connection.execute(select(Tombstone.__table__.c.number_key)).scalar_one() == "c2026001"
    engine.dispose()


def test_customers_that_are_there_get_their_last_contact(empty_url: str) -> None:
    engine, now = writing_engine(empty_url), utcnow()
    stamps = {"version": 1, "created_at": now, "updated_at": now}
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "2026_11_29_notices")
        tables = MetaData()
        tables.reflect(connection, only=["app_user", "customer", "follow_up"])
        user = {"id": 1, "login": "a", "name": "A", "name_key": "a", "active": True, "language": "en", **stamps}
        connection.execute(insert(tables.tables["app_user"]), _stored(connection, user))
        for id in (1, 2):
            place = {"owner_id": 1, "claimed_at": now, "number": f"C{id}", "name": "X", "name_key": "x"}
            connection.execute(
                insert(tables.tables["customer"]),
                _stored(connection, {"id": id, "number_order": "", **place, **stamps}),
            )
        for days, gone in ((3, None), (2, None), (1, now)):
            said = {"customer_id": 1, "kind": "CALL", "content": f"Spoke {days}", "owner_id": 1, "deleted_at": gone}
            said["happened_at"] = now - timedelta(days=days)
            connection.execute(insert(tables.tables["follow_up"]), _stored(connection, {**said, **stamps}))

    migrate(engine)

    with engine.begin() as connection:
        c = Customer.__table__.c
        found = connection.execute(select(c.last_follow_up_at, c.last_follow_up_by_id).order_by(c.id)).all()
        assert found == [(now - timedelta(days=2), 1), (None, None)]
        assert [*stale_last_contacts(connection), *stale_next_contacts(connection)] == []
        f = FollowUp.__table__.c
        keys = connection.execute(select(f.content, f.content_key)).all()
        assert [key for _, key in keys] == [copy_key(content) for content, _ in keys]
    engine.dispose()


def test_opportunities_that_are_there_keep_what_their_stage_means(empty_url: str) -> None:
    """States and times in stages come with the migration, from the log where it tells; the pipeline with the first start."""
    engine, now = writing_engine(empty_url), utcnow().replace(microsecond=0)
    stamps = {"version": 1, "created_at": now - timedelta(days=9), "updated_at": now}
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "2026_11_30_import_keys")
        tables = MetaData()
        tables.reflect(connection, only=["app_user", "customer", "opportunity", "audit_entry"])

        def put(to: str, **row: Any) -> None:
            connection.execute(insert(tables.tables[to]), _stored(connection, row))

        put("app_user", id=1, login="a", name="A", name_key="a", active=True, language="en", **stamps)
        place = {"owner_id": 1, "number_order": "", "name": "X", "name_key": "x", "stage": "early"}
        flags = {"extensions": 0, "has_open_opportunity": False}
        put("customer", id=1, number="C1", **place, **flags, **stamps)
        for id, stage in enumerate(("won", "lost", "proposal", None), start=1):
            deal = {"customer_id": 1, "name": "D", "name_key": "d", "currency": "CNY", "stage_changed_at": now}
            put("opportunity", id=id, stage=stage, **deal, **stamps)
        for days, stages in ((8, [None, "proposal"]), (4, ["proposal", "won"])):
            told = {"entity": "opportunity", "record_id": 1, "changes": {"stage": stages}, "outcome": "OK"}
            said = {"actor_id": 1, "actor_name": "A", "door": "panel", "request_id": "r", "batch_id": "b"}
            hashes = {"hash": "0" * 64, "values_hash": "0" * 64, "salt": "0" * 32}
            entry = {"at": now - timedelta(days=days), "action": "opportunity.edit", **told, **said, **hashes}
            put("audit_entry", **{key: entry[key] for key in entry if key in tables.tables["audit_entry"].c})

    migrate(engine)

    with engine.begin() as connection:
        o, p, c = (x.__table__.c for x in (Opportunity, OpportunityStagePeriod, CustomerStagePeriod))
        states = connection.execute(select(o.state, o.closed_on).order_by(o.id)).all()
        assert states == [("WON", now.date()), ("LOST", now.date()), ("OPEN", None), ("OPEN", None)]
        told = connection.execute(select(p.stage, p.started_at, p.ended_at, p.by_id).order_by(p.opportunity_id, p.id))
        days = [now - timedelta(days=x) for x in (8, 4)]
        assert told.all() == [
            ("proposal", days[0], days[1], 1),
            ("won", days[1], None, 1),
            ("lost", now, None, None),
            ("proposal", now, None, None),
        ]
        assert connection.execute(select(c.stage, c.started_at)).all() == [("early", now - timedelta(days=9))]
    engine.dispose()


def _stored(connection: Connection, row: dict[str, object]) -> dict[str, object]:
    """A row as the driver of an older table takes it: SQLite keeps times as text."""
    is_text = connection.dialect.name == "sqlite"
    return {key: time_text(value) if is_text and isinstance(value, datetime) else value for key, value in row.items()}
