"""Exports of a world, in a folder of the test."""

from pathlib import Path

import pytest

from tests.support.exporting import Exports
from tests.support.world import World


@pytest.fixture
def exporting(world: World, tmp_path: Path) -> Exports:
    return Exports(world, tmp_path / "files")
