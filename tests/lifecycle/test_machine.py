"""The life of customers, walked at random beside an oracle: at every step the product is where the oracle says.

A failure names the seed of its walk, the zone, and the last steps.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from models.business_calendar import BusinessCalendar
from tests.support.databases import Prepared
from tests.support.life_walk import Walk, furnish, rewind
from tests.support.world import World

EACH = 5
"""Number of walks that share a world, because opening one takes as long as ten steps."""


def _seeds(walks: Iterable[int]) -> list[object]:
    return [pytest.param(range(first, first + EACH), id=f"from {first}") for first in walks]


@pytest.fixture(scope="session")
def furnished(small_world: Prepared, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the small world stands with what walks need in it."""
    url = small_world.copy("sqlite", tmp_path_factory.mktemp("furnished"))
    world = World(url)
    furnish(world)
    world.close()
    return url


@pytest.fixture
def walk(furnished: str, tmp_path: Path) -> Iterator[Callable[[int], list[str]]]:
    """Takes the walk with a seed; returns the differences."""
    shutil.copy(make_url(furnished).database or "", tmp_path / "walk.db")
    world = World(f"sqlite:///{tmp_path}/walk.db")

    def take(seed: int) -> list[str]:
        rewind(world, furnished)
        return Walk(world, seed).run()

    yield take
    world.close()


@pytest.mark.parametrize("seeds", _seeds(range(0, 20, EACH)))
def test_twenty_walks_end_where_the_oracle_says(walk: Callable[[int], list[str]], seeds: Iterable[int]) -> None:
    for seed in seeds:
        assert walk(seed) == []


@pytest.mark.long
@pytest.mark.sampled(sqlite=8)
@pytest.mark.parametrize("seeds", _seeds(range(20, 200, EACH)))
def test_two_hundred_walks_end_where_the_oracle_says(walk: Callable[[int], list[str]], seeds: Iterable[int]) -> None:
    for seed in seeds:
        assert walk(seed) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", [200, 201, 202])
def test_walks_end_there_on_postgresql_too(small_world: Prepared, tmp_path: Path, seed: int) -> None:
    world = World(small_world.copy("postgresql", tmp_path))
    furnish(world)
    found = Walk(world, seed).run()
    world.close()
    assert found == []


@pytest.mark.long
def test_the_oracle_finds_a_rule_that_counts_otherwise(
    walk: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine can fail: with another calendar in the product some walk soon differs."""

    def every_day(self: BusinessCalendar, moment: datetime, days: int, *, business: bool) -> datetime:
        return counted(self, moment, days, business=business and days > 2)

    counted = BusinessCalendar.after
    monkeypatch.setattr(BusinessCalendar, "after", every_day)
    assert any(walk(seed) for seed in range(5))
