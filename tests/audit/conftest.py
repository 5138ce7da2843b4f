"""Fixtures that several of these tests share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.database.engines import writing_engine
from tests.support.world import World


@pytest.fixture
def rivals(world: World) -> Iterator[Engine]:
    """Connections beside those of the house."""
    if world.backend.dialect == "sqlite":
        pytest.skip("SQLite has one writer: what is committed is settled")
    engine = writing_engine(world.backend.url)
    yield engine
    engine.dispose()
