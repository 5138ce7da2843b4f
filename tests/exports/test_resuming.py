"""A process that ends in the middle of an export: whoever takes over writes no row twice and loses none."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from models import Customer, Job
from models.export import ExportFormat, ExportState
from models.job import JobState
from resolvers.exports import writing
from resolvers.exports.listing import Listing
from resolvers.jobs import control
from resolvers.records import create_update
from tests.support.exporting import Exports
from tests.support.refusals import add_line
from tests.support.world import World

NAMES = [f"Customer {n:02}" for n in range(10)]
LISTING = Listing(order=(("name", False),))
STEPS = 6
"""Parts of an export of ten records, three at a time: found once, read four times, finished."""


class Killed(BaseException):
    """The end of the process, as far as a test in the same one can have it."""


@pytest.fixture
def ten(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in NAMES:
        world.customer(name, "li")
    monkeypatch.setattr(writing, "SMALLEST", 3)
    monkeypatch.setattr(writing, "LARGEST", 3)
    return world


@pytest.mark.parametrize("format", [ExportFormat.XLSX, ExportFormat.CSV])
@pytest.mark.parametrize("half", [b"", b'["half a li', b'["whole line"]\n'])
def test_no_row_is_lost_or_doubled_wherever_the_process_ends(
    ten: World, exporting: Exports, monkeypatch: pytest.MonkeyPatch, half: bytes, format: ExportFormat
) -> None:
    take, left = writing.take, [*range(1, STEPS + 1)]

    def killed_once(scope: Any, db: Any, id: int, position: int, part: writing.Part) -> Any:
        if len(left) == STEPS - done_parts(part, position):
            left.pop(0)
            for path in exporting.folder.glob("*.rows"):
                path.write_bytes(path.read_bytes() + half)
            raise Killed
        return take(scope, db, id, position, part)

    monkeypatch.setattr(writing, "take", killed_once)
    id = exporting.start("lead", Customer, LISTING, ("name",), format=format)
    ended = 0
    for _ in range(3 * STEPS):
        try:
            exporting.run()
        except Killed:
            ended += 1
    made = exporting.of("lead", id)
    assert made is not None
    assert made.state is ExportState.DONE, made
    assert ended == STEPS
    assert made.row.done == 10
    assert exporting.rows("lead", id) == [["Name"], *([name] for name in NAMES)]


def done_parts(part: writing.Part, position: int) -> int:
    """How many parts come before this one."""
    if part.total is not None:
        return 0
    return STEPS - 1 if part.size is not None else 1 + position // 3


def test_what_changes_meanwhile_changes_no_rows_place(
    ten: World, exporting: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renamed customer would come a second time, or not at all, in a list that is read page by page."""
    ids = {row["name"]: row["id"] for row in ten.rows(Customer)}
    take = writing.take

    def and_meanwhile(scope: Any, db: Any, id: int, position: int, part: writing.Part) -> Any:
        progress = take(scope, db, id, position, part)
        if part.rows and position == 0:
            ten.clock.pass_by(seconds=1)
            scope.after_commit(change)
        return progress

    def change() -> None:
        ten.system.do(create_update.update, Customer, ids[NAMES[0]], {"name": "Zoe"})
        ten.system.do(create_update.update, Customer, ids[NAMES[9]], {"name": "Abe"})
        ten.system.do(create_update.delete, Customer, [ids[NAMES[5]]])
        ten.customer("Aaa new", "li")

    monkeypatch.setattr(writing, "take", and_meanwhile)
    rows = exporting.made("lead", Customer, LISTING, ("name",))
    assert rows == [["Name"], *([name] for name in [*NAMES[:5], *NAMES[6:9], "Abe"])]


def test_rights_that_are_taken_away_meanwhile_count_from_the_next_part(
    ten: World, exporting: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = writing.take

    def and_meanwhile(scope: Any, db: Any, id: int, position: int, part: writing.Part) -> Any:
        progress = take(scope, db, id, position, part)
        if part.rows and position == 0:
            scope.after_commit(lambda: add_line(ten, "p, sales_lead, customer.industry, view, all, any, deny"))
        return progress

    monkeypatch.setattr(writing, "take", and_meanwhile)
    for row in ten.rows(Customer):
        ten.system.do(create_update.update, Customer, row["id"], {"industry": "steel"})
    rows = exporting.made("lead", Customer, LISTING, ("name", "industry"))
    assert [row[1] for row in rows[1:]] == ["Steel"] * 3 + [None] * 7


def test_a_cancelled_export_is_resumed_among_the_jobs(
    ten: World, exporting: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = writing.take

    def and_cancel(scope: Any, db: Any, id: int, position: int, part: writing.Part) -> Any:
        progress = take(scope, db, id, position, part)
        if part.rows and position == 3:
            scope.after_commit(lambda: ten.lead.do(control.cancel, job))
        return progress

    monkeypatch.setattr(writing, "take", and_cancel)
    id = exporting.start("lead", Customer, LISTING, ("name",))
    job = ten.rows(Job, Job.kind == "export_records")[0]["id"]
    exporting.run()
    made = exporting.of("lead", id)
    assert made is not None
    assert (made.state, made.row.done) == (ExportState.CANCELLED, 6)
    monkeypatch.setattr(writing, "take", take)
    ten.lead.do(control.resume, job)
    exporting.run()
    assert exporting.rows("lead", id) == [["Name"], *([name] for name in NAMES)]


def test_an_export_whose_parts_are_gone_fails_with_a_sentence(ten: World, exporting: Exports) -> None:
    id = exporting.start("lead", Customer, LISTING, ("name",))
    ten.lead.do(_counted, id)
    exporting.run()
    made = exporting.of("lead", id)
    assert made is not None
    assert made.state is ExportState.FAILED
    assert made.error is not None
    assert "Export the list again" in made.error[0]


def _counted(scope: Any, id: int) -> None:
    with scope.write("user.exports") as db:
        writing.take(scope, db, id, 0, writing.Part(total=10, found="x" * 32 + ".ids"))


WORKER = """
import sys
from pathlib import Path
import tasks
from resolvers.exports import writing
from resolvers.runtime.backend import Backend
from resolvers.runtime.file_store import FileStore
from tasks.engine import Engine
url, folder = sys.argv[1:]
tasks.load()
writing.SMALLEST = writing.LARGEST = 20
print("ready", flush=True)
Engine(Backend(url, files=FileStore(Path(folder))).open(), "test").run_due()
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("url", "format"), [("sqlite", ExportFormat.XLSX), ("postgresql", ExportFormat.CSV)], indirect=["url"]
)
def test_killed_processes_write_one_whole_file(
    world: World, exporting: Exports, monkeypatch: pytest.MonkeyPatch, format: ExportFormat
) -> None:
    names = [f"Customer {n:04}" for n in range(400)]
    world.system.do(_many, names, world.ids["li"])
    id = exporting.start("lead", Customer, LISTING, ("name",), format=format)
    kills, random_ = 0, random.Random(7)
    for _ in range(25):
        command = [sys.executable, "-c", WORKER, world.backend.url, str(exporting.folder)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(random_.uniform(0.1, 1.0))
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
                kills += 1
        made = exporting.of("lead", id)
        if made is not None and made.state not in (ExportState.WAITING, ExportState.RUNNING):
            break
    exporting.run()
    assert kills > 1
    assert exporting.rows("lead", id) == [["Name"], *([name] for name in names)]
    assert world.rows(Job, Job.kind == "export_records")[0]["state"] is JobState.DONE


def _many(scope: Any, names: list[str], owner_id: int) -> None:
    with scope.write("customer.create"):
        for name in names:
            create_update.create(scope, Customer, {"name": name, "owner_id": owner_id})
