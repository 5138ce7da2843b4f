"""A program that adds a plain entity, Vehicle, and asserts what GraphQL and the panel derive from it."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)  # in place of this folder, whose `graphql` is not the library

from sqlalchemy import ForeignKey  # noqa: E402
from sqlalchemy.orm import Mapped, mapped_column  # noqa: E402

import models  # noqa: E402
from models.base import Entity, Line, text_type  # noqa: E402


# The file: models/vehicle.py.
class Vehicle(Entity):
    """A company vehicle."""

    __tablename__ = "vehicle"
    module, prefix = "vehicle", "veh"

    name: Mapped[Line]
    plate: Mapped[str | None] = mapped_column(text_type(12))
    driver_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


# Its name in models/__init__.py.
models.ENTITIES.append(Vehicle)
models.PROTECTED.append(Vehicle)

from alembic.autogenerate import produce_migrations, render_python_code  # noqa: E402
from alembic.migration import MigrationContext  # noqa: E402
from alembic.operations import Operations  # noqa: E402

from millpond.migrate import migrate  # noqa: E402
from models.database.engines import writing_engine  # noqa: E402
from policies import Snapshot  # noqa: E402
from tests.support.graphql import Api  # noqa: E402
from tests.support.panel import Panel, rows_in  # noqa: E402
from tests.support.world import World  # noqa: E402


def migrate_vehicle(url: str) -> None:
    """Migrate the database with the steps that autogeneration writes for the entity."""
    engine = writing_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        steps = produce_migrations(context, models.Base.metadata).upgrade_ops
        assert "vehicle" in render_python_code(steps)
        with Operations.context(context) as operations:
            todo = list(steps.ops)
            while todo:
                step = todo.pop(0)
                todo[:0] = getattr(step, "ops", ())
                if not hasattr(step, "ops"):
                    operations.invoke(step)
    engine.dispose()


def tell(api: Api, world: World) -> None:
    rights = "p, sales, vehicle, view, all, !deleted, allow\np, sales, vehicle, create, all, any, allow\np, sales, vehicle.plate, view, all, any, deny\n"
    world.backend.policy = Snapshot(world.backend.policy.text + rights, revision=world.backend.policy.revision)

    made = api.change(
        "li", "createVehicle", {"name": "Van", "plate": "B 1234"}, "vehicle { id name plate } problems { code }"
    )
    assert made == {"vehicle": {"id": "veh_1", "name": "Van", "plate": None}, "problems": []}, made

    driver = f"usr_{world.ids['wu']}"
    edited = api.change(
        "ada",
        "updateVehicle",
        {"id": "veh_1", "version": 1, "driverId": driver},
        'vehicle { plate driver { name } version can(action: "delete") } problems { code }',
    )
    assert edited == {
        "vehicle": {"plate": "B 1234", "driver": {"name": "Wu Wei"}, "version": 2, "can": True},
        "problems": [],
    }, edited

    refused = api.change("li", "updateVehicle", {"id": "veh_1", "version": 2, "name": "Mine"}, "problems { code }")
    assert refused == {"problems": [{"code": "FORBIDDEN"}]}, refused
    hidden = api.change("fin", "updateVehicle", {"id": "veh_1", "version": 2, "name": "Mine"}, "problems { code }")
    assert hidden == {"problems": [{"code": "NOT_FOUND"}]}, hidden

    found = api.ask(
        "li",
        'query ($driver: ID) { vehicles(search: "va", filter: {driverId: {eq: $driver}}, orderBy: [{field: NAME}])'
        " { totalCount nodes { name history { nodes { action } } } } }",
        driver=driver,
    )
    assert found == {
        "vehicles": {
            "totalCount": 1,
            "nodes": [
                {"name": "Van", "history": {"nodes": [{"action": "vehicle.edit"}, {"action": "vehicle.create"}]}}
            ],
        }
    }, found
    assert api.ask("li", '{ vehicles(filter: {plate: {eq: "B 1234"}}) { totalCount } }') == {
        "vehicles": {"totalCount": 0}
    }
    assert api.ask("fin", "{ vehicles { totalCount } }") == {"vehicles": {"totalCount": 0}}

    assert api.change("ada", "deleteVehicles", {"ids": ["veh_1"]}, "ids")["ids"] == ["veh_1"]
    assert api.ask("li", "{ vehicles { totalCount } }") == {"vehicles": {"totalCount": 0}}
    assert api.change("ada", "restoreVehicles", {"ids": ["veh_1"]}, "vehicles { name }")["vehicles"] == [
        {"name": "Van"}
    ]
    assert [e["action"] for e in world.log("vehicle", 1)] == [
        "vehicle.create",
        "vehicle.edit",
        "vehicle.edit",
        "vehicle.edit",
        "vehicle.delete",
        "vehicle.restore",
    ]


def show(panel: Panel) -> None:
    """Assert that the panel has list, page, form, recycle bin and rights of the entity, with no file of its own."""
    ada, li, fin = panel.of("ada"), panel.of("li"), panel.of("fin")
    listed = ada.get("/admin/vehicle/list").text
    assert rows_in(listed) == ["veh_1"], listed
    for said in ("Plate", "B 1234", 'href="/admin/vehicle/create"'):
        assert said in listed, said
    assert "/admin/vehicle/list" in ada.get("/admin/").text

    seen = li.get("/admin/vehicle/details/veh_1").text
    assert [word in seen for word in ("Van", "Plate", "B 1234")] == [True, False, False], seen
    assert li.get("/admin/vehicle/edit/veh_1").status_code == 403
    assert fin.get("/admin/vehicle/list").status_code == 403

    assert (
        li.post("/admin/vehicle/create", {"name": "Truck"})
        .headers["location"]
        .startswith("/admin/vehicle/details/veh_2")
    )
    form = ada.get("/admin/vehicle/edit/veh_2").text
    for said in ('name="plate"', 'data-lookup="/admin/user/lookup"'):
        assert said in form, said
    saved = ada.post("/admin/vehicle/edit/veh_2", {"name": "Lorry", "plate": "B 5678", "version": "1", "_was": "{}"})
    assert saved.status_code == 303, saved.text
    assert ada.post("/admin/vehicle/create", {"plate": "too long for a plate"}).status_code == 422

    assert "1 done" in ada.post("/admin/vehicle/do/delete", {"ids": "veh_2"}).text
    assert rows_in(ada.get("/admin/bin-vehicle/list").text) == ["veh_2"]
    assert rows_in(li.get("/admin/vehicle/list?q=va").text) == ["veh_1"]


def main() -> None:
    url = f"sqlite:///{sys.argv[1]}/story.db"
    migrate_vehicle(url)
    World.settle(url)
    world = World(url)
    try:
        tell(Api(world), world)
        show(Panel(world))
    finally:
        world.close()
    print("told")


if __name__ == "__main__":
    asyncio.set_event_loop(None)
    main()
