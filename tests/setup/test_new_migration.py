"""A migration that `make migration` writes makes the tables of the models on both databases, or is refused with a sentence."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    insert,
    select,
    text,
)

from millpond import new_migration
from millpond.migrate import migrate, revisions
from millpond.migration_steps import CannotWrite, differing_checks, steps_to
from millpond.new_migration import text_of, write_migration
from models import Base, Customer
from models.base import LIVE, Money, Utc, long_text, text_type
from models.database.engines import writing_engine


class Fuel(StrEnum):
    """What a vehicle runs on."""

    PETROL = "PETROL"
    POWER = "POWER"


def fuel() -> Enum:
    members = lambda kind: [member.value for member in kind]  # noqa: E731  as in models/base.py
    return Enum(Fuel, native_enum=False, create_constraint=True, length=20, values_callable=members, name="fuel")


def wished() -> MetaData:
    """The models, and on top of them one of each that a migration is written for."""
    found = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(found)
    Table(
        "vehicle",
        found,
        Column("id", Integer, primary_key=True),
        Column("name", text_type(200), nullable=False),
        Column("remark", long_text()),
        Column("price", Money),
        Column("bought_at", Utc),
        Column("bought_on", Date),
        Column("tags", JSON, nullable=False),
        Column("used", Boolean, nullable=False),
        Column("fuel", fuel(), nullable=False),
        Column("driver_id", ForeignKey("app_user.id"), index=True),
        Column("owner_id", ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
        CheckConstraint("price IS NULL OR price >= 0", name="price"),
        UniqueConstraint("name"),
        Index("uq_vehicle_driver", "driver_id", unique=True, **LIVE_ROWS),
    )
    customer = found.tables["customer"]
    customer.append_column(Column("vehicle_id", Integer, ForeignKey("vehicle.id")))
    customer.append_column(Column("is_fleet", Boolean, nullable=False, default=True))
    customer.append_column(Column("fleet_size", Integer, nullable=False, default=1))
    customer.append_column(Column("fuel", fuel()))
    customer.append_column(Column("slogan", text_type(80)))
    Index("ix_customer_fleet", customer.c.fleet_size, customer.c.id, **LIVE)
    return found


LIVE_ROWS: dict[str, Any] = {
    "sqlite_where": text("driver_id IS NOT NULL"),
    "postgresql_where": text("driver_id IS NOT NULL"),
}


@pytest.fixture
def connection(empty_url: str) -> Iterator[Connection]:
    """A database at the last migration, with one customer in it."""
    engine = writing_engine(empty_url)
    migrate(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def differences(connection: Connection, models: MetaData) -> list[object]:
    found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), models)
    return [*found, *differing_checks(connection, models)]


def source(connection: Connection, models: MetaData) -> str:
    return new_migration._formatted(text_of(steps_to(connection, models), connection, "2099_01_01_fleet", "before"))


def run(source: str, connection: Connection) -> None:
    """The upgrade of a migration, on this connection and with the names of constraints, as `migrations/env.py` has it."""
    context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
    with Operations.context(context):
        space: dict[str, Any] = {}
        exec(compile(source, "migration", "exec"), space)
        space["upgrade"]()


def a_customer(connection: Connection) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    user = {"id": 1, "login": "a", "name": "A", "active": True, "language": "en", "version": 1}
    connection.execute(insert(Base.metadata.tables["app_user"]), {**user, "created_at": now, "updated_at": now})
    customer = {"id": 1, "number": "C1", "name": "A", "owner_id": 1, "version": 1}
    connection.execute(insert(Customer.__table__), {**customer, "created_at": now, "updated_at": now})


def test_what_is_written_makes_what_the_models_say_where_rows_are_already(connection: Connection) -> None:
    a_customer(connection)
    models = wished()

    run(source(connection, models), connection)

    assert differences(connection, models) == []
    customer, vehicle = models.tables["customer"], models.tables["vehicle"]
    assert tuple(connection.execute(select(customer.c["is_fleet", "fleet_size", "vehicle_id", "fuel"])).one()) == (
        True,
        1,
        None,
        None,
    )
    row = {"id": 1, "name": "Van", "price": Decimal("1.50"), "bought_at": datetime(2026, 1, 1, tzinfo=UTC)}
    row |= {"bought_on": date(2026, 1, 1), "tags": ["a"], "used": False, "fuel": Fuel.POWER, "owner_id": 1}
    connection.execute(insert(vehicle), row)
    assert connection.execute(select(vehicle)).mappings().one() == {**row, "remark": None, "driver_id": None}


@pytest.mark.parametrize(
    "wrong",
    [
        "INSERT INTO vehicle (id, name, tags, used, fuel, owner_id) VALUES (2, 'B', '[]', true, 'STEAM', 1)",
        "INSERT INTO vehicle (id, name, tags, used, fuel, owner_id) VALUES (2, 'B', '[]', true, 'POWER', 99)",
        "INSERT INTO vehicle (id, name, price, tags, used, fuel, owner_id) VALUES (2, 'B', -1, '[]', true, 'POWER', 1)",
        "UPDATE customer SET fuel = 'STEAM'",
        "UPDATE customer SET vehicle_id = 99",
    ],
)
def test_the_database_refuses_what_the_models_refuse(connection: Connection, wrong: str) -> None:
    from sqlalchemy.exc import IntegrityError

    a_customer(connection)
    run(source(connection, wished()), connection)

    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(text(wrong))


def test_it_has_our_form(connection: Connection) -> None:
    written = source(connection, wished())

    assert written.startswith(
        '"""The table vehicle; the columns customer.vehicle_id, customer.is_fleet, customer.fleet_size, customer.fuel, '
    )
    assert 'revision: str = "2099_01_01_fleet"\ndown_revision: str | None = "before"\n' in written
    assert "from models.base import Money, Utc, long_text, text_type\n" in written
    assert "# ###" not in written
    assert 'server_default="1"' in written
    assert "inline_references=True" in written
    assert written.endswith('    raise NotImplementedError("go back by restoring a backup")\n')


def with_a_change(change: Callable[[Table], object]) -> MetaData:
    models = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(models)
    change(models.tables["follow_up"])
    return models


def _wider(table: Table) -> None:
    table.c.version.type = text_type(9)


def _without_content(table: Table) -> None:
    table._columns.remove(table.c.content)  # type: ignore[attr-defined]  no public way to take a column away


def _another_kind(table: Table) -> None:
    check = next(x for x in table.constraints if isinstance(x, CheckConstraint))
    check.sqltext = text("kind IN ('CALL', 'FAX')")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_wider, "Write this step by hand: ModifyColumn of follow_up.version."),
        (_without_content, "Write this step by hand: DropColumn of follow_up.content."),
        (_another_kind, "Write this step by hand: follow_up.ck_follow_up_follow_up_kind."),
        (
            lambda table: table.append_column(Column("size", Integer, nullable=False)),
            "Write this step by hand: follow_up.size is needed and has no default for the rows that are there.",
        ),
        (
            lambda table: table.append_constraint(UniqueConstraint("owner_id")),
            "Write this step by hand: CreateUniqueConstraint of follow_up.",
        ),
    ],
)
def test_what_changes_rows_that_are_there_is_left_to_a_person(
    connection: Connection, change: Callable[[Table], object], sentence: str
) -> None:
    with pytest.raises(CannotWrite) as refused:
        steps_to(connection, with_a_change(change))

    assert re.sub(r"(Modify|Alter)\w*", "ModifyColumn", str(refused.value)) == sentence


def test_a_file_is_written_under_its_date_and_name_after_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_migration, "Base", type("Wished", (), {"metadata": wished()}))

    path = write_migration("fleet", tmp_path)

    assert path.name == f"{datetime.now(UTC):%Y_%m_%d}_fleet.py"
    assert f'down_revision: str | None = "{revisions()[0]}"' in path.read_text(encoding="utf-8")
    with pytest.raises(CannotWrite, match="is new on its day; not “fleet”"):
        write_migration("fleet", tmp_path)


@pytest.mark.parametrize("name", ["", "Fleet", "a-b", "1a", "a" * 22])
def test_a_name_that_the_database_could_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotWrite, match="has at most 21 small letters, figures and _"):
        write_migration(name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_without_a_difference_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="there is nothing to write"):
        write_migration("fleet", tmp_path)

    assert list(tmp_path.iterdir()) == []
