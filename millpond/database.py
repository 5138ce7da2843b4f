"""Opening the database that the settings name; what is wrong with it is one sentence that says what to run."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from models import utcnow
from models.database.engines import reading_engine, writing_engine
from resolvers.access.offered_lines import offer_new_lines
from resolvers.audit.accept import accept
from resolvers.audit.replay import Comparison
from resolvers.runtime.backend import Backend
from resolvers.runtime.file_store import FileStore
from resolvers.runtime.seal_files import SealFiles
from resolvers.setup.install import install

from . import migrate, seals

T = TypeVar("T")


class Unready(Exception):
    """The database cannot be used as it is."""


@contextmanager
def opened(url: str, *, clock: Callable[[], datetime] = utcnow, files: FileStore | None = None) -> Iterator[Backend]:
    """A backend over an up-to-date database, closed at the end.  Raises Unready, UnknownShape."""
    check_there(url)
    backend = Backend(url, clock=clock, files=files)
    try:
        with answering(), backend.writer.engine.connect() as connection:
            check_current(connection)
        yield backend.open()
    finally:
        asyncio.run(backend.close())


def bring_up(url: str, *, clock: Callable[[], datetime] = utcnow, files: SealFiles | None = None) -> tuple[str, bool]:
    """Migrate the database and install what is missing; returns (its revision, whether anything was new).

    What the migrations did to records gets its entries, and the log gets a key in `files`.  May be called again.  Raises Unready, UnknownShape, SealFileError.
    """
    check_address(url)
    _make_folder(url)
    engine = writing_engine(url)
    try:
        with answering():
            with engine.connect() as connection:
                before = migrate.current(connection)
                known = Comparison().known(connection) if before not in (None, migrate.revisions()[0]) else None
            revision = migrate.migrate(engine)
    finally:
        engine.dispose()
    if files is not None and before is None:
        seals.set_aside(files)
    with opened(url, clock=clock) as backend:
        is_new = install(backend)
        offered = backend.system("system:upgrade").do(offer_new_lines)
        if known is not None:
            backend.system("system:upgrade").do(accept, f"upgrade to {revision}", known)
        if files is not None:
            seals.bring_under_key(backend, files)
        return revision, is_new or bool(offered) or revision != before


def look(url: str, at: Callable[[Connection], T]) -> T:
    """The result of `at` on a connection that cannot write and blocks no writer.  Raises Unready."""
    check_there(url)

    async def reading() -> T:
        engine = reading_engine(url, size=1)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(at)
        finally:
            await engine.dispose()

    with answering():
        return asyncio.run(reading())


def look_steadily(url: str, at: Callable[[Connection], T]) -> T:
    """The same in one transaction that shows one state of the database, whatever is written meanwhile."""

    def steadily(connection: Connection) -> T:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        return at(connection)

    return look(url, steadily)


def check_address(url: str) -> None:
    """Raise Unready for a text that is no address of an SQLite file or a PostgreSQL database."""
    try:
        at = make_url(url)
    except ArgumentError:
        raise Unready(_ADDRESS) from None
    kind, name = at.get_backend_name(), at.database or ""
    if kind not in ("sqlite", "postgresql") or (kind == "sqlite" and name in ("", ":memory:")):
        raise Unready(_ADDRESS)


_ADDRESS = "MILLPOND_DATABASE has to be sqlite:///path or postgresql://user@host/name."


def check_there(url: str) -> None:
    """Raise Unready for a missing file, because SQLite would make an empty one."""
    if not is_there(url):
        raise Unready(f"There is no database at {file_of(url)}. Run: millpond migrate")


def is_there(url: str) -> bool:
    """Whether the file exists; always true for a server.  Raises Unready for a text that is no address."""
    check_address(url)
    path = file_of(url)
    return path is None or path.exists()


def check_current(connection: Connection) -> None:
    """Raise Unready or UnknownShape unless the tables are those of this version."""
    migrate.check_known(connection)
    found, wanted = migrate.current(connection), migrate.revisions()[0]
    if found is None:
        raise Unready("The database has not been set up. Run: millpond migrate")
    if found != wanted:
        raise Unready(f"The database has revision {found}, this version needs {wanted}. Run: millpond migrate")


def file_of(url: str) -> Path | None:
    """The file of an SQLite database, None for a server."""
    at = make_url(url)
    return Path(at.database or "") if at.get_backend_name() == "sqlite" else None


@contextmanager
def answering() -> Iterator[None]:
    """Turn the error of a driver inside the block into one sentence.  Raises Unready."""
    try:
        yield
    except (DBAPIError, OSError) as failure:
        cause = getattr(failure, "orig", None) or failure
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
        raise Unready(f"The database does not answer: {first}. Check MILLPOND_DATABASE.") from failure


def _make_folder(url: str) -> None:
    if (path := file_of(url)) is not None:
        with answering():
            path.parent.mkdir(parents=True, exist_ok=True)
