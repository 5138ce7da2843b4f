"""Bringing a database to the shape that this version of the code expects."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).resolve().parent
SCRIPTS = next(folder for folder in (_HERE / "migrations", _HERE.parent / "migrations") if folder.is_dir())
"""In a wheel the migrations lie beside this file, in a checkout one folder up."""


class UnknownShape(Exception):
    """The database was made by another version: newer, or not Millpond's at all."""


def migrate(engine: Engine) -> str:
    """Run what is missing, in one transaction; gives the revision that the database has now."""
    from alembic import command

    with engine.begin() as connection:
        check_known(connection)
        command.upgrade(configuration(connection), "head")
        return current(connection) or ""


def check_known(connection: Connection) -> None:
    """Raise UnknownShape for a database whose revision this code has never heard of."""
    found = current(connection)
    if found is not None and found not in revisions():
        raise UnknownShape(
            f"The database has revision {found}, which this version does not know. Install the version that made it."
        )


def is_current(connection: Connection) -> bool:
    return current(connection) == revisions()[0]


def current(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def revisions() -> list[str]:
    """Every revision of this code, the newest first."""
    from alembic.script import ScriptDirectory

    return [step.revision for step in ScriptDirectory(str(SCRIPTS)).walk_revisions()]


def configuration(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
