"""A demo with 300 customers, served once for each module of tests that use a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from millpond import demo
from tests.support.browser import Screens, chromium, screens

CUSTOMERS = 300
expect.set_options(timeout=20_000)  # ms: a busy machine draws a page in some seconds


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    """It ends with the module, because other tests cannot run beside the event loop of the browser."""
    chromium()
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db"
    demo.prepare(url, CUSTOMERS, lambda _said: None)
    with screens(url) as found:
        yield found


@pytest.fixture
def demo_screens(shown: Screens) -> Iterator[Screens]:
    yield shown
    shown.close()
