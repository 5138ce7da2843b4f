"""The jobs of a world, run inline."""

import pytest

from tests.support.jobs import Jobs
from tests.support.world import World


@pytest.fixture
def jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    return Jobs(world, monkeypatch)
