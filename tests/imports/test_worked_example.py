"""The worked example of docs/api/files.md, operation by operation, over HTTP with a token."""

import re
from pathlib import Path
from typing import Any

import pytest

from models import Customer
from tests.support.engines import at_length_on_postgresql
from tests.support.importing import Files
from tests.support.live import Subscribers
from tests.support.programs import Program
from tests.support.world import World

PAGE = (Path(__file__).resolve().parents[2] / "docs/api/files.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("## Files and imports")[2].partition("\n## ")[0]
OPERATIONS = {
    re.search(r"(?:query|mutation|subscription) (\w+)", text)[1]: text  # type: ignore[index]  # each has a name
    for text in re.findall(r"```graphql\n(.*?)```", EXAMPLE, re.DOTALL)
}
SHEET = [
    ["Company", "Contact", "Mobile", "Industry"],
    ["Acme", "Ann", 13800000001, "Internet"],
    ["Bolt", "Bob", 13800000002, "Intrnet"],
]


@at_length_on_postgresql
def test_the_worked_example_imports_a_file_and_undoes_it(world: World, tmp_path: Path) -> None:
    files, program = Files(world, tmp_path / "files"), Program(world, "li")
    made = program.ask(OPERATIONS["Begin"], file=program.upload("customers.xlsx", files.sheet(SHEET)))["createImport"]
    id = made["import"]["id"]

    def step(name: str) -> dict[str, Any]:
        files.run()
        data = program.ask(OPERATIONS[name], id=id)
        assert not [each for each in data.values() if isinstance(each, dict) and each.get("problems")], data
        return data

    proposed = step("Columns")["importProposals"]
    assert [each["field"]["key"] for each in proposed] == ["name", "contactName", "contactPhone", "industry"]
    step("Map")
    wrong = step("Wrong")
    assert wrong["import"]["summary"] == {"good": 1, "bad": 1, "skipped": 0}
    assert wrong["importWrongValues"][0]["likely"] == ["Internet"]
    assert step("Fix")["fixImportValue"]["rows"] == 1
    step("Confirm")
    done = step("Summary")
    assert (done["import"]["state"], done["import"]["summary"]["created"]) == ("DONE", 2)
    assert len(done["importSamples"]) == 2
    step("Undo")
    assert step("Columns")["import"]["state"] == "UNDONE"
    assert all(row["deleted_at"] for row in world.rows(Customer))
    rested(world, id)


def rested(world: World, id: str) -> None:
    """The subscription of the example tells the last state, and ends."""
    subscribers = Subscribers(world)

    async def told() -> None:
        progress = await subscribers.subscribe("li", OPERATIONS["Progress"], id=id)
        assert (await progress.data())["isResting"]
        assert await progress.next() is None

    subscribers.run(told)


def test_the_example_shows_every_operation_that_its_prose_needs() -> None:
    assert [*OPERATIONS] == ["Begin", "Columns", "Map", "Wrong", "Fix", "Confirm", "Progress", "Summary", "Undo"]


@pytest.mark.parametrize("limit", ["20", "3 at once", "413", "429", "507"])
def test_the_page_names_the_limits_of_the_door(limit: str) -> None:
    from millpond.uploads import STATUS
    from resolvers.imports import uploads

    assert limit in EXAMPLE
    assert {str(uploads.MAX_UPLOADS), f"{uploads.MAX_ARRIVING} at once", *map(str, STATUS.values())} >= {limit}
