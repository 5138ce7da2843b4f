"""The index of a searchable custom field: made by a job, made anew for another kind, dropped when it is not wanted."""

import pytest

import tasks
from models import CustomField
from models.custom_field import CustomKind
from models.errors import Validation
from resolvers.records import custom_kinds
from resolvers.records.create_update import update
from tasks.engine import Engine
from tests.support.custom_fields import define
from tests.support.world import World


def index(world: World, field: int) -> str | None:
    """The expression of the index of a field of customers; None without one."""
    with world.backend.writer.engine.connect() as connection:
        wanted = f"ix_customer_custom_{field}"
        if connection.dialect.name == "postgresql":
            found = connection.exec_driver_sql(f"SELECT indexdef FROM pg_indexes WHERE indexname = '{wanted}'")
        else:
            found = connection.exec_driver_sql(
                f"SELECT sql FROM sqlite_master WHERE type = 'index' AND name = '{wanted}'"
            )
        return found.scalar()


def run_due(world: World) -> None:
    tasks.load()
    Engine(world.backend, "w0").run_due(10)


def search(world: World, field: int, on: bool) -> None:
    world.ada.do(update, CustomField, field, {"is_searchable": on})


def test_an_index_is_made_and_dropped_beside_the_requests(world: World) -> None:
    field = define(world, "staff", CustomKind.NUMBER)
    world.customer(**{"custom.staff": 12})
    search(world, field, on=True)
    assert (index(world, field), world.row(CustomField, field)["searchable_at"]) == (None, None)

    run_due(world)

    assert "staff" in str(index(world, field))
    assert world.row(CustomField, field)["searchable_at"] == world.clock()
    search(world, field, on=False)
    run_due(world)
    assert (index(world, field), world.row(CustomField, field)["searchable_at"]) == (None, None)


def test_another_kind_gets_another_index(world: World) -> None:
    field = define(world, "staff", is_searchable=True)
    world.customer(**{"custom.staff": "12"})
    run_due(world)
    before = index(world, field)

    world.ada.do(custom_kinds.change_kind, field, CustomKind.NUMBER)
    run_due(world)

    assert index(world, field) not in (None, before)
    assert world.row(CustomField, field)["searchable_at"] is not None


def test_a_kind_that_no_list_is_ordered_by_gets_none(world: World) -> None:
    field = define(world, "notes", CustomKind.LONG_TEXT)

    with pytest.raises(Validation) as caught:
        search(world, field, on=True)
    assert caught.value.field == "isSearchable"
