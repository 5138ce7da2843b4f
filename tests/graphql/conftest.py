"""Fixtures that several of these tests share."""

import pytest

from tests.support.world import World


@pytest.fixture
def five(world: World) -> list[int]:
    """Five customers of Li, made a minute after one another."""
    made = []
    for name, stage in (
        ("Acme", "early"),
        ("Bolt", "won"),
        ("Ceres", "early"),
        ("delta 电子", None),
        ("50%_off", "won"),
    ):
        world.clock.pass_by(minutes=1)
        made.append(world.customer(name, stage=stage, industry="steel"))
    return made
