"""The dataset and the panel over it, as fixtures of the sweep."""

from collections.abc import Iterator

import pytest

from tests.support.panel import Panel

from .dataset import Dataset
from .worlds import open_dataset


@pytest.fixture
def dataset(url: str, templates: dict[str, str]) -> Iterator[Dataset]:
    with open_dataset(url, templates) as dataset:
        yield dataset


@pytest.fixture
def panel(dataset: Dataset) -> Panel:
    return Panel(dataset.world)
