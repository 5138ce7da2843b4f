"""A story about the entity of the recipe, told in the tree to which the recipe was applied: everything derives from the model.

Run as a script with a folder for the database.
"""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)  # in place of this folder, whose `graphql` is not the library

from millpond.migrate import migrate  # noqa: E402
from models.database.engines import writing_engine  # noqa: E402
from policies import Snapshot  # noqa: E402
from tests.support.graphql import Api  # noqa: E402
from tests.support.panel import Panel, rows_in  # noqa: E402
from tests.support.world import World  # noqa: E402


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
        "vehicle { plate driver { name } version can(action: DELETE) } problems { code }",
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
                {"name": "Van", "history": {"nodes": [{"action": "VEHICLE_EDIT"}, {"action": "VEHICLE_CREATE"}]}}
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
    engine = writing_engine(url)
    migrate(engine)
    engine.dispose()
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
