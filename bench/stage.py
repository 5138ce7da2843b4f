"""Helpers of the benchmarks: databases, serving processes, and figures as JSON."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy.engine import make_url  # noqa: E402

from millpond.migrate import migrate  # noqa: E402
from models.database.engines import writing_engine  # noqa: E402
from tests.support import postgres  # noqa: E402


@contextmanager
def database(engine: str) -> Iterator[str]:
    """The address of a new, migrated database on `sqlite` or `postgresql`, with durable settings."""
    folder = tempfile.mkdtemp(prefix="mp-bench-")
    stop: Callable[[], None] = lambda: None  # noqa: E731
    url = f"sqlite:///{folder}/bench.db"
    if engine == "postgresql":
        started = postgres.start("-c max_connections=200")
        if started is None:
            raise SystemExit("there is no PostgreSQL: install it, or set MILLPOND_TEST_PG")
        server, stop = started
        url = postgres.create(server, "bench")
    try:
        written = writing_engine(url)
        migrate(written)
        written.dispose()
        yield url
    finally:
        stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def copied(url: str, name: str) -> Iterator[str]:
    """The address of a copy of a PostgreSQL database without connected clients; dropped afterwards."""
    server = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    database = make_url(url).database
    copy = postgres.create(server, f"{database}_{name}", f"TEMPLATE {database}")
    try:
        yield copy
    finally:
        postgres.drop(server, f"{database}_{name}")


class Served(str):
    """The address of a serving process, its process id, and where its output goes, unless it is ours."""

    pid: int
    output: Any = None

    def said(self) -> str:
        """The last lines of its output."""
        return _last_lines(self.output) if self.output is not None else "nothing"


@contextmanager
def servers(url: str, count: int) -> Iterator[list[Served]]:
    """The addresses of `count` serving processes over one database."""
    environment = {**os.environ, "MILLPOND_DATABASE": url, "MILLPOND_PORT": "0", "MILLPOND_LOG_LEVEL": "warning"}
    environment["MILLPOND_REQUEST_SECONDS"] = "60"  # fifty users at once queue, and the waiting time is measured
    for budget in ("COMPILING_SECONDS", "SEARCHES", "DENIALS"):  # one user does here what a hundred would
        environment[f"MILLPOND_{budget}_PER_MINUTE"] = "1000000"
    command = [sys.executable, "-m", "millpond", "web"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        yield [_address(process) for process in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


def _address(process: "subprocess.Popen[str]") -> Served:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"served at (http://\S+)", line):
            served = Served(found[1])
            served.pid = process.pid
            return served
    raise SystemExit("a server did not start")


SAID = 20
"""Number of the last lines of a peer that are printed when it fails."""


@contextmanager
def running(command: Sequence[str], **how: Any) -> Iterator[Served]:
    """The address of a server started on a free port, which replaces `{port}` in its command and environment.

    A server that does not start ends the measurement with what it has said.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    how["env"] = {name: value.replace("{port}", str(port)) for name, value in how.get("env", os.environ).items()}
    command = [part.replace("{port}", str(port)) for part in command]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **how)
        try:
            if not _listens(process, port):
                raise SystemExit(_failure(command, process.poll(), output))
            served = Served(f"http://127.0.0.1:{port}")
            served.pid, served.output = process.pid, output
            yield served
        finally:
            process.terminate()
            process.wait(timeout=20)


def done(command: Sequence[str], **how: Any) -> None:
    """Run a command to its end.  One that fails ends the measurement with what it has said."""
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, **how).returncode
        if code:
            raise SystemExit(_failure(command, code, output))


def _listens(process: "subprocess.Popen[bytes]", port: int, seconds: float = 60) -> bool:
    """Whether the process listens on the port before it ends or the time is up."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _failure(command: Sequence[str], code: int | None, output: Any) -> str:
    """What failed, how, and its last lines."""
    how = "does not listen after a minute" if code is None else f"ended with exit code {code}"
    return f"{' '.join(command)} {how}. It said:\n{_last_lines(output)}"


def _last_lines(output: Any) -> str:
    output.seek(0)
    return "\n".join(output.read().decode(errors="replace").strip().splitlines()[-SAID:]) or "nothing"


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile, in milliseconds."""
    ordered = sorted(milliseconds)
    return {"p50": round(statistics.median(ordered), 1), "p99": round(ordered[int(len(ordered) * 0.99)], 1)}


def took(call: Callable[[], Any]) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def show(figures: Any) -> None:
    print(json.dumps(figures, indent=2, ensure_ascii=False))
