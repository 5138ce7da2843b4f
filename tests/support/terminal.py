"""The `millpond` command in tests: in this process, and as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from millpond.cli import app
from tests.support.seal_files import environment_of

ROOT = Path(__file__).resolve().parents[2]


def millpond(url: str, *words: str, **environment: str) -> Result:
    """The result of the command in this process, with this database.  Raises unexpected exceptions."""
    env = {"MILLPOND_DATABASE": url, "LANG": "C", "LC_ALL": "", **environment_of(url), **environment}
    result = CliRunner().invoke(app, list(words), env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(result: Result) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)"""
    return result.exit_code, result.stdout, result.stderr


def environment(url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MILLPOND_", "PORT"))}
    settings = {"MILLPOND_DATABASE": url, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    return {**kept, **settings, **environment_of(url), **more}


def process(
    url: str, *words: str, cwd: Path = ROOT, seconds: float = 90, **more: str
) -> "subprocess.CompletedProcess[str]":
    """The result of the command as a process of its own."""
    command = [sys.executable, "-m", "millpond", *words]
    env = environment(url, **more)
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)


@dataclass
class Served:
    """A serving process: its address, the lines printed at its start, and its exit code after the end."""

    address: str
    said: list[str] = field(default_factory=list)
    exit_code: int | None = None


@contextmanager
def served(url: str, *words: str, until: str = "Health", **more: Any) -> Iterator[Served]:
    """`millpond serve` or another command that serves, on a free port, without workers; stopped by SIGTERM at the end."""
    command = [sys.executable, "-m", "millpond", *words]
    env = environment(url, **{"MILLPOND_PORT": "0", "MILLPOND_WORKERS": "0", "PYTHONUNBUFFERED": "1", **more})
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            it = _wait_for(running, until)
            yield it
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                code = running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        it.exit_code = code


def _wait_for(running: "subprocess.Popen[str]", until: str) -> Served:
    assert running.stdout is not None
    said: list[str] = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        line = running.stdout.readline()
        if not line:
            raise AssertionError(f"it ended before it listened: {said}")
        said.append(line.rstrip("\n"))
        if until in line:
            return Served(said[0].rpartition(" ")[2], said)
    raise AssertionError(f"it never listened: {said}")
