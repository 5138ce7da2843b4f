"""Where the key and the anchor of the operation log lie, and how an installation comes to have them."""

import time
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from resolvers.audit.anchor import contradictions, newest_anchor
from resolvers.audit.seal import Horizon, begin_keyed, is_due, keyed_by, seal
from resolvers.runtime.backend import Backend
from resolvers.runtime.seal_files import WHERE_FROM, Anchor, SealFileError, SealFiles, SealKey

from .settings import Settings


def seal_files(settings: Settings) -> SealFiles:
    """The files of key and anchor that the settings name, or those that belong to the database by default."""
    default = _default(settings.database)
    return SealFiles(
        Path(settings.audit_key or f"{default}.audit-key"), Path(settings.audit_anchor or f"{default}.audit-anchor")
    )


def _default(url: str) -> str:
    at = make_url(url)
    return at.database or "millpond" if at.get_backend_name() == "sqlite" else f"var/{at.database or 'millpond'}"


def is_beside_database(url: str, files: SealFiles) -> bool:
    """Whether key or anchor lie in the folder of an SQLite database, where one user can write all three."""
    at = make_url(url)
    if at.get_backend_name() != "sqlite":
        return False
    folder = Path(at.database or "").resolve().parent
    return any(path is not None and path.resolve().parent == folder for path in (files.key, files.anchor))


def bring_under_key(backend: Backend, files: SealFiles) -> None:
    """Make the key of an installation that has none, and lay the first seal under it.  Raises SealFileError.

    Where the log has a key already, the file has to hold it.
    """
    with backend.writer.engine.begin() as connection:
        known, there = keyed_by(connection), files.key is not None and files.key.exists()
        if known is not None and (not there or known not in files.read_keys()):
            raise SealFileError(
                f"{files.key} does not hold the key {known}, which signed the newest seal. {WHERE_FROM}"
            )
        if known is None:
            begin_keyed(connection, backend.clock(), (files.newest_key() if there else None) or files.add_key())
    advance_anchor(backend, files)


def set_aside(files: SealFiles) -> Path | None:
    """Rename the anchor of a former database before a new one begins; returns its new place."""
    if files.anchor is None or not files.anchor.exists():
        return None
    return files.anchor.rename(files.anchor.with_name(f"{files.anchor.name}.{time.time_ns()}"))


def advance_anchor(backend: Backend, files: SealFiles) -> Anchor | None:
    """Write the newest seal to the anchor's file, unless the log contradicts what the file has; returns that seal."""
    with backend.writer.engine.connect() as connection:
        newest = newest_anchor(connection)
        if newest is not None and not _contradicted(connection, files):
            files.write_anchor(newest)
        return newest


def _contradicted(connection: Connection, files: SealFiles) -> bool:
    former = files.read_anchor()
    return former is not None and any(contradictions(connection, former))


def seal_the_rest(backend: Backend, files: SealFiles, patience: float = 10) -> bool:
    """Lay seals until all is sealed, and anchor the last; says whether all is.

    PostgreSQL needs two looks, and more while others have transactions open.  Raises SealFileError.
    """
    horizon, end, key = Horizon(), time.monotonic() + patience, files.newest_key()
    while True:
        with backend.writer.engine.begin() as connection:
            seal(connection, backend.clock(), horizon, key)
            is_whole = not is_due(connection)
        if is_whole or time.monotonic() > end:
            advance_anchor(backend, files)
            return is_whole
        time.sleep(0.05)


def anchor_anew(backend: Backend, files: SealFiles) -> None:
    """Write the newest seal to the anchor's file, whatever the file has.  Raises SealFileError."""
    with backend.writer.engine.connect() as connection:
        newest = newest_anchor(connection)
    if newest is not None:
        files.write_anchor(newest)


def sign_with_new_key(backend: Backend, files: SealFiles) -> SealKey:
    """Add a key and lay a seal under it, so that the next ones follow.  Raises SealFileError."""
    key = files.add_key()
    with backend.writer.engine.begin() as connection:
        begin_keyed(connection, backend.clock(), key)
    seal_the_rest(backend, files)
    return key
