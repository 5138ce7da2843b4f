"""What runs beside the requests: kinds of jobs, and services.  Both are found by their file.

A kind of jobs (`@job`) is a function that does one chunk; a use case enqueues it with `scope.later`, or a schedule does.
A service (`@service`) is a loop that a worker runs for as long as it lives.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from models.declaration import Misdeclared
from models.names import Names
from policies.rights import check_rights
from resolvers.jobs.kinds import KINDS, Chunk, Kind, add_kind
from resolvers.runtime.backend import Backend

Service = Callable[[Backend], Awaitable[None]]
_SERVICES: list[Service] = []
_ENGINE = frozenset({"engine", "lookout", "restarting", "sheets", "smtp", "workbooks", "worker"})
"""What lies in this package, and declares no jobs: what runs them, and what reads and writes files for them."""


def job(action: str, *, en: str, zh: str, **options: Any) -> Callable[[Chunk], Chunk]:
    """Declare a kind of jobs under the name of the function; `en` and `zh` are what users call it.

    `action` is the right that is asked for before each chunk.  `options` are those of `Kind`: ready, schedule, role, delay.
    """

    def declare(chunk: Chunk) -> Chunk:
        check_rights([(action, f"{_file_of(chunk)}: {chunk.__name__}")])
        add_kind(Kind(chunk.__name__, Names(en, en, zh=zh), action, chunk, **options))
        return chunk

    return declare


def service(work: Service) -> Service:
    """Run `async (backend)` in a worker from its start on, until it is cancelled at the end.

    What it raises is logged and it begins again; it returns when nothing is left to do.
    """
    _SERVICES.append(work)
    return work


def load() -> None:
    """Import every file of this package.  Raises Misdeclared for what would never run."""
    for file in iter_modules(__path__):
        module = import_module(f"{__name__}.{file.name}")
        if file.name not in _ENGINE:
            _check(module)


def services() -> list[Service]:
    """Every service of every file of this package, by file."""
    load()
    return sorted(_SERVICES, key=lambda work: work.__module__)


def _check(file: ModuleType) -> None:
    name, declared = f"{file.__name__.replace('.', '/')}.py", set(_declared())
    own = [x for x in vars(file).values() if inspect.isfunction(x) and x.__module__ == file.__name__]
    if declared.isdisjoint(own):
        raise Misdeclared(
            f"{name} defines neither a job nor a service. Decorate its function with @job or @service, "
            "or move the file to who uses it."
        )
    for work in own:
        if work not in declared and not work.__name__.startswith("_"):
            raise Misdeclared(
                f"{name}: {work.__name__} is neither a job nor a service. Decorate it with @job or @service, "
                f"or call it _{work.__name__}."
            )


def _declared() -> Iterator[Callable[..., Any]]:
    yield from _SERVICES
    yield from (kind.chunk for kind in KINDS.values())


def _file_of(work: Callable[..., Any]) -> str:
    return f"{work.__module__.replace('.', '/')}.py"
