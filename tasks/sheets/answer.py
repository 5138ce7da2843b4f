"""What the child process writes: an overview, rows, or why the file is refused."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import orjson

from .file_kind import open_table
from .limits import MIB, Limits
from .overview import Choices
from .refused import Refused
from .table import Row, Table, look_over, rows_below, too_long

CELLS_AT_ONCE = 1024
LINE_BYTES = 8 * MIB


def answer(request: str, out: BinaryIO) -> None:
    """Read as the request says, and write lines of JSON.  Nothing is raised: what breaks is a refusal."""
    asked = orjson.loads(request)
    try:
        _answer(asked, out)
    except Refused as refused:
        _write(out, {"refused": refused.code, "words": refused.words})
    except MemoryError:
        _write(out, {"refused": "SHEET_TOO_HEAVY", "words": {}})
    except BrokenPipeError:
        return
    except BaseException as error:  # noqa: BLE001  # readers panic at damaged files, and this process is for one file
        _write(out, {"refused": "SHEET_DAMAGED", "words": {}, "because": f"{type(error).__name__}: {error}"[:500]})


def _answer(asked: dict[str, Any], out: BinaryIO) -> None:
    choices, limits = Choices(**asked["choices"]), Limits(**asked["limits"])
    inspecting = asked["what"] == "inspect"
    table = open_table(asked["path"], asked["name"], choices, limits, count_sheets=inspecting)
    if inspecting:
        _write(out, {"overview": asdict(look_over(table, choices, limits))})
        return
    _write_rows(table, choices, limits, out)
    _write(out, {"all": True})


def _write_rows(table: Table, choices: Choices, limits: Limits, out: BinaryIO) -> None:
    written = 0
    for batch in _batches(rows_below(table, choices, limits)):
        for line in _lines(batch):
            if len(line) > limits.cell_characters:
                _check_lengths(batch, limits)
            written += len(line)
            if written > limits.text_mib * MIB:
                raise Refused("TOO_MUCH_TEXT", limit=limits.text_mib)
            _send(out, line)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    cells = 0
    for row in rows:
        batch.append(row)
        cells += len(row[2])
        if cells >= CELLS_AT_ONCE:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


def _lines(batch: list[Row]) -> Iterator[bytes]:
    """Rows as lines of JSON that the parent may hold, however long their cells are."""
    line = orjson.dumps(batch)
    if len(line) <= LINE_BYTES or len(batch) == 1:
        yield line
        return
    middle = len(batch) // 2
    yield from _lines(batch[:middle])
    yield from _lines(batch[middle:])


def _check_lengths(batch: list[Row], limits: Limits) -> None:
    for number, _, cells in batch:
        for column, cell in enumerate(cells):
            if isinstance(cell, str) and len(cell) > limits.cell_characters:
                raise too_long(number, column, limits)


def _write(out: BinaryIO, message: dict[str, Any]) -> None:
    _send(out, orjson.dumps(message))


def _send(out: BinaryIO, line: bytes) -> None:
    rest = memoryview(line + b"\n")
    while rest:
        rest = rest[out.write(rest) :]
