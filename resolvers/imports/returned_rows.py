"""What a corrected file says otherwise than its import: which rows it means, and which of their cells differ.

The result workbook tells the numbers of its rows in a hidden column.  In the corrected original a row is known by its place,
so rows that have moved there are noticed and refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any, Protocol

from models.errors import OtherWorkbook
from models.sheet_cells import ERROR, FORMULA, LOST, Cell, kind, text

from .staging import StagedRow

AT_ONCE = 1_000
"""Rows that are compared together."""
FEWEST = 20
"""Rows after which a file is taken for another one, if most of them say something else."""
_TOLD = re.compile(r"(\d{1,7})-([0-9a-f]{8})")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")


class Staged(Protocol):
    """A row as it lies in the database."""

    number: int
    cells: Sequence[Cell]
    edits: Mapping[str, Any] | None


@dataclass(frozen=True)
class Columns:
    """Where the columns of an import stand in a corrected file.  `numbers`: the place of the hidden column; None without one."""

    places: Mapping[int, int]
    """Place in the file -> place in the import."""
    numbers: int | None = None


@dataclass
class Corrections:
    """What a file says otherwise.  `edits`: number of a row -> place -> text instead, None for what the sheet said."""

    edits: dict[int, dict[int, Cell]] = field(default_factory=dict)
    added: dict[int, list[Cell]] = field(default_factory=dict)
    """Number -> cells of rows that the import does not have."""


def row_mark(number: int, cells: Sequence[Cell], edits: Mapping[str, Any] | None) -> str:
    """What the hidden column of a result workbook says: the number of the row, and a hash of what it says now."""
    return f"{number}-{_hash(_now(cells, edits))[:8]}"


def corrections(rows: Iterable[StagedRow], columns: Columns, staged: "Known", *, first_new: int = 0) -> Corrections:
    """Compare the rows of a file with those of an import.  `first_new`: the number of the first row that is added.

    Raises OtherWorkbook for a file of something else, and for one whose rows were moved.
    """
    found = Corrections()
    comparing = _ByMark(columns, first_new) if columns.numbers is not None else _ByPlace(columns, staged)
    iterator = iter(rows)
    while some := [*islice(iterator, AT_ONCE)]:
        comparing.compare(some, staged, found)
    comparing.end(found)
    return found


class Known(Protocol):
    """The staged rows of an import."""

    def at(self, numbers: Sequence[int]) -> Mapping[int, Staged]:
        """Those of these numbers that there are."""
        ...

    def all(self) -> Iterator[Staged]:
        """Every one, in the order of the sheet."""
        ...


# --- by the hidden column --------------------------------------------------------------------------------


class _ByMark:
    """Rows of a result workbook, in any order.  A number that comes twice was copied: the second row is a new one."""

    def __init__(self, columns: Columns, first_new: int) -> None:
        self.columns, self.next, self.seen = columns, first_new, set[int]()

    def compare(self, rows: Sequence[StagedRow], staged: Known, found: Corrections) -> None:
        told = [self._told(cells) for _, cells in rows]
        known = staged.at([each[0] for each in told if each is not None])
        for each, (_, cells) in zip(told, rows, strict=True):
            if each is None or each[0] not in known or each[0] in self.seen:
                self._add(cells, found)
                continue
            self.seen.add(each[0])
            row = known[each[0]]
            is_current = row_mark(row.number, row.cells, row.edits) == f"{each[0]}-{each[1]}"
            if edits := _edits(self.columns, cells, row, is_current=is_current):
                found.edits[row.number] = edits

    def end(self, _found: Corrections) -> None:
        """Rows that were deleted are left as they are."""

    def _told(self, cells: Sequence[Cell]) -> tuple[int, str] | None:
        assert self.columns.numbers is not None, "there is such a column"
        told = _TOLD.fullmatch(_plain(_at(cells, self.columns.numbers)))
        return (int(told[1]), told[2]) if told else None

    def _add(self, cells: Sequence[Cell], found: Corrections) -> None:
        if new := _new(self.columns, cells):
            found.added[self.next] = new
            self.next += 1


# --- by place --------------------------------------------------------------------------------------------


class _ByPlace:
    """Rows of the original, which must not have moved."""

    def __init__(self, columns: Columns, staged: Known) -> None:
        self.columns = columns
        self.numbers: dict[str, int] = {}
        for row in staged.all():
            self.numbers.setdefault(_hash(_now(row.cells, None)), row.number)
        self.same, self.moved, self.strange, self.compared = set[int](), dict[int, int](), 0, 0

    def compare(self, rows: Sequence[StagedRow], staged: Known, found: Corrections) -> None:
        known = staged.at([number for number, _ in rows])
        for number, cells in rows:
            here = _in_places(self.columns, cells)
            came_from = self.numbers.get(_hash([_plain(cell) for cell in here]))
            if number not in known:
                if came_from is not None:
                    self.moved[number] = came_from
                found.added[number] = here
                continue
            self._one(known[number], cells, came_from, found)
        if self.compared >= FEWEST:
            self._refuse_strange()

    def end(self, found: Corrections) -> None:
        self._refuse_strange()
        if any(source not in self.same for source in self.moved.values()):
            raise OtherWorkbook(
                why="rows were moved, inserted or deleted, so it cannot be told which is which. Correct the result workbook instead",
                why_zh="行被移动、插入或删除，无法对应原来的行。请改用结果表进行修正",
            )
        found.added = {number: cells for number, cells in found.added.items() if any(_plain(x) for x in cells)}

    def _one(self, row: Staged, cells: Sequence[Cell], came_from: int | None, found: Corrections) -> None:
        self.compared += 1
        changed = _edits(self.columns, cells, row, is_current=False)
        differing = sum(
            1
            for place in self.columns.places
            if _plain(_at(cells, place)) != _plain(_at(row.cells, self.columns.places[place]))
        )
        filled = sum(1 for place in self.columns.places.values() if _plain(_at(row.cells, place)))
        if not differing:
            self.same.add(row.number)
        elif came_from is not None:
            self.moved[row.number] = came_from
        self.strange += differing * 2 > max(filled, 1) and differing > 1 and came_from is None
        if changed:
            found.edits[row.number] = changed

    def _refuse_strange(self) -> None:
        if self.strange * 2 > self.compared and self.compared > 1:
            raise OtherWorkbook(
                why="its headings are the same, but most of its rows say something else. Begin a new import with it",
                why_zh="表头相同，但多数行的内容不同。请用它新建导入",
            )


# --- cells -----------------------------------------------------------------------------------------------


def _edits(columns: Columns, cells: Sequence[Cell], row: Staged, *, is_current: bool) -> dict[int, Cell]:
    """The cells that say something else now.  What the sheet said stays corrected, unless the file knows the correction."""
    kept, changed = row.edits or {}, dict[int, Cell]()
    for place, target in columns.places.items():
        given, read = _at(cells, place), _at(row.cells, target)
        said = _plain(given)
        if said == _plain(kept.get(str(target), read)):
            continue
        if said != _plain(read):
            changed[target] = _kept(given)
        elif is_current:
            changed[target] = None
    return changed


def _kept(cell: Cell) -> Cell:
    """An edit as it is stored: a text; what cannot be read stays as it is, for the check to refuse."""
    return cell if kind(cell) in (ERROR, FORMULA, LOST) else text(cell)


def _new(columns: Columns, cells: Sequence[Cell]) -> list[Cell]:
    made = _in_places(columns, cells)
    return made if any(_plain(cell) for cell in made) else []


def _in_places(columns: Columns, cells: Sequence[Cell]) -> list[Cell]:
    made: list[Cell] = [None] * (max(columns.places.values(), default=-1) + 1)
    for place, target in columns.places.items():
        made[target] = _at(cells, place)
    return made


def _at(cells: Sequence[Cell], place: int) -> Cell:
    return cells[place] if place < len(cells) else None


def _now(cells: Sequence[Cell], edits: Mapping[str, Any] | None) -> list[str]:
    said = [*cells]
    for place, cell in (edits or {}).items():
        said.extend([None] * (int(place) + 1 - len(said)))
        said[int(place)] = cell
    return [_plain(cell) for cell in said]


def _hash(texts: Sequence[str]) -> str:
    last = max((at for at, said in enumerate(texts) if said), default=-1)
    joined = "\x1f".join(texts[: last + 1])
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _plain(cell: Cell) -> str:
    """What a cell says, whatever a workbook makes of line ends, blanks at the ends and characters that it cannot hold."""
    said = _CONTROL.sub("", text(cell)).replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPED.sub("_", said).strip()
