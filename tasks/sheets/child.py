"""The process that reads one file: limited from its first line on, without environment, and gone with the file.

It is run as a file, and imports this package and the types of cells without the rest of Millpond, because its start
counts.  Arguments: limits of the process, where the readers are installed, and the request as JSON.  It writes lines of
JSON: one object, or lists of rows and at the end an object that says that all are there.
"""

import gc
import os
import sys
from types import ModuleType
from typing import BinaryIO


def _limit(memory: int, seconds: int) -> None:
    """Before anything else is imported.  Systems without such limits have none to set."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _load() -> None:
    """`models` and `tasks` as bare packages: their own first files would import all of Millpond."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for name in ("models", "tasks"):
        package = ModuleType(name)
        package.__path__ = [os.path.join(root, name)]
        sys.modules[name] = package


def _alone() -> BinaryIO:
    """Where answers go.  What libraries print goes nowhere."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return out


def main() -> None:
    memory, seconds, places, request = sys.argv[1:5]
    _limit(int(memory), int(seconds))
    sys.path.extend(places.split(os.pathsep))
    out = _alone()
    _load()
    gc.disable()  # rows hold no circles, and there are millions of them
    from tasks.sheets.answer import answer

    answer(request, out)


if __name__ == "__main__":
    main()
