"""Reading an import file: what is in it, and its rows.  The file is parsed in a child process with limits, never in this one."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

from models.errors import SheetTooHeavy

from .limits import Limits
from .overview import Choices, Overview, SheetRow, overview_from
from .process import listen

NO_CHOICES = Choices()
DEFAULT_LIMITS = Limits()


def inspect(path: str, name: str, choices: Choices = NO_CHOICES, limits: Limits = DEFAULT_LIMITS) -> Overview:
    """The overview of a file that the user called `name`.  Raises a refusal of `models/sheet_errors.py`.

    The whole chosen sheet is read, because its blank and hidden rows are counted.
    """
    for message in listen(_request("inspect", path, name, choices, limits), limits):
        return overview_from(message["overview"])
    raise SheetTooHeavy


def rows(path: str, choices: Choices = NO_CHOICES, limits: Limits = DEFAULT_LIMITS) -> Iterator[SheetRow]:
    """The rows below the header that hold something, in their order.  Raises a refusal of `models/sheet_errors.py`.

    The refusal may come after rows.  The child process lives until the last row or until the iterator is closed.
    """
    messages = listen(_request("rows", path, "", choices, limits), limits)
    try:
        for message in messages:
            if isinstance(message, dict):
                return
            for number, hidden, cells in message:
                yield SheetRow(number, hidden, cells)
    finally:
        messages.close()
    raise SheetTooHeavy


def _request(
    what: Literal["inspect", "rows"], path: str, name: str, choices: Choices, limits: Limits
) -> dict[str, Any]:
    return {"what": what, "path": path, "name": name, "choices": asdict(choices), "limits": asdict(limits)}
