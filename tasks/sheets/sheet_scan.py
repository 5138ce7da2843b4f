"""One pass over the XML of a sheet before a reader opens it: limits are held, and what readers drop is noted.

Rows are taken one by one as text.  Only a row that holds something special is taken apart: an error, a formula without a
result, or a number that its format shows as something else.  What it says stands in `SheetScan.instead`.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from operator import itemgetter

from models.sheet_cells import ERROR, FORMULA, Cell, column_index

from .archive import Archive, refuse_doctype
from .limits import MIB, Limits
from .refused import Refused, damaged, unusual
from .sheet_patterns import HIDDEN, NUMBER, REFERENCE, ROOT, ROW_NUMBER, STYLE, TYPE, has_markup, patterns
from .workbook_parts import SheetPart, Workbook

_LONGEST_ROW = 32 * MIB
_SLASH = ord("/")
EXCEL_ROWS = 1_048_576
"""Rows of a sheet, blank ones included."""


Note = tuple[int, int, Cell]


@dataclass
class SheetScan:
    """`rows`: rows with something in them.  `instead`: what readers drop or change, as row (from 1), column (from 0), cell; by rows.

    `merges`: first row, first column, last row, last column; rows from 1, columns from 0.
    """

    rows: int = 0
    last_row: int = 0
    columns: int = 0
    hidden: set[int] = field(default_factory=set)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    instead: list[Note] = field(default_factory=list)


def scan(archive: Archive, book: Workbook, sheet: SheetPart, limits: Limits) -> SheetScan:
    """Refuses: too many columns, rows or cells, document types, markup that hides cells from this pass, and broken XML."""
    return _Pass(archive, book, sheet, limits).run()


class _Pass:
    def __init__(self, archive: Archive, book: Workbook, sheet: SheetPart, limits: Limits) -> None:
        self.archive, self.book, self.sheet, self.limits = archive, book, sheet, limits
        self.found = SheetScan()
        self.row = 0

    def run(self) -> SheetScan:
        self.blocks = self.archive.blocks(self.sheet.part)
        rest, head = b"", self._begin()
        self._count_ahead(head)
        for block in chain([head], self.blocks):
            cut = (rest := rest + block).rfind(self.look.end_row)
            if cut >= 0:
                cut += len(self.look.end_row)
                self._rows(rest[:cut])
                rest = rest[cut:]
            elif len(rest) > _LONGEST_ROW:
                raise unusual("row")
        self._tail(rest)
        self._hold_area()
        self.found.instead.sort(key=itemgetter(0))
        return self.found

    def _begin(self) -> bytes:
        head = b""
        for block in self.blocks:
            head += block
            if (root := ROOT.search(head)) or len(head) > MIB:
                break
        else:
            root = ROOT.search(head)
        if not root:
            raise damaged()
        prefix = root[1] + b":" if root[1] else b""
        self.look = patterns(prefix, self.limits.columns, tuple(self.book.shapes))
        refuse_doctype(head)
        if b"<!" in head[: root.start()]:
            raise unusual("markup")
        return head[root.start() :]

    def _count_ahead(self, head: bytes) -> None:
        """Refuse far too many rows at once: if the first ones are so short, all are counted before any is looked at."""
        end, part, most = self.look.end_row, self.sheet.part, max(self.limits.rows, EXCEL_ROWS)
        if head.count(end) * self.archive.size(part) > most * len(head):
            edge, count = b"", 0
            for block in self.archive.blocks(part):
                count += (edge + block).count(end)
                edge = block[1 - len(end) :]
            self._hold_rows(count if count > most else 0)

    def _rows(self, block: bytes) -> None:
        """Whole rows."""
        if has_markup(block):
            refuse_doctype(block)
            raise unusual("markup")
        for digits in self.look.far.findall(block) if self.look.maybe_far.search(block) else ():
            if not digits:
                raise self._too_many_columns()
            self._hold_rows(int(digits[:9]))
        special = self.look.special(block)
        for row in block.split(self.look.end_row)[:-1]:
            self._row(row, special=special)

    def _row(self, row: bytes, *, special: bool) -> None:
        look, found = self.look, self.found
        attributes = self._begin_row(row)
        if look.value_sign not in row and not look.value.search(row):
            return
        self._hold_rows(self.row)
        if b"hidden" in attributes and HIDDEN.search(attributes):
            found.hidden.add(self.row)
        found.rows += 1
        if self.row > found.last_row:
            found.last_row = self.row
        if (columns := self._columns(row)) > found.columns:
            if columns > self.limits.columns:
                raise self._too_many_columns()
            found.columns = columns
        if special and look.special(row):
            self._take_apart(row)

    def _begin_row(self, row: bytes) -> bytes:
        """The attributes of a row, whose number is taken.  Rows without anything inside may stand before it."""
        look = self.look
        if row.startswith(look.plain_row):
            begin, end = len(look.plain_row), row.find(b">")
            digits = row[begin : row.find(b'"', begin)]
            if digits.isdigit() and len(digits) < 10 and row[end - 1] != _SLASH:
                self.row = int(digits)
                return row[begin:end]
        last = look.row.match(row, max(0, row.rfind(look.row_sign)))
        if last and (number := last[1] or ((found := ROW_NUMBER.search(last[2])) and found[1])):
            self.row = int(number)
            return last[2]
        self.row += row.count(look.row_sign)
        return last[2] if last else b""

    def _columns(self, row: bytes) -> int:
        """The last column that holds something: by its reference, else by counting."""
        last = row.rfind(self.look.cell, 0, row.rfind(self.look.end_cell))
        if last >= 0 and row.startswith(self.look.plain_cell, last):
            begin = last + len(self.look.plain_cell)
            letters = row[begin : begin + 4].rstrip(b"0123456789")
            if letters.isalpha() and letters.isupper():
                return _columns_to(letters)
        reference = REFERENCE.search(row, last, row.find(b">", last)) if last >= 0 else None
        if reference:
            return _columns_to(reference[1])
        return len(self._cells(row)) if row.count(self.look.cell) > self.found.columns else 0

    def _cells(self, row: bytes) -> list[tuple[bytes, bytes]]:
        """Attributes and inside of each cell, up to the last that holds something."""
        return self.look.cells.findall(self._closed(row))

    def _closed(self, row: bytes) -> bytes:
        """A row up to the end of its last cell, so that every cell has an end before that of the row."""
        return row[: row.rfind(self.look.end_cell) + len(self.look.end_cell)] if self.look.end_cell in row else b""

    def _take_apart(self, row: bytes) -> None:
        """Note the special cells of a row: those alone if they say where they are, else all cells are counted."""
        marked = [] if self.look.lacks_result(row) else self.look.marked.findall(self._closed(row))
        places = [REFERENCE.search(attributes) for attributes, _ in marked]
        if marked and all(places):
            for (attributes, inside), place in zip(marked, places, strict=True):
                if inside and place and (cell := self._special(attributes, inside)) is not None:
                    self.found.instead.append((int(place[2]), _columns_to(place[1]) - 1, cell))
        else:
            self._count_cells(row)

    def _count_cells(self, row: bytes) -> None:
        column, number = -1, self.row
        for attributes, inside in self._cells(row):
            column += 1
            if place := REFERENCE.search(attributes):
                column, number = _columns_to(place[1]) - 1, int(place[2])
            if inside and (cell := self._special(attributes, inside)) is not None:
                self.found.instead.append((number, column, cell))

    def _special(self, attributes: bytes, inside: bytes) -> Cell:
        """What a cell says where readers drop or change it; else None."""
        look = self.look
        kind = found[1] if (found := TYPE.search(attributes)) else b"n"
        stored = found[1].strip() if (found := look.stored.search(inside)) else b""
        if kind == b"e":
            return [ERROR, stored.decode("utf-8", "replace")[:40] or "#VALUE!"]
        if not stored:
            without = look.formula.search(inside) and not (kind == b"str" and look.empty.search(inside))
            return [FORMULA, ""] if without else None
        if kind != b"n" or not (style := STYLE.search(attributes)) or not NUMBER.fullmatch(stored):
            return None
        shape = self.book.shapes.get(int(style[1]))
        return shape.show(stored.decode(), since_1904=self.book.since_1904) if shape else None

    def _tail(self, rest: bytes) -> None:
        data, end, after = rest.partition(self.look.end)
        self._leftover(data)
        if b"<!" in after:
            refuse_doctype(after)
        if not end and b"<sheetData" in data and b"sheetData/>" not in data.replace(b" ", b""):
            raise damaged()
        for first, top, last, bottom in self.look.merge.findall(after):
            self.found.merges.append((int(top), column_index(first.decode()), int(bottom), column_index(last.decode())))

    def _leftover(self, data: bytes) -> None:
        """Rows without an end of their own, and cells outside of rows."""
        if has_markup(data):
            refuse_doctype(data)
            raise unusual("markup")
        if self.look.value.search(data):
            raise damaged()

    def _hold_rows(self, number: int) -> None:
        if number > self.limits.rows + 1:
            raise Refused("TOO_MANY_ROWS", sheet=self.sheet.name, limit=self.limits.rows)

    def _hold_area(self) -> None:
        rows, columns = self.found.last_row, self.found.columns
        if rows * columns > self.limits.cells:
            raise Refused("TOO_MANY_CELLS", sheet=self.sheet.name, rows=rows, columns=columns)

    def _too_many_columns(self) -> Refused:
        return Refused("TOO_MANY_COLUMNS", sheet=self.sheet.name, limit=self.limits.columns)


@lru_cache(maxsize=1024)
def _columns_to(letters: bytes) -> int:
    return column_index(letters.decode()) + 1
