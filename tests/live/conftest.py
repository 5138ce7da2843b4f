"""A hub beside the small world."""

import pytest

from tests.support.live import Subscribers
from tests.support.world import World


@pytest.fixture
def subscribers(world: World) -> Subscribers:
    return Subscribers(world)
