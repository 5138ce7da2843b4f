"""The write-ahead log of SQLite beside steady readers."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from models.database import write_log
from models.database.engines import writing_engine

LARGEST, WRITES, BYTES = 2**20, 40, 200_000


@contextmanager
def readers(file: Path) -> Iterator[None]:
    """Readers whose transactions overlap, so that hardly a moment is without one."""
    stop = threading.Event()

    def read() -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        while not stop.is_set():
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM page").fetchone()
            time.sleep(0.01)
            connection.execute("COMMIT")
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.004)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def largest_log(file: Path) -> int:
    """Size of the log at its largest while a job writes beside readers."""
    engine, sizes = writing_engine(f"sqlite:///{file}", yields=True), []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS page (content BLOB)"))
    with readers(file):
        for _ in range(WRITES):
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO page VALUES (randomblob(:n))"), {"n": BYTES})
            sizes.append(os.stat(f"{file}-wal").st_size)
    engine.dispose()
    return max(sizes)


def test_jobs_keep_the_log_small_beside_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_log, "LARGEST_BYTES", LARGEST)
    monkeypatch.setattr(write_log, "WAIT_MILLISECONDS", 2_000)
    monkeypatch.setattr(write_log, "RETRY_SECONDS", 0)

    assert largest_log(tmp_path / "jobs.db") < LARGEST + 3 * BYTES


def test_a_reader_who_does_not_end_sees_what_was_there_and_stops_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_log, "LARGEST_BYTES", LARGEST)
    file = tmp_path / "long.db"
    engine = writing_engine(f"sqlite:///{file}", yields=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE page (content BLOB)"))
    reading = sqlite3.connect(file, isolation_level=None)
    reading.execute("BEGIN")
    assert reading.execute("SELECT count(*) FROM page").fetchone() == (0,)

    for _ in range(WRITES):
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO page VALUES (randomblob(:n))"), {"n": BYTES})

    assert reading.execute("SELECT count(*) FROM page").fetchone() == (0,)
    reading.execute("COMMIT")
    assert reading.execute("SELECT count(*) FROM page").fetchone() == (WRITES,)
    reading.close()
    engine.dispose()
