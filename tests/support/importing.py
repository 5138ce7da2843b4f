"""Imports in tests: files begun as an upload begins them, and read inline by the job."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

import tasks
from resolvers.imports import batches
from resolvers.runtime.file_store import FileStore
from tasks.engine import Engine
from tests.support.world import World


class Files:
    """Brings files into a world, whose store lies in a folder of the test."""

    def __init__(self, world: World, folder: Path) -> None:
        tasks.load()
        self.world, world.backend.files = world, FileStore(folder)

    def sheet(self, rows: Sequence[Sequence[Any]], *, second: Sequence[Sequence[Any]] = ()) -> bytes:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        if second:
            other = book.create_sheet("Second")
            for row in second:
                other.append(row)
        path = self.world.backend.files.scratch("made.xlsx")
        book.save(path)
        return path.read_bytes()

    def begin(self, login: str, content: bytes, *, target: str = "customer", name: str = "客户.xlsx") -> int:
        stored = batches.stored_name("xlsx")
        with self.world.backend.files.opened(stored) as file:
            file.write(content)
        digest = hashlib.sha256(content).hexdigest()
        id: int = self.world.scope(login).do(batches.begin, target, name, stored, digest)
        return id

    def run(self) -> None:
        Engine(self.world.backend, "test").run_due()
