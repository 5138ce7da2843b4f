"""The migrations make the very tables that the models describe, on both engines, and are run by one command."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from millpond.migrate import UnknownShape, current, is_current, migrate, revisions
from millpond.migration_steps import differing_checks
from models import Base
from models.database.engines import writing_engine


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
