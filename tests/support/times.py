"""How much processor time each test takes, which decides what the short form leaves out.

    MILLPOND_TIMES=times.txt .venv/bin/pytest -p tests.support.times -n 2 --dist loadgroup
    .venv/bin/python -m tests.support.times times.txt

The first command appends a line for each test: seconds of the process and of the processes that ended meanwhile.  The
second one writes `lengthy.txt` anew for the tests that the file names, and leaves alone what was not measured.
"""

import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forms import LENGTHY, MEASURED, measured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    began = _seconds()
    result = yield
    with open(os.environ["MILLPOND_TIMES"], "a", encoding="utf-8") as file:
        file.write(f"{_seconds() - began:.2f} {item.nodeid}\n")
    return result


def rewrite(times: Path) -> None:
    """Write the list of lengthy tests anew, each with the seconds of its longest case."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for line in times.read_text(encoding="utf-8").splitlines():
        seconds, _, id = line.partition(" ")
        taken[id.partition("[")[0]].append(float(seconds))
    found = measured() | {name: max(all) for name, all in taken.items()}
    lines = (f"{name} {seconds:.2f}\n" for name, seconds in sorted(found.items()) if seconds > LENGTHY)
    MEASURED.write_text("".join(lines), encoding="utf-8")


def _seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]))
