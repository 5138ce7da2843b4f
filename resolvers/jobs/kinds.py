"""Kinds of jobs.  A kind is a function that does one chunk in an open transaction and says how far it came."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.declaration import Misdeclared
from models.names import Names

from ..runtime.scope import Scope
from .schedules import Schedule

CHUNK_SECONDS = 0.05
"""How long a chunk may take: a user's change waits for at most one, and on SQLite for all of it."""
FIRST_SIZE, LARGEST_SIZE = 20, 5_000
"""Records of the first chunk, and the maximum number of a later one."""
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(hours=1)


@dataclass(frozen=True)
class Progress:
    """What a chunk came to."""

    position: int
    """Where the next chunk begins."""
    done: int = 0
    failed: int = 0
    """Records that were refused."""
    more: bool = True
    """Whether there is a next chunk."""
    total: int | None = None
    """How many records the job is about, where the chunk has found that out."""


@dataclass
class Work:
    """One chunk: what it is about, where it begins, and how long it may take."""

    arguments: Mapping[str, Any]
    position: int
    size: int
    """How many records of this kind take about CHUNK_SECONDS, by the chunks before."""
    memory: dict[str, Any]
    """What the kind keeps from chunk to chunk, for as long as one worker runs the job: an open file, a cursor."""
    prepared: Any = None
    """What `ready` has returned for this chunk."""
    until: float = field(default_factory=lambda: time.monotonic() + CHUNK_SECONDS)

    def has_time(self) -> bool:
        """Whether a record more fits into this chunk, for kinds that go from record to record."""
        return time.monotonic() < self.until


Chunk = Callable[[Scope, Session, Work], Progress]
Ready = Callable[[Scope, Work], Any]


def growing_delay(failures: int) -> timedelta:
    """The time from a failure to the next try: 5 seconds, then three times as long each, at most an hour."""
    return min(FIRST_DELAY * int(3 ** (failures - 1)), LONGEST_DELAY)


@dataclass(frozen=True)
class Kind:
    """A declared kind of jobs."""

    name: str
    names: Names
    """What a job of the kind is called, in both languages."""
    action: str
    """The right that is asked for before every chunk, and the action of the log."""
    chunk: Chunk
    ready: Ready | None = None
    """Runs before each chunk outside any transaction, for files and networks; what it returns is `work.prepared`."""
    schedule: Schedule | None = None
    role: str | None = None
    """`pool` where the clock does it as `system:pool`, under policy lines of that role."""
    delay: Callable[[int], timedelta] = growing_delay
    """Number of failures since the last progress -> the time until the next try."""

    @property
    def right(self) -> tuple[str, str]:
        """(verb, module) of the action."""
        module, _, verb = self.action.partition(".")
        return verb, module


KINDS: dict[str, Kind] = {}
"""Every declared kind by its name."""


def add_kind(kind: Kind) -> None:
    """Add a kind.  Raises Misdeclared for a name that another kind has."""
    if kind.name in KINDS:
        raise Misdeclared(
            f"{kind.chunk.__module__.replace('.', '/')}.py: there is a kind of jobs “{kind.name}” already."
        )
    KINDS[kind.name] = kind
