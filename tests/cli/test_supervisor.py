"""The parent of web process and workers: it starts them, starts them again, and ends with them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from millpond import supervisor
from millpond.supervisor import Child, Supervisor
from tests.support.terminal import ROOT

START = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} ');"
READY = "ready = int(sys.argv[sys.argv.index('--ready') + 1]) if '--ready' in sys.argv else 0; ready and os.write(ready, b'1');"
STAY = "time.sleep(60)"


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class Family:
    """Children that note their process ids, and a supervisor over them."""

    def __init__(self, folder: Path, first: str, *others: str) -> None:
        self.folder, self.announced = folder, 0
        children = [self._child(n, START + script) for n, script in enumerate((first, *others))]
        self.supervisor = Supervisor(children[0], children[1:], os.environ, self._announce)

    def _child(self, number: int, script: str) -> Child:
        command = [sys.executable, "-S", "-c", script, str(self.folder / str(number))]
        return Child(f"child {number}", command, stop_seconds=1, pause=0.05)

    def _announce(self) -> None:
        self.announced += 1

    def starts(self, number: int) -> list[int]:
        path = self.folder / str(number)
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def run(self, story: Callable[[], None]) -> int:
        """Run until the story, told in a thread, has ended; then it is told to stop as by SIGTERM."""

        def tell() -> None:
            try:
                story()
            finally:
                self.supervisor._stop.set()

        telling = threading.Thread(target=tell)
        telling.start()
        code = self.supervisor.run()
        telling.join()
        return code


def until(is_so: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_first_child_that_ends_before_it_is_ready_ends_the_parent_with_its_code(tmp_path: Path) -> None:
    family = Family(tmp_path, "sys.exit(3)", READY + STAY)
    assert family.supervisor.run() == 3
    assert (family.announced, family.starts(1)) == (0, [])


def test_children_that_end_are_started_again_and_all_stop_with_their_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.05)
    family = Family(tmp_path, READY + STAY, STAY)

    def story() -> None:
        until(lambda: family.announced)
        for child in (0, 1):
            until(lambda: family.starts(child))  # noqa: B023  it is asked within this turn
            os.kill(family.starts(child)[-1], signal.SIGKILL)
            until(lambda: len(family.starts(child)) == 2)  # noqa: B023
        time.sleep(0.1)  # until the child sleeps

    assert family.run(story) == 0
    assert family.announced == 1
    assert not any(is_there(pid) for child in (0, 1) for pid in family.starts(child))


def test_a_child_that_does_not_stop_is_killed_and_said(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    family = Family(tmp_path, READY + STAY, deaf + START + STAY)
    assert family.run(lambda: until(lambda: len(family.starts(1)) == 2)) == 1
    assert not is_there(family.starts(1)[-1])


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    follow = (
        "from millpond.supervisor import follow_parent; follow_parent(int(sys.argv[sys.argv.index('--lifeline') + 1]));"
    )
    script = f"""
import os, sys
from millpond.supervisor import Child, Supervisor
Supervisor(Child("c", [sys.executable, "-c", {START + follow + READY + STAY!r}, {str(tmp_path / "0")!r}], 1), [], os.environ, lambda: None).run()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as parent:
        path = tmp_path / "0"
        until(lambda: path.exists() and path.read_text())
        time.sleep(0.3)
        parent.kill()
    pid = int(path.read_text())
    until(lambda: not is_there(pid))
