"""Exports in tests: asked for, written inline by the job, and read back from their files."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl

import tasks
from models import Base
from models.export import ExportFormat, ExportRange
from resolvers.exports import exports
from resolvers.exports.exports import Made, Order
from resolvers.exports.listing import Listing
from resolvers.runtime.file_store import FileStore
from tasks.engine import Engine
from tests.support.world import World


class Exports:
    """The exports of a world, whose files lie in `folder`."""

    def __init__(self, world: World, folder: Path) -> None:
        tasks.load()
        self.world, self.folder = world, folder
        world.backend.files = FileStore(folder)

    def start(
        self, login: str, model: type[Base], listing: Listing | None = None, columns: Sequence[str] = (), **more: Any
    ) -> int:
        range = ExportRange.SELECTION if listing and listing.ids else ExportRange.FILTER
        order = Order(model, listing or Listing(), more.pop("range", range), columns, **more)
        id: int = self.world.scope(login).do(exports.start, order)
        return id

    def run(self) -> None:
        Engine(self.world.backend, "test").run_due()

    def of(self, login: str, id: int) -> Made | None:
        return self.world.run(self.world.scope(login).read(exports.export, id))

    def made(self, login: str, model: type[Base], *args: Any, **more: Any) -> list[list[Any]]:
        """The rows of a new export, its heading first."""
        id = self.start(login, model, *args, **more)
        self.run()
        return self.rows(login, id)

    def rows(self, login: str, id: int) -> list[list[Any]]:
        found = self.world.scope(login).do(exports.download, id)
        path = self.folder / found.stored
        return csv_rows(path) if found.stored.endswith(".csv") else xlsx_rows(path)


def xlsx_rows(path: Path) -> list[list[Any]]:
    """The values of the first sheet, without the cells' types."""
    with opened(path) as book:
        return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    book = openpyxl.load_workbook(path)
    try:
        yield book
    finally:
        book.close()


def csv_rows(path: Path) -> list[list[Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [[value or None for value in row] for row in csv.reader(file)]


CSV = {"format": ExportFormat.CSV}
