"""Bulk changes of a world."""

import pytest

from tests.support.bulk_changes import BulkChanges
from tests.support.world import World


@pytest.fixture
def bulk(world: World) -> BulkChanges:
    return BulkChanges(world)
