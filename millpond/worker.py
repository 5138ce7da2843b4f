"""`millpond worker`: a process that runs jobs and services until it is told to stop."""

from collections.abc import Callable

from tasks.worker import work_until_stopped

from . import logs
from .settings import Settings
from .web import backend


def work(settings: Settings, threads: int, when_ready: Callable[[], None]) -> None:
    """Run jobs, `threads` at a time, until SIGINT or SIGTERM; the chunks that run then are finished."""
    logs.set_up(settings.log_level, settings.log_format)
    work_until_stopped(backend(settings, yields=True), threads, when_ready)
