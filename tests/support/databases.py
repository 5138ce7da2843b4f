"""Databases that are prepared once per process and engine; each test has a copy of its own.

SQLite: a copy of the file.  PostgreSQL: one database that all tests use in turn, with the changes of the last one put
back; a new copy of the template only where a test has left tables, triggers or locks behind.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.support import postgres
from tests.support.dialects import IN_TURN
from tests.support.seal_files import copy_seal_files

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
"""Part of the names of databases; tests that run tests, alone and on the same server, must not take those of a worker."""


class Prepared:
    """What `settle` makes of an empty database.  `name` tells it from others of the same process."""

    def __init__(self, name: str, settle: Callable[[str], object], folder: Path) -> None:
        self.name, self._settle, self._folder = name, settle, folder
        self._templates: dict[str, str] = {}
        self._shape: tuple[object, ...] | None = None
        """How the database that tests use in turn looked before the first of them; None while there is none."""

    def template(self, engine: str) -> str:
        """Where the database stands that is copied; made when it is first asked for.  Skips without the engine."""
        if engine not in self._templates:
            is_sqlite = engine == "sqlite"
            url = (
                f"sqlite:///{self._folder}/{self.name}.db"
                if is_sqlite
                else postgres.create(server(), f"{self.name}_{WORKER}")
            )
            self._settle(url)
            if not is_sqlite:
                postgres.remember(url)
            self._templates[engine] = url
        return self._templates[engine]

    def copy(self, engine: str, folder: Path) -> str:
        """Where a database with the same content stands; for SQLite a file in `folder`."""
        template = self.template(engine)
        if engine == "postgresql":
            url = self._put_back(template)
        else:
            shutil.copy(make_url(template).database or "", folder / f"{self.name}.db")
            url = f"sqlite:///{folder}/{self.name}.db"
        copy_seal_files(template, url)
        return url

    def _put_back(self, template: str) -> str:
        name = f"{self.name}{IN_TURN}{WORKER}"
        url = make_url(server()).set(database=name).render_as_string(hide_password=False)
        if self._shape is not None:
            try:
                postgres.forget_changes(url)
                if postgres.shape_of(url) == self._shape:
                    return url
            except psycopg.Error:
                pass  # a test has left it locked or in pieces
        postgres.create(server(), name, f"TEMPLATE {make_url(template).database}")
        self._shape = postgres.shape_of(url)
        return url


def server() -> str:
    """The address of the PostgreSQL server.  Skips the test without one."""
    found = os.environ.get("MILLPOND_TEST_PG")
    if found is None:
        pytest.skip("there is no PostgreSQL")
    return found
