"""A world in which duplicates count as in a new installation."""

import pytest
from sqlalchemy import delete

from models import DuplicateRule
from tests.support.world import World


@pytest.fixture
def strict(world: World) -> World:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(DuplicateRule.__table__))
    return world
