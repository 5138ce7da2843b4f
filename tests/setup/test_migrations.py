"""The migrations make the very tables that the models describe, on both engines, and are run by one command."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError

from millpond.migrate import UnknownShape, configuration, current, is_current, migrate, revisions
from millpond.migration_steps import differing_checks
from models import Base, PolicyDraft, PolicyWord, User, utcnow
from models.database.engines import writing_engine
from resolvers.access.offered_lines import known_words


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
