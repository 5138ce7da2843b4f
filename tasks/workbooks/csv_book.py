"""CSV that spreadsheets open as it is meant: UTF-8 with its mark, and no text that runs as a formula."""

import csv
import io
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from models.csv_guard import guarded
from resolvers.exports.cells import Cell
from resolvers.exports.writing import Sheet

from .texts import without_control


class CsvBook:
    """A CSV file that lies on the disk while it is written."""

    def __init__(self, sheet: Sheet) -> None:
        self.rows = 0
        # It has no name, so a process that ends leaves nothing behind; it lies in the folder of exports, which is private.
        self._raw = tempfile.TemporaryFile(dir=Path(sheet.scratch).parent)  # noqa: SIM115  open until the file is saved
        self._file = io.TextIOWrapper(self._raw, encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow([guarded(without_control(text)) for text in sheet.headings])

    def __del__(self) -> None:
        """Let go of what was never saved: the export was cancelled, or another process goes on with it."""
        self._file.close()

    def add(self, row: Sequence[Cell]) -> None:
        self._csv.writerow([_said(value) for value in row])
        self.rows += 1

    def save(self, file: BinaryIO) -> None:
        self._file.flush()
        self._raw.seek(0)
        shutil.copyfileobj(self._raw, file)
        self._file.close()


def _said(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return guarded(without_control(value)) if isinstance(value, str) else str(value)
