"""Use cases that are refused and change nothing."""

from typing import Any

import pytest

from models.errors import Refusal
from resolvers.runtime.policy_store import put_in_force
from resolvers.runtime.scope import Scope
from tests.support.world import START, World


def refused(world: World, scope: Scope, kind: type[Refusal], use_case: Any, *args: Any, **kwargs: Any) -> Any:
    """The refusal of a use case, after asserting that it has changed no table."""
    before = world.everything()
    with pytest.raises(kind) as caught:
        scope.do(use_case, *args, **kwargs)
    assert world.everything() == before
    return caught.value


def add_line(world: World, text: str) -> None:
    """Add one line to the policy in force."""
    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, f"{world.backend.policy.text}\n{text}\n", "a test", START)
        world.backend.refresh_policy(connection)
