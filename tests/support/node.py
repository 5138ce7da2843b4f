"""Programs for Node with packages from npm, which are installed once below `var/`."""

import fcntl
import filecmp
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.terminal import ROOT

CLIENTS, EXAMPLES = ROOT / "tests" / "clients", ROOT / "docs" / "examples"
INSTALL_SECONDS, RUN_SECONDS = 300, 120


def run(script: str, *words: str) -> str:
    """What a script of `tests/clients` prints.  Skips the test without Node; raises AssertionError where it fails."""
    return _run("node", script, *words).stdout


def tool(name: str, *words: str, under: str = ".", **environment: str) -> str:
    """What a command of a package says, errors included, when it runs in a folder below `installed()`."""
    done = _run(str(installed() / "node_modules" / ".bin" / name), *words, under=under, **environment)
    return done.stdout + done.stderr


def installed() -> Path:
    """The folder with copies of `tests/clients` and `docs/examples`, and the packages in exactly the versions named there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        miss("there is no node or npm: clients of the API are not tried")
    packages = CLIENTS / "package.json"
    folder = ROOT / "var" / "node" / hashlib.sha256(packages.read_bytes()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations at once into one folder leave packages without their files
        for source in (CLIENTS, EXAMPLES):
            left_out = shutil.ignore_patterns("*.py", "__pycache__", "node_modules")
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=left_out, copy_function=_copy_changed)
        if not (folder / "installed").exists():
            _install(folder)
    return folder


def _copy_changed(source: str, target: str) -> None:
    """Equal files stay untouched: a program of another process may be reading them."""
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copy2(source, target)


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        miss(f"npm could not install the clients: {done.stderr.strip()[-300:]}")
    (folder / "installed").touch()


def miss(reason: str) -> None:
    """Skip the test, or raise RuntimeError where clients are required."""
    if os.environ.get("MILLPOND_REQUIRE_NODE"):
        raise RuntimeError(f"MILLPOND_REQUIRE_NODE is set, and {reason}")
    pytest.skip(reason)


def _run(*command: str, under: str = ".", **environment: str) -> "subprocess.CompletedProcess[str]":
    folder, seen = installed() / under, {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=folder, env=seen, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
