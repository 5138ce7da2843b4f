"""The folder of files that belong to records: names that cannot be guessed, and readable for the server alone."""

import os
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.engine import make_url

from .incoming_file import Received, receive

_NAME = re.compile(r"[A-Za-z0-9_-]{20,60}(\.[a-z0-9]{2,8}){1,3}")
_HASH = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """Files in one folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arriving: Counter[int] = Counter()
        """User -> how many files of theirs are coming in to this process."""

    @classmethod
    def beside(cls, url: str) -> "FileStore":
        """The folder of an installation that names none: beside an SQLite database, else in `var`."""
        at = make_url(url)
        name = at.database or "millpond"
        return cls(Path(f"{name}.files" if at.get_backend_name() == "sqlite" else f"var/{name}.files"))

    @staticmethod
    def new_name() -> str:
        """A name that nobody can guess."""
        return secrets.token_urlsafe(24)

    def path(self, name: str) -> Path:
        """Where a file lies.  Raises ValueError for a text that is no name of this folder."""
        if not _NAME.fullmatch(name):
            raise ValueError("no name of a file")
        return self.folder / name

    @contextmanager
    def opened(self, name: str, *, keep: int = 0) -> Iterator[BinaryIO]:
        """A file to write on behind its first `keep` bytes, which is on the disk when the block ends.

        Raises FileNotFoundError where fewer bytes are there.
        """
        path = self.path(name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(number, "r+b") as file:
            if os.fstat(file.fileno()).st_size < keep:
                raise FileNotFoundError(path)
            file.truncate(keep)
            file.seek(keep)
            yield file
            file.flush()
            os.fsync(file.fileno())

    async def receive(
        self, chunks: AsyncIterable[bytes], *, limit_mib: int, ending_of: Callable[[bytes], str]
    ) -> Received:
        """Keep a file that comes in piece by piece.  `ending_of`: its first bytes -> the ending of its name.

        Raises SheetEmpty, SheetTooLarge, NoRoomForFile, and what the chunks raise; then no file stays.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return await receive(chunks, self.folder / self.new_name(), limit_mib, ending_of)

    def content(self, hash: str) -> Path:
        """Where bytes that belong to records lie, by their SHA-256.  Raises ValueError for a text that is none."""
        if not _HASH.fullmatch(hash):
            raise ValueError("no hash of a file")
        return self.folder / "kept" / hash[:2] / hash

    def thumbnail(self, hash: str) -> Path:
        """Where the small copy of a picture lies, by the hash of the picture; it goes with its bytes."""
        return self.content(hash).with_name(f"{hash}.webp")

    def keep_content(self, name: str, hash: str) -> None:
        """Have the bytes of a file lie under their hash too; bytes that lie there already stay as they are."""
        path = self.content(hash)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            part = path.with_name(f"{self.new_name()}.part")
            shutil.copyfile(self.path(name), part)
            part.chmod(0o600)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
        os.utime(path)

    def sweep_content(self, is_wanted: Callable[[str], bool], older_than: float) -> int:
        """Delete bytes that no record names, `older_than` seconds after they were kept last; returns how many."""
        gone, before = 0, time.time() - older_than
        for path in [*(self.folder / "kept").glob("??/*")]:
            if not is_wanted(path.stem) and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def scratch(self, name: str) -> Path:
        """Where what belongs to these files may be kept until they are finished: a beginning of names in the folder."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / name

    def delete_all(self, name: str, *, but: str = "") -> None:
        """Delete every file whose name begins with this one, `but` one."""
        for path in self.folder.glob(f"{name}.*"):
            if path.name != but:
                path.unlink(missing_ok=True)

    def begin_with(self, name: str, of: str, size: int) -> None:
        """Begin a file with the first bytes of another.  Raises FileNotFoundError where fewer are there."""
        with self.path(of).open("rb") as source, self.opened(name) as file:
            left = size
            while left and (some := source.read(min(left, 1 << 20))):
                left -= file.write(some)
        if left:
            raise FileNotFoundError(of)

    def sweep(self, is_wanted: Callable[[str], bool], older_than: float) -> int:
        """Delete files that nobody wants, `older_than` seconds after they were written; returns how many."""
        gone, before = 0, time.time() - older_than
        for path in [*self.folder.iterdir()] if self.folder.exists() else []:
            if path.is_file() and path.stat().st_mtime < before and not is_wanted(path.name.partition(".")[0]):
                path.unlink(missing_ok=True)
                gone += 1
        return gone
