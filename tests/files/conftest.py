"""A world with a folder for files."""

from pathlib import Path

import pytest

from resolvers.runtime.file_store import FileStore
from tests.support.world import World


@pytest.fixture
def kept(world: World, tmp_path: Path) -> World:
    """The world with a folder for its files."""
    world.backend.files = FileStore(tmp_path / "files")
    return world
