"""Fixtures: both databases, each created once per process with the small world in it and copied for every test."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from millpond.database import bring_up
from millpond.migrate import migrate
from models.database.engines import writing_engine
from policies import proof
from tests.support import dialects, forms, groups, postgres, snapshots
from tests.support.databases import WORKER, Prepared, server
from tests.support.graphql import Api
from tests.support.seal_files import seal_files_of
from tests.support.sign_in import hash_cheaply
from tests.support.world import World

MEMORY, ENOUGH = Path("/dev/shm"), 2**30
"""A folder in memory, and the minimum of free bytes with which tests keep their files there and wait for no disk."""
ENGINES = ("sqlite", "postgresql")
proof.MOST_DECISIONS, proof.MOST_SECONDS = 8, 60.0
"""Limits of a proof in tests, where hundreds of policies take effect; `policies/test_proof.py` tries the whole sample."""
COLLECTED_AFTER = 50_000, 20, 50
"""Thresholds of the garbage collector: a test process has a large heap, of which almost nothing becomes garbage."""
_stop: Callable[[], None] = lambda: None  # noqa: E731  replaced by whoever starts a server
dialects.share()
snapshots.share()
hash_cheaply()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder for files and start PostgreSQL, before any worker; workers find both in the environment."""
    global _stop
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    found = postgres.start()
    if found is not None:
        os.environ["MILLPOND_TEST_PG"], _stop = found
    elif os.environ.get("MILLPOND_REQUIRE_PG"):
        raise pytest.UsageError("PostgreSQL is required here and there is none: install it, or set MILLPOND_TEST_PG")
    else:
        print("\n*** There is no PostgreSQL: these tests run on SQLite only. ***")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Distribute tests by the groups of `tests/support/groups.py`."""
    return groups.scheduler(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Assign each test to its form; see `tests/support/forms.py`."""
    left_out = forms.assign(items)
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))


def pytest_collection_finish() -> None:
    """Let the collector leave alone what has been imported and collected, because it stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stop()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The database with the small world in it."""

    def settle(url: str) -> None:
        engine = writing_engine(url)
        migrate(engine)
        engine.dispose()
        World.settle(url)

    return Prepared("world", settle, tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The database as `millpond migrate` makes it."""

    def install(url: str) -> None:
        bring_up(url, files=seal_files_of(url))

    return Prepared("new", install, tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def templates(small_world: Prepared) -> dict[str, str]:
    """For each engine where a database with the small world stands, ready to be copied."""
    engines = ["sqlite", *(["postgresql"] if os.environ.get("MILLPOND_TEST_PG") else [])]
    return {engine: small_world.template(engine) for engine in engines}


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, small_world: Prepared, tmp_path: Path) -> str:
    """A database of its own with the small world in it, on each engine."""
    return small_world.copy(request.param, tmp_path)


@pytest.fixture
def sqlite_url(small_world: Prepared, tmp_path: Path) -> str:
    """The same, on SQLite only: for what has nothing to do with the database."""
    return small_world.copy("sqlite", tmp_path)


@pytest.fixture(params=ENGINES)
def new_url(request: pytest.FixtureRequest, installation: Prepared, tmp_path: Path) -> str:
    """A new installation of its own, on each engine: migrated, with nobody in it."""
    return installation.copy(request.param, tmp_path)


@pytest.fixture
def world(url: str) -> Iterator[World]:
    world = World(url)
    yield world
    world.close()


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    name = f"empty_{WORKER}"
    yield postgres.create(server(), name)
    postgres.drop(server(), name)


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """No test leaves a log configuration behind."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def api(world: World) -> Api:
    """GraphQL over the small world."""
    return Api(world)
