"""Processes of Millpond that a benchmark kills: a web process and two workers, each a process of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Processes:
    """A web process and two workers, each a process of its own."""

    def __init__(self, url: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = dict(
            os.environ,
            PYTHONPATH=str(ROOT),
            MILLPOND_DATABASE=url,
            MILLPOND_PORT=str(self.port),
            MILLPOND_LOG_LEVEL="error",
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        for name in ("web", "worker 1", "worker 2"):
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "millpond", name.split()[0]]
        self.running[name] = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()
        self.start(name)
