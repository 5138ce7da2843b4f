"""What proves the log and lies outside the database: the file of keys that sign seals, and the file of the newest anchor."""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from models.base import moment_of, time_text

_SECRET = re.compile(r"[0-9a-f]{64}")
_ANCHOR = re.compile(r"millpond seal (\d{1,18}) entry (\d{1,18}) at (\S+) ([0-9a-f]{64})")

WHERE_FROM = (
    "Run millpond migrate if there never was one, else copy it from a server of this database or from a backup; if it is lost "
    "for good, run: millpond audit key"
)


class SealFileError(Exception):
    """A file of keys or of the anchor that is missing, or that cannot be read or written; the text is one sentence."""


@dataclass(frozen=True)
class Anchor:
    """One seal as it was: its number, the last entry under it, its time, and its hash over all seals before."""

    seal_id: int
    last_id: int
    at: datetime
    hash: str

    def __str__(self) -> str:
        return f"millpond seal {self.seal_id} entry {self.last_id} at {time_text(self.at)} {self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """The anchor that was printed as this text.  Raises ValueError."""
        found = _ANCHOR.fullmatch(" ".join(text.split()))
        if found is None:
            raise ValueError("this is no anchor")
        return cls(int(found[1]), int(found[2]), moment_of(found[3]), found[4])


@dataclass(frozen=True)
class SealKey:
    """A secret that signs seals.  `id` is public and tells keys apart."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"millpond seal key " + self.secret).hexdigest()[:16]


@dataclass(frozen=True)
class SealFiles:
    """Where keys and anchor lie.  Without a path seals are unkeyed, or nothing is anchored."""

    key: Path | None = None
    anchor: Path | None = None

    def read_keys(self) -> Mapping[str, SealKey]:
        """The keys by id, oldest first; none where no file is named.  Raises SealFileError."""
        if self.key is None:
            return {}
        try:
            lines = [line for line in self.key.read_text(encoding="ascii").splitlines() if line.strip()]
        except FileNotFoundError:
            raise SealFileError(f"There is no key of the operation log in {self.key}. {WHERE_FROM}") from None
        except (OSError, ValueError) as failure:
            raise SealFileError(f"The key of the operation log cannot be read from {self.key}") from failure
        if not lines or not all(_SECRET.fullmatch(line.strip()) for line in lines):
            raise SealFileError(f"{self.key} is no file of keys: each line has to be 64 hexadecimal digits")
        return {key.id: key for key in (SealKey(bytes.fromhex(line.strip())) for line in lines)}

    def newest_key(self) -> SealKey | None:
        """The key that signs from now on; None where no file is named.  Raises SealFileError."""
        return next(reversed([*self.read_keys().values()]), None)

    def add_key(self) -> SealKey:
        """Add a new key to the file, which only its owner may read, and return it.  Raises SealFileError."""
        if self.key is None:
            raise SealFileError("No file of keys is named")
        made = SealKey(secrets.token_bytes(32))
        try:
            self.key.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.key, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
                file.write(f"{made.secret.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise SealFileError(f"The key of the operation log cannot be written to {self.key}") from failure
        return made

    def read_anchor(self) -> Anchor | None:
        """The anchor in the file; None where no file is named or none is there.  Raises SealFileError."""
        if self.anchor is None:
            return None
        try:
            return Anchor.parse(self.anchor.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as failure:
            raise SealFileError(f"{self.anchor} cannot be read as an anchor of the operation log") from failure

    def write_anchor(self, anchor: Anchor) -> None:
        """Replace the anchor in the file, in one step.  Raises SealFileError."""
        if self.anchor is None:
            return
        beside = self.anchor.with_name(f"{self.anchor.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            self.anchor.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{anchor}\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.anchor)
        except OSError as failure:
            beside.unlink(missing_ok=True)
            raise SealFileError(f"The anchor of the operation log cannot be written to {self.anchor}") from failure
