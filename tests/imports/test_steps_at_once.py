"""Two steps of one import at the same moment: one is taken, and the other finds what it has made of the import."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models import Customer, ImportBatch
from models.errors import ImportEnded
from models.import_batch import ImportState
from models.refusal import Refusal
from resolvers.imports import applying, batches, correcting, mapping
from resolvers.imports.mapping import Plan
from tests.support.checked_imports import COLUMNS, HEADINGS, checked
from tests.support.importing import Files
from tests.support.world import World

SECONDS = 0.3
"""How long the first step goes on after the second has begun."""


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def meanwhile(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, step: Callable[[], Any]) -> Callable[[], Any]:
    """Let `step` begin in another thread when the first one calls this function.  What is returned waits for its refusal."""
    told: list[Refusal | None] = []

    def other() -> None:
        try:
            step()
            told.append(None)
        except Refusal as refusal:
            told.append(refusal)

    thread, call, has_begun = threading.Thread(target=other), getattr(place, name), threading.Event()

    def called(*args: Any, **more: Any) -> Any:
        if not has_begun.is_set():
            has_begun.set()
            thread.start()
            thread.join(SECONDS)
        return call(*args, **more)

    def refusal() -> Refusal | None:
        thread.join(10)
        return told[0]

    monkeypatch.setattr(place, name, called)
    return refusal


@pytest.mark.parametrize(
    "step",
    [
        (batches.cancel,),
        (batches.read_anew, batches.Choices()),
        (mapping.set_mapping, Plan(COLUMNS)),
        (mapping.check_anew,),
        (correcting.edit_row, 2, {0: "B"}),
    ],
    ids=lambda step: step[0].__name__,
)
def test_what_is_confirmed_is_carried_out(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch, step: Any
) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None]])
    use_case, *more = step
    refusal = meanwhile(monkeypatch, applying, "counts", lambda: world.li.do(use_case, id, *more))

    world.li.do(applying.confirm, id)

    assert isinstance(refusal(), ImportEnded)
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert [row["name"] for row in world.rows(Customer)] == ["A"]


def test_what_is_stopped_ends_as_its_rows_are(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None]])
    world.li.do(applying.confirm, id)
    refusal = meanwhile(monkeypatch, applying, "write", lambda: world.li.do(applying.stop, id))

    files.run()

    assert isinstance(refusal(), ImportEnded)
    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
