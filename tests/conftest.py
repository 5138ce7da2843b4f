"""Both databases under every test: each is made once per process with a small world in it, and copied for a test."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from millpond.migrate import migrate
from models.database.engines import writing_engine
from policies import proof
from tests.support import postgres
from tests.support.graphql import Api
from tests.support.world import World

SAMPLED = {"postgresql": 0, "sqlite": 3}
"""How many cases of a table run in the short form; the others in the long one."""
SWEPT = {"postgresql": 2, "sqlite": 8}
proof.MOST_DECISIONS, proof.MOST_SECONDS = 8, 60.0
"""Limits of a proof in tests, where hundreds of policies take effect; `policies/test_proof.py` tries the whole sample."""
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_stop: Callable[[], None] = lambda: None  # noqa: E731  replaced by whoever starts a server


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before any worker, and tell everybody where it is."""
    global _stop
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    found = postgres.start()
    if found is not None:
        os.environ["MILLPOND_TEST_PG"], _stop = found
    elif os.environ.get("MILLPOND_REQUIRE_PG"):
        raise pytest.UsageError("PostgreSQL is required here and there is none: install it, or set MILLPOND_TEST_PG")
    else:
        print("\n*** There is no PostgreSQL: these tests run on SQLite only. ***")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A table of cases is sampled: its first ones run on SQLite in the short form, all the others in the long one.

    The sweep over every route of the panel is so large that the long form takes a sample of it, too: every role on
    SQLite, some on PostgreSQL.  `make sweep` leaves nothing out.
    """
    seen: Counter[str] = Counter()
    left_out = []
    for item in items:
        parameters = dict(getattr(getattr(item, "callspec", None), "params", {}))
        on = {parameters.pop(name, None) for name in ("url", "empty_url")}
        engine = "postgresql" if "postgresql" in on else "sqlite"
        if parameters and on != {None}:
            table = f"{item.nodeid.partition('[')[0]} {engine}"
            seen[table] += 1
            if seen[table] > SAMPLED[engine]:
                item.add_marker(pytest.mark.long)
            is_swept = item.path.parent.name.endswith("sweep") and seen[table] > SWEPT[engine]
            if is_swept and not os.environ.get("MILLPOND_THOROUGH"):
                left_out.append(item)
    if left_out:
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stop()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For each engine where a database with the small world stands, ready to be copied."""
    made = {"sqlite": f"sqlite:///{tmp_path_factory.mktemp('template')}/world.db"}
    if server := os.environ.get("MILLPOND_TEST_PG"):
        made["postgresql"] = postgres.create(server, f"world_{_WORKER}")
    for url in made.values():
        engine = writing_engine(url)
        migrate(engine)
        engine.dispose()
        World.settle(url)
        if url.startswith("postgresql"):
            postgres.remember(url)
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """A database of its own with the small world in it, on each engine."""
    yield from _copy(request.param, templates, tmp_path)


@pytest.fixture
def sqlite_url(templates: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The same, on SQLite only: for what has nothing to do with the database."""
    yield from _copy("sqlite", templates, tmp_path)


@pytest.fixture
def world(url: str) -> Iterator[World]:
    world = World(url)
    yield world
    world.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server = _server()
    name = f"empty_{_WORKER}"
    yield postgres.create(server, name)
    postgres.drop(server, name)


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """No test leaves a log configuration behind."""
    yield
    structlog.reset_defaults()


def _server() -> str:
    server = os.environ.get("MILLPOND_TEST_PG")
    if server is None:
        pytest.skip("there is no PostgreSQL")
    return server


def _copy(engine: str, templates: dict[str, str], folder: Path) -> Iterator[str]:
    """Where a database with the world in it stands; for SQLite a file of its own."""
    if engine == "sqlite":
        source = Path(make_url(templates["sqlite"]).database or "")
        shutil.copy(source, folder / "world.db")
        yield f"sqlite:///{folder}/world.db"
    else:
        yield _database(templates["postgresql"])


_used: dict[str, tuple[object, ...]] = {}
"""The database that the last test used, with the shape it had before."""


def _database(template: str) -> str:
    """A database with the world in it: the last one with its rows put back, a new copy if it cannot be used again."""
    server, name = _server(), f"test_{_WORKER}"
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    if name in _used:
        try:
            postgres.forget_changes(url)
            if postgres.shape_of(url) == _used[name]:
                return url
        except DBAPIError:
            pass  # somebody has left it locked or in pieces
    postgres.create(server, name, f"TEMPLATE {make_url(template).database}")
    _used[name] = postgres.shape_of(url)
    return url


@pytest.fixture
def api(world: World) -> Api:
    """GraphQL over the small world."""
    return Api(world)
