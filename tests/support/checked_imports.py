"""Imports in tests that are read, mapped and checked, and what became of their rows."""

from collections.abc import Sequence
from typing import Any

from models import ImportBatch, ImportRow
from models.import_batch import ImportState, RowState
from resolvers.imports import batches, looking, mapping
from resolvers.imports.looking import ShownRow
from resolvers.imports.mapping import Plan
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["客户名称", "客户编号", "电话", "行业"]
COLUMNS = {0: "name", 1: "number", 2: "phone", 3: "industry"}


def checked(
    world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", target: str = "customer", **plan: Any
) -> int:
    """The id of an import that is checked; the headings stand in the first of `rows`."""
    return imported(world, files, files.sheet(rows), login, target, **plan)


def imported(
    world: World, files: Files, content: bytes, login: str = "li", target: str = "customer", **plan: Any
) -> int:
    """The same for a file."""
    id = files.begin(login, content, target=target)
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns", COLUMNS), **plan))
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED
    return id


def stored_rows(world: World, id: int) -> dict[int, dict[str, Any]]:
    """Number -> the row."""
    return {row["number"]: row for row in world.rows(ImportRow) if row["batch_id"] == id}


def states(world: World, id: int) -> dict[int, RowState]:
    return {number: RowState(row["state"]) for number, row in stored_rows(world, id).items()}


def shown(world: World, id: int, login: str = "li", **how: Any) -> dict[int, ShownRow]:
    """Number -> the row as doors show it."""
    return {row.number: row for row in asked(world, id, looking.rows, login, **how)}


def asked(world: World, id: int, reading: Any, login: str = "li", **how: Any) -> Any:
    """What a function of `looking` says of an import."""

    def read(scope: Any, db: Any) -> Any:
        return reading(scope, db, batches.own(scope, db, id), **how)

    return world.run(world.scope(login).read(read))


def sentences(world: World, id: int, login: str = "li") -> dict[int, list[str]]:
    """Number of a row with problems -> their sentences."""
    found = shown(world, id, login, first=200)
    return {number: [x.sentence for x in row.problems] for number, row in found.items() if row.problems}
