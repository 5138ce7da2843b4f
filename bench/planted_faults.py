"""Measure what the tests notice: plant one fault after the other into a copy of the checkout and run the tests that fit.

    python bench/planted_faults.py [--only "NULL" "deny"]

A fault is an expression or a statement of a function, another in its place, and the test files of which one has to fail.
Prints JSON with the first test that noticed each; exits 1 when no test notices one, when there is not exactly one place
for it, or when the tests fail without it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults import FAULTS, Fault
from plant import file_of, plant
from stage import ROOT, postgres, show


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""], help="faults with one of these words in their names")
    asked = parser.parse_args()
    chosen = [fault for fault in FAULTS if any(word in fault.name for word in asked.only)]
    server, stop = postgres.start() or ("", lambda: None)
    folder = Path(tempfile.mkdtemp(prefix="mp-faults-"))
    try:
        copy(folder)
        tests = sorted({name for fault in chosen for name in fault.tests})
        sound = run(folder, server, tests)
        figures: dict[str, Any] = {"without a fault": sound, "faults": {}}
        for fault in chosen:
            figures["faults"][fault.name] = planted(folder, server, fault)
    finally:
        stop()
        shutil.rmtree(folder, ignore_errors=True)
    missed = [name for name, found in figures["faults"].items() if found["noticed by"] is None]
    figures["missed"] = missed
    show(figures)
    return 1 if missed or sound["noticed by"] is not None else 0


def copy(folder: Path) -> None:
    """The files of the checkout as they are now, those that are not committed yet included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def planted(folder: Path, server: str, fault: Fault) -> dict[str, Any]:
    file = file_of(fault.where, folder)
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    try:
        changed = plant(text, fault.where, fault.right, fault.wrong)
    except LookupError as failure:
        return {"noticed by": None, "why": str(failure)}
    file.write_text(changed, encoding="utf-8")
    try:
        return run(folder, server, fault.tests)
    finally:
        file.write_text(text, encoding="utf-8")


def run(folder: Path, server: str, tests: Sequence[str]) -> dict[str, Any]:
    """The first test that failed, None when all passed; and how many seconds it took."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "MILLPOND_TEST_PG": server}
    if not server:
        del environment["MILLPOND_TEST_PG"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-m",
        "not long",
        "-k",
        "not postgresql",
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *(str(path) for name in tests for path in (folder / "tests").rglob(name))],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    noticed = failed[1] if failed else None if done.returncode == 0 else done.stdout[-300:]
    return {"noticed by": noticed, "seconds": round(time.monotonic() - began)}


if __name__ == "__main__":
    sys.exit(main())
