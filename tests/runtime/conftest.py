"""Fixtures that several of these tests share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.database.engines import writing_engine
from tests.support.world import World


@pytest.fixture
def other(world: World) -> Iterator[Engine]:
    """Connections of somebody else."""
    engine = writing_engine(world.backend.url)
    yield engine
    engine.dispose()


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[World]:
    world = World(sqlite_url)
    yield world
    world.close()
