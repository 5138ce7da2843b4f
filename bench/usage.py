"""Resource usage of processes, from /proc: CPU seconds and memory of a server, CPU seconds of a PostgreSQL cluster."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """A process with all its threads and children, ended children included."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """CPU seconds so far."""
        return sum(_ticks(pid) for pid in (self.pid, *children(self.pid))) / _TICK

    def memory(self) -> float:
        """The resident memory in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


def postgresql(url: str) -> Process | None:
    """The PostgreSQL server behind an address; None for SQLite, which runs inside its client."""
    at = make_url(url)
    if at.get_backend_name() != "postgresql":
        return None
    engine = create_engine(at.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        parent = int(_stat(session)[1])
    engine.dispose()
    return Process(parent)


def rest(cpu: Callable[[], float], most: float = 30) -> None:
    """Wait until less than a twentieth of a core is used, for at most `most` seconds."""
    end = time.monotonic() + most
    before = cpu()
    while time.monotonic() < end:
        time.sleep(0.4)
        before, now = cpu(), before
        if before - now <= 0.02:
            return


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: parent [1], own CPU time [11] and [12], of ended children [13], [14]."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    try:
        return sum(map(int, _stat(pid)[11:15]))
    except OSError:  # it has ended meanwhile, and its parent has counted its time
        return 0


def children(pid: int) -> list[int]:
    """The processes that this one has started and that run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended meanwhile
            found += map(int, task.read_text().split())
    return found
