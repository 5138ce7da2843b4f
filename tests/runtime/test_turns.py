"""Turns of SQLite's writers: a user's change beside a job in another process."""

import fcntl
import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from models.database import turns
from models.database.engines import writing_engine

CHUNK_SECONDS = 0.02
IN_BETWEEN = 2
"""Chunks that a job may begin between the first try of a user and the begin of their transaction: one that runs already,
and one that began while the user took the lock."""
CHUNK, TURN = "UPDATE chunk SET number = number + 1", "SELECT number FROM chunk"
_processes = multiprocessing.get_context("fork")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The address of a database that counts the chunks of a job."""
    url = f"sqlite:///{tmp_path}/turns.db"
    engine = writing_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE chunk (number INTEGER)"))
        connection.execute(text("INSERT INTO chunk VALUES (0)"))
    engine.dispose()
    return url


def work(url: str, stop: Event, yields: bool = True) -> None:
    """Write one chunk after the other, like a worker with a long job."""
    engine = writing_engine(url, yields=yields)
    while not stop.is_set():
        with engine.begin() as connection:
            connection.execute(text(CHUNK))
            time.sleep(CHUNK_SECONDS)


@contextmanager
def worker(url: str) -> Iterator[None]:
    """A job in another process; it has begun."""
    stop = _processes.Event()
    process = _processes.Process(target=work, args=(url, stop), daemon=True)
    process.start()
    try:
        while committed(url) == 0:
            time.sleep(0.005)
        yield
    finally:
        stop.set()
        process.join(10)
        process.kill()


def committed(url: str) -> int:
    with sqlite3.connect(make_url(url).database or "") as looking:
        number: int = looking.execute(TURN).fetchone()[0]
    looking.close()
    return number


def test_a_users_change_begins_before_the_next_chunk_of_a_job(file: str) -> None:
    engine = writing_engine(file)
    with worker(file):
        for _ in range(8):
            before = committed(file)
            with engine.begin() as connection:
                in_between = connection.execute(text(TURN)).scalar_one() - before
            assert in_between <= IN_BETWEEN
        done = committed(file)
        time.sleep(4 * CHUNK_SECONDS)
        assert committed(file) > done, "the job goes on when no user waits"
    engine.dispose()


def test_a_job_goes_on_after_its_wait_though_users_never_stop_waiting(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "YIELD_SECONDS", 0.05)
    engine = writing_engine(file, yields=True)
    with turns._Turn(make_url(file).database or "") as waiting:
        assert waiting._lock(fcntl.LOCK_SH)
        began = time.monotonic()
        with engine.begin() as connection:
            connection.execute(text(CHUNK))
        assert time.monotonic() - began >= turns.YIELD_SECONDS
    assert committed(file) == 1
    engine.dispose()


@pytest.mark.parametrize("yields", [False, True])
def test_a_file_that_stays_locked_is_said_to_be_locked(
    file: str, yields: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.03)
    holding, engine = writing_engine(file), writing_engine(file, yields=yields)
    with holding.begin(), pytest.raises(OperationalError, match="database is locked"), engine.begin():
        pass
    with engine.begin() as connection:
        connection.execute(text(CHUNK))
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == turns.BUSY_MILLISECONDS
    assert committed(file) == 1
    for each in (holding, engine):
        each.dispose()
