"""The jobs: what runs by itself beside the requests.  A job is found by its file."""

import inspect
from collections.abc import Awaitable, Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from models.declaration import Misdeclared
from resolvers.runtime.backend import Backend

Job = Callable[[Backend], Awaitable[None]]
_JOBS: list[Job] = []


def job(work: Job) -> Job:
    """Run `async (backend)` from the start of the server on, until it is cancelled at the end.

    What it raises is logged and it begins again; it returns when nothing is left to do.
    """
    _JOBS.append(work)
    return work


def jobs() -> list[Job]:
    """Every job of every file of this package, by file.  Raises Misdeclared for what would never run."""
    for file in iter_modules(__path__):
        _check(import_module(f"{__name__}.{file.name}"))
    return sorted(_JOBS, key=lambda work: work.__module__)


def _check(file: ModuleType) -> None:
    name = f"{file.__name__.replace('.', '/')}.py"
    own = [x for x in vars(file).values() if inspect.iscoroutinefunction(x) and x.__module__ == file.__name__]
    if not any(work.__module__ == file.__name__ for work in _JOBS):
        raise Misdeclared(f"{name} defines no job. Decorate its function with @job, or move the file to who uses it.")
    for work in own:
        if work not in _JOBS and not work.__name__.startswith("_"):
            raise Misdeclared(f"{name}: {work.__name__} is no job. Decorate it with @job, or call it _{work.__name__}.")
