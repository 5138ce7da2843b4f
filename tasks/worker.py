"""The worker: threads that run jobs, and services beside them, until the process is told to stop."""

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial

import structlog

from resolvers.runtime.backend import Backend

from . import services
from .engine import Engine
from .lookout import lookout
from .restarting import restarting

IDLE_SECONDS = 1.0
"""How long an idle thread waits before it looks again by itself."""
_log = structlog.get_logger("millpond.worker")


def work_until_stopped(backend: Backend, threads: int, when_ready: Callable[[], None]) -> None:
    """Run jobs and services until SIGINT or SIGTERM; a chunk that runs then is finished and its job put back."""
    asyncio.run(_work(backend, threads, when_ready))


async def _work(backend: Backend, threads: int, when_ready: Callable[[], None]) -> None:
    stopping, told = threading.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    running = [asyncio.create_task(restarting(partial(service, backend))) for service in services()]
    working = [threading.Thread(target=run_jobs, args=(backend, stopping), name=f"jobs {n}") for n in range(threads)]
    try:
        await backend.start()
        for thread in working:
            thread.start()
        when_ready()
        await told.wait()
    finally:
        stopping.set()
        for thread in working:
            if thread.ident is not None:
                await asyncio.to_thread(thread.join)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await backend.close()  # a writer that stays open would keep the process alive


def run_jobs(backend: Backend, stopping: threading.Event) -> None:
    """Run jobs one after the other until `stopping`; a database that is away is asked again, and mentioned once."""
    is_away = False
    while not stopping.is_set():
        try:
            with closing(lookout(backend.url)) as at:
                if is_away:
                    _log.info("the database is back, jobs go on")
                is_away = False
                engine = Engine(backend, at.name, stopping.is_set)
                while not stopping.is_set():
                    engine.fire()
                    if not (at.is_due(backend.clock()) and engine.run_one()):
                        at.wait(IDLE_SECONDS, stopping)
                        engine.give_up(at.lost())
        except Exception as failure:  # noqa: BLE001  a worker ends when it is told to, and for nothing else
            if not is_away:
                _log.warning("jobs wait for the database", cause=type(failure).__name__, exc_info=True)
            is_away = True
            stopping.wait(IDLE_SECONDS)
