"""Short forms of the tests of notices."""

from collections.abc import Callable

import pytest

from resolvers.notices import inbox
from resolvers.notices.sentences import Told
from tests.support.world import World

Inbox = Callable[..., list[Told]]


@pytest.fixture
def inbox_of(world: World) -> Inbox:
    """The notices of a user as they read them now."""

    def read(login: str, **wanted: object) -> list[Told]:
        return world.run(world.scope(login).read(inbox.notices, **wanted))

    return read
