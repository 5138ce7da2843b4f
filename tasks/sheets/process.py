"""The child process that reads a file, seen from here: started, listened to, and ended.

Readers may abort the whole process at a hostile file of two kilobytes, so none runs in this one.  The child limits itself
before it imports anything; nothing runs between fork and exec, because servers have threads.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import structlog

from models.errors import REFUSALS, SheetDamaged, SheetTooHeavy

from .limits import MIB, Limits

_CHILD = Path(__file__).with_name("child.py")
_READERS = ("orjson", "python_calamine", "xlrd")
_PIPE_BYTES = 1 << 20
_LONGEST_LINE = 64 * MIB
_log = structlog.get_logger("millpond")


def listen(request: Mapping[str, Any], limits: Limits) -> Generator[Any, None, None]:
    """What the child writes, one value per line of JSON.  It is killed when the caller stops.

    Raises the refusal that it names; SheetTooHeavy if it ends by its limits, is too slow, or aborts.
    """
    process = start(request, limits)
    try:
        for line in _lines(process, limits.seconds):
            yield _checked(orjson.loads(line))
        if code := process.wait():
            raise _ended(code)
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def start(request: Mapping[str, Any], limits: Limits) -> "subprocess.Popen[bytes]":
    """The child process at work, with its answers on its standard output."""
    arguments = [
        str(limits.memory_mib * MIB),
        str(limits.cpu_seconds),
        os.pathsep.join(_places()),
        orjson.dumps(request).decode(),
    ]
    process = subprocess.Popen(  # noqa: S603  # our own file, and arguments that it only parses
        [sys.executable, "-I", "-S", "-B", str(_CHILD), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        bufsize=0,
    )
    _widen(process)
    return process


def _lines(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[bytes]:
    """Lines as they come.  Only the time that this process waits for the child counts, not what the caller does meanwhile."""
    assert process.stdout
    pipe = process.stdout.fileno()
    ready = select.poll()
    ready.register(pipe, select.POLLIN | select.POLLHUP)
    rest: list[bytes] = []
    held = 0
    while True:
        began = time.monotonic()
        if not ready.poll(max(0.0, seconds) * 1000):
            raise SheetTooHeavy
        seconds -= time.monotonic() - began
        block = os.read(pipe, _PIPE_BYTES)
        if not block:
            return
        *lines, last = block.split(b"\n")
        if lines:
            lines[0] = b"".join([*rest, lines[0]])
            rest, held = [], 0
            yield from lines
        rest.append(last)
        held += len(last)
        if held > _LONGEST_LINE:
            raise SheetTooHeavy


def _checked(message: Any) -> Any:
    if isinstance(message, dict) and (code := message.get("refused")):
        if because := message.get("because"):
            _log.info("sheet.unreadable", because=because)
        raise REFUSALS[code](**message["words"])
    return message


def _ended(code: int) -> Exception:
    """Killed by a signal: by its limits, or a reader aborted, which is how readers run out of memory."""
    _log.info("sheet.reader_ended", code=code)
    return SheetTooHeavy() if code < 0 else SheetDamaged()


@cache
def _places() -> list[str]:
    """Where the readers are installed, because the child looks nowhere by itself."""
    found = (find_spec(name) for name in _READERS)
    return sorted({str(Path(spec.origin).parent.parent) for spec in found if spec and spec.origin})


def _environment() -> dict[str, str]:
    """Nothing but what Python itself may need to start: settings and passwords stay here."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT", "PATH") if name in os.environ}


def _widen(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        assert process.stdout
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
