"""Where the key and the anchor of a test's database lie: beside an SQLite file, else in a folder of this process."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from resolvers.runtime.seal_files import SealFiles


def seal_files_of(url: str) -> SealFiles:
    at = make_url(url)
    name = Path(at.database or "none")
    beside = name if at.get_backend_name() == "sqlite" else _folder() / name
    return SealFiles(Path(f"{beside}.audit-key"), Path(f"{beside}.audit-anchor"))


def environment_of(url: str) -> dict[str, str]:
    """The settings that name these files, for commands."""
    try:
        files = seal_files_of(url)
    except Exception:  # noqa: BLE001  a test of an address that is none
        return {}
    return {"MILLPOND_AUDIT_KEY": str(files.key), "MILLPOND_AUDIT_ANCHOR": str(files.anchor)}


def copy_seal_files(template: str, url: str) -> None:
    """Give a copied database the key and the anchor of its template, or none."""
    before, after = seal_files_of(template), seal_files_of(url)
    for source, target in ((before.key, after.key), (before.anchor, after.anchor)):
        assert source is not None
        assert target is not None
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copy(source, target)


@cache
def _folder() -> Path:
    return Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir(), f"millpond-seals-{os.getpid()}")
