"""Programs in Python with packages that Millpond itself does not need, which are installed once below `var/`."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.node import CLIENTS, RUN_SECONDS, miss
from tests.support.terminal import ROOT

INSTALL_SECONDS = 300


def run(script: str, *words: str) -> str:
    """What a script of `tests/clients` prints; AssertionError where it fails or says anything to stderr.

    Skips the test where its packages cannot be installed.
    """
    command = [str(_installed() / "bin" / "python"), "-W", "default", str(CLIENTS / script), *words]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _installed() -> Path:
    """A virtual environment with the packages of `tests/clients/requirements.txt`."""
    packages = CLIENTS / "requirements.txt"
    folder = ROOT / "var" / "python" / hashlib.sha256(packages.read_bytes()).hexdigest()[:12]
    if not (folder / "installed").exists():
        _install(folder, sys.executable, "-m", "venv", str(folder))
        _install(folder, str(folder / "bin" / "pip"), "install", "-q", "-r", str(packages))
        (folder / "installed").touch()
    return folder


def _install(folder: Path, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        miss(f"the Python clients could not be installed into {folder.name}: {done.stderr.strip()[-300:]}")
