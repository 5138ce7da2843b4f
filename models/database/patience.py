"""How long a serving process waits for PostgreSQL: for a row, for a statement, for an answer that does not come.

The server ends what takes too long there.  A server that has gone away silently ends nothing, so the process has a
deadline of its own, a little later, and gives the connection up.  The command line has none: a migration takes its time.
"""

import socket
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.errors import _WaitTimeout  # the only name of what `wait` raises

T = TypeVar("T")

BRIEF_SECONDS = 0.2
"""Time for which a use case waits for a row on the threads that all share; after it, on threads for those who wait."""
_INTERNET = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True)
class Patience:
    """The limits, in seconds."""

    row: float = 5
    """For a row that another transaction has locked."""
    statement: float = 8
    """For one statement, on the server."""
    answer: float = 10
    """For the answer to a statement, after which the connection is given up; a little longer than `statement`."""
    idle: float = 30
    """For a transaction in which nothing happens."""
    silence: float = 5
    """For a peer that acknowledges nothing."""

    def settings(self, row: float) -> dict[str, str]:
        """The settings of a session on the server."""
        limits = {"lock_timeout": row, "statement_timeout": self.statement}
        limits["idle_in_transaction_session_timeout"] = self.idle
        return {name: str(round(seconds * 1000)) for name, seconds in limits.items()}

    def writing(self) -> dict[str, Any]:
        """The arguments with which psycopg connects."""
        options = " ".join(f"-c {name}={value}" for name, value in self.settings(BRIEF_SECONDS).items())
        alive = {"keepalives": 1, "keepalives_idle": self._third, "keepalives_interval": self._third}
        silence = {"keepalives_count": 2, "tcp_user_timeout": round(self.silence * 1000)}
        return {"options": options, "connect_timeout": max(2, round(self.silence)), **alive, **silence}

    def reading(self) -> dict[str, Any]:
        """The arguments with which asyncpg connects."""
        return {"timeout": self.silence, "command_timeout": self.answer}

    def watch(self, peer: socket.socket) -> None:
        """Have the system notice a peer that is gone; a socket of the same machine needs no watch."""
        if peer.family not in _INTERNET:
            return
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wanted = {"TCP_KEEPIDLE": self._third, "TCP_KEEPINTVL": self._third, "TCP_KEEPCNT": 2}
        for name, value in {**wanted, "TCP_USER_TIMEOUT": round(self.silence * 1000)}.items():
            if hasattr(socket, name):  # some systems have fewer of them
                peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    @property
    def _third(self) -> int:
        return max(1, round(self.silence / 3))


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when a statement has no answer by the deadline."""

    deadline: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.deadline if timeout is None else timeout)
        except _WaitTimeout as silence:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time: connection given up") from silence
