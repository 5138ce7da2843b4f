"""Child processes: started, started again when they end, stopped with their parent.

Imports nothing of the application, because the parent stays small.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a child is started again: at first, and after many ends in a row."""
SOUND_SECONDS = 60.0
"""A child that lived for so long begins with the first pause again."""
LOOK_SECONDS = 0.1
_log = structlog.get_logger("millpond.serve")


@dataclass
class Child:
    """A command that runs as a process of its own."""

    name: str
    command: Sequence[str]
    """Gets `--lifeline PIPE` as well, and the first child `--ready PIPE` at its first start."""
    stop_seconds: float
    """How long it may take to stop before it is killed."""
    pass_fds: Sequence[int] = ()
    process: "subprocess.Popen[bytes] | None" = None
    pause: float = FIRST_PAUSE
    began: float = 0.0
    again_at: float = 0.0
    """When it is started again."""

    @property
    def exit_code(self) -> int | None:
        return self.process.poll() if self.process is not None else None


class Supervisor:
    """The parent of one first child, and of others that start once the first is ready."""

    def __init__(
        self, first: Child, others: Sequence[Child], environment: Mapping[str, str], announce: Callable[[], None]
    ) -> None:
        """`announce` is called when the first child is ready for the first time."""
        self._first, self._others, self._environment, self._announce = first, others, environment, announce
        self._stop = threading.Event()
        self._lifeline: tuple[int, int] = os.pipe()
        """Children read its end of file when this process is gone, however it went."""

    def run(self) -> int:
        """Run the children until SIGINT or SIGTERM; returns the exit code: 0 after a graceful stop.

        When the first child ends before it was ready for the first time, that is the end, with its exit code.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            if (code := self._start_first()) is not None:
                return code
            while not self._stop.wait(LOOK_SECONDS):
                for child in (self._first, *self._others):
                    self._look_after(child)
            return self._stop_all()
        finally:
            for child in (self._first, *self._others):
                _kill(child)

    def _start_first(self) -> int | None:
        """Start the first child and wait until it is ready, then start the others; its exit code if it ended."""
        reads, writes = os.pipe()
        self._start(self._first, ready=writes)
        os.close(writes)
        while not _is_ready(reads):
            if self._stop.is_set():
                return self._stop_all()
        is_ready = os.read(reads, 1) != b""
        os.close(reads)
        if not is_ready:
            assert self._first.process is not None
            code = self._first.process.wait()
            return code if code > 0 else 1
        self._announce()
        for child in self._others:
            self._start(child)
        return None

    def _start(self, child: Child, ready: int | None = None) -> None:
        command = [*child.command, "--lifeline", str(self._lifeline[0])]
        fds = [*child.pass_fds, self._lifeline[0]]
        if ready is not None:
            command += ["--ready", str(ready)]
            fds.append(ready)
        child.began = time.monotonic()
        # A group of its own: Ctrl-C reaches this process alone, which then stops the children one after the other.
        child.process = subprocess.Popen(  # noqa: S603  commands of our own
            command, env=self._environment, pass_fds=fds, process_group=0
        )

    def _look_after(self, child: Child) -> None:
        """Start a child that has ended again, after a pause that grows while it ends soon."""
        now = time.monotonic()
        if child.process is not None:
            code = child.exit_code
            if code is None:
                return
            child.pause = FIRST_PAUSE if now - child.began > SOUND_SECONDS else child.pause
            child.process, child.again_at = None, now + child.pause
            _log.error("a process ended by itself", process=child.name, exit_code=code, again_in_seconds=child.pause)
            child.pause = min(2 * child.pause, LONGEST_PAUSE)
        elif now >= child.again_at:
            self._start(child)

    def _stop_all(self) -> int:
        """Stop the others first, because what they do is done sooner; 1 when one had to be killed or failed."""
        running = [child for child in (*self._others, self._first) if child.exit_code is None and child.process]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        return max((_wait(child) for child in running), default=0)


def _wait(child: Child) -> int:
    """0 when the child stopped by itself in time, else 1."""
    assert child.process is not None
    try:
        code = child.process.wait(child.stop_seconds)
    except subprocess.TimeoutExpired:
        _log.error("a process did not stop in time", process=child.name, seconds=child.stop_seconds)
        child.process.kill()
        child.process.wait()
        return 1
    return 0 if code in (0, -signal.SIGTERM) else 1


def _kill(child: Child) -> None:
    if child.process is not None and child.process.poll() is None:
        child.process.kill()
        child.process.wait()


def _is_ready(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], LOOK_SECONDS)[0])


# --- the child's side ------------------------------------------------------------------------------------


def follow_parent(lifeline: int | None) -> None:
    """End this process like SIGTERM does when its parent is gone."""
    if lifeline is None:
        return

    def watch(pipe: int) -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, args=(lifeline,), name="lifeline", daemon=True).start()


def say_ready(pipe: int | None) -> None:
    """Tell the parent that this process does its work from now on."""
    if pipe is not None:
        os.write(pipe, b"1")
        os.close(pipe)
