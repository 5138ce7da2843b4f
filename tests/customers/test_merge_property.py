"""Merges and their undoing at random, against a model in plain Python."""

import pytest

from tests.support.claim_checks import whole
from tests.support.merge_model import Player
from tests.support.world import World


def played(world: World, seed: int, steps: int) -> None:
    player = Player(world, seed)
    for step in range(steps):
        player.play(1)
        assert player.picture() == player.model.now, (seed, step)
    assert whole(world) == []


def test_merges_lead_to_what_the_model_says(world: World) -> None:
    played(world, 1, 25)


@pytest.mark.long
@pytest.mark.sampled(sqlite=2, postgresql=2)
@pytest.mark.parametrize("seed", range(2, 10))
def test_many_merges_lead_to_what_the_model_says(world: World, seed: int) -> None:
    played(world, seed, 90)
