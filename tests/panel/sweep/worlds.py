"""The worlds that a test opens: the dataset, filled once per process, and the small world; and one more policy line."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from resolvers.runtime.policy_store import current_text, put_in_force
from tests.support import postgres
from tests.support.panel import Panel
from tests.support.world import World

from .dataset import Dataset


@contextmanager
def open_dataset(url: str, templates: dict[str, str]) -> Iterator[Dataset]:
    """The dataset in a database of its own (SQLite), or in one whose rows are put back (PostgreSQL)."""
    place = _filled(url, templates)
    if url.startswith("sqlite"):
        Path(make_url(url).database or "").write_bytes(Path(place).read_bytes())
    else:
        postgres.forget_changes(url := place)
    world = World(url)
    try:
        dataset = Dataset(world)
        dataset.canaries = Dataset.filled[place][0]
        world.ids |= Dataset.filled[place][1]
        world.__dict__["extra"] = {"nil"}
        yield dataset
    finally:
        world.close()


def _filled(url: str, templates: dict[str, str]) -> str:
    """Where a database stands that is ready to be copied (SQLite) or to be put back (PostgreSQL)."""
    if url.startswith("sqlite"):
        place = f"{make_url(templates['sqlite']).database}.dataset"
        if place not in Dataset.filled:
            shutil.copy(make_url(templates["sqlite"]).database or "", place)
            Dataset.settle(f"sqlite:///{place}", place)
        return place
    template = make_url(templates["postgresql"])
    place = template.set(database=f"{template.database}_dataset").render_as_string(hide_password=False)
    if place not in Dataset.filled:
        postgres.create(os.environ["MILLPOND_TEST_PG"], f"{template.database}_dataset", f"TEMPLATE {template.database}")
        Dataset.settle(place, place)
        with postgres._session(place) as connection:
            connection.exec_driver_sql("DROP SCHEMA seed CASCADE")
        postgres.remember(place)
    return place


@contextmanager
def small(url: str) -> Iterator[Panel]:
    """The panel over the small world as it is."""
    world = World(url)
    try:
        yield Panel(world)
    finally:
        world.close()


def add_policy_line(world: World, line: str) -> None:
    """Put the policy in force with one more line."""
    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, f"{current_text(connection)}\n{line}\n", "a test", world.clock())
        world.backend.refresh_policy(connection)
