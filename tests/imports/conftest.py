"""Files on disk for the reader, and what it says of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.refusal import Refusal
from models.sheet_cells import Cell
from tasks.sheets.overview import Choices, Overview
from tasks.sheets.reading import inspect, rows


class Reader:
    """Reads one file; the keywords are the choices of the user."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def overview(self, **chosen: Any) -> Overview:
        return inspect(str(self.path), self.path.name, Choices(**chosen))

    def names(self, **chosen: Any) -> list[str]:
        return [column.name for column in self.overview(**chosen).columns]

    def rows(self, **chosen: Any) -> list[tuple[int, list[Cell]]]:
        return [(row.number, row.cells) for row in rows(str(self.path), Choices(**chosen))]

    def cells(self, **chosen: Any) -> list[Cell]:
        """The first column."""
        return [row[1][0] for row in self.rows(**chosen)]

    def refusal(self, **chosen: Any) -> Refusal:
        with pytest.raises(Refusal) as caught:
            self.rows(**chosen)
        return caught.value


@pytest.fixture
def reader(tmp_path: Path) -> Callable[..., Reader]:
    """A reader of a CSV file with these bytes, or of the file that exists at this path."""

    def make(data: bytes | Path, name: str = "customers.csv") -> Reader:
        if isinstance(data, Path):
            return Reader(data)
        (tmp_path / name).write_bytes(data)
        return Reader(tmp_path / name)

    return make
