"""One pass over the XML of a sheet before a reader opens it: limits are held, and what readers drop is noted.

Rows are taken one by one as text.  Only a row that holds something special is taken apart: an error, a formula without a
result, or a number that its format shows as something else.  What it says stands in `SheetScan.instead`.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from models.sheet_cells import ERROR, FORMULA, Cell, column_index, column_letters

from .archive import Archive, refuse_doctype
from .limits import MIB, Limits
from .refused import Refused, damaged, unusual
from .workbook_parts import SheetPart, Workbook

_LONGEST_ROW = 32 * MIB
EXCEL_ROWS = 1_048_576
"""Rows of a sheet, blank ones included."""
_NUMBER = re.compile(rb"[+-]?\d{1,330}(?:\.\d{0,330})?(?:[eE][+-]?\d{1,3})?")


@dataclass
class SheetScan:
    """`rows`: rows with something in them.  `instead`: cells by row (from 1) and column (from 0) that readers drop or change.

    `merges`: first row, first column, last row, last column; rows from 1, columns from 0.
    """

    rows: int = 0
    last_row: int = 0
    columns: int = 0
    hidden: set[int] = field(default_factory=set)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    instead: dict[int, dict[int, Cell]] = field(default_factory=dict)


class _Patterns:
    """What to look for.  `prefix` is that of the namespace: some programs write <x:c> for <c>."""

    def __init__(self, prefix: bytes, columns: int, styles: tuple[int, ...]) -> None:
        p = re.escape(prefix)
        self.end_row, self.end_cell = b"</" + prefix + b"row>", b"</" + prefix + b"c>"
        self.end, self.cell = b"</" + prefix + b"sheetData>", b"<" + prefix + b"c"
        self.value = re.compile(rb"<%b(?:v|is|f)[\s/>]" % p)
        self.row = re.compile(rb"<%brow(?=[\s/>])(?: r=\"(\d{1,9})\")?([^>]*)>" % p)
        self.cells = re.compile(rb"<%bc(?=[\s/>])([^>]*?)(?:/>|>(.*?)</%bc>)" % (p, p), re.DOTALL)
        self.stored = re.compile(rb"<%bv(?:\s[^>]*)?>([^<]*)</%bv>" % (p, p))
        self.empty = re.compile(rb"<%bv(?:\s[^>]*)?(?:/>|></%bv>)" % (p, p))
        self.formula = re.compile(rb"<%bf[\s/>]" % p)
        self.merge = re.compile(b"<%bmergeCell\\s[^>]*?ref=[\"']([A-Z]{1,3})(\\d{1,7}):([A-Z]{1,3})(\\d{1,7})[\"']" % p)
        beyond = rb"(?:%b)\d+|[A-Z]{1,4}(\d{7,})" % _letters_beyond(columns)
        self.far = re.compile(rb"<%bc\s[^>]*?\br=[\"'](?:%b)[\"'][^>]*(?<!/)>" % (p, beyond))
        self.maybe_far = re.compile(b"r=[\"'](?:%b)" % beyond)
        self.signs = [b'"e"', b"'e'", b"<" + prefix + b"f"]
        self.styles = (
            re.compile(b"s=[\"'](?:%b)[\"']" % b"|".join(b"%d" % style for style in styles)) if styles else None
        )

    def special(self, text: bytes) -> bool:
        """Whether the XML may hold an error, a formula, or a number in a format that matters."""
        return any(sign in text for sign in self.signs) or (self.styles is not None and bool(self.styles.search(text)))


_patterns = lru_cache(maxsize=8)(_Patterns)
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,4})(\d{1,9})[\"']")
_ROW_NUMBER = re.compile(rb"\br=[\"'](\d{1,9})[\"']")
_HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
_STYLE = re.compile(rb"\bs=[\"'](\d{1,6})[\"']")
_TYPE = re.compile(rb"\bt=[\"'](\w+)[\"']")
_ROOT = re.compile(rb"<(?:([A-Za-z_][\w.-]{0,30}):)?worksheet[\s>/]")


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
        return self.found

    def _begin(self) -> bytes:
        head = b""
        for block in self.blocks:
            head += block
            if (root := _ROOT.search(head)) or len(head) > MIB:
                break
        else:
            root = _ROOT.search(head)
        if not root:
            raise damaged()
        prefix = root[1] + b":" if root[1] else b""
        self.look = _patterns(prefix, self.limits.columns, tuple(self.book.shapes))
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
        if b"<!" in block or b"<?" in block:
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
        look = self.look
        attributes = b""
        for number, attributes in look.row.findall(row):
            self.row = int(number) if number else self._number(attributes)
        if not look.value.search(row):
            return
        self._hold_rows(self.row)
        if b"hidden" in attributes and _HIDDEN.search(attributes):
            self.found.hidden.add(self.row)
        self.found.rows += 1
        self.found.last_row = max(self.found.last_row, self.row)
        columns = self._columns(row)
        if columns > self.limits.columns:
            raise self._too_many_columns()
        self.found.columns = max(self.found.columns, columns)
        if special and look.special(row):
            self._take_apart(row)

    def _number(self, attributes: bytes) -> int:
        return int(found[1]) if (found := _ROW_NUMBER.search(attributes)) else self.row + 1

    def _columns(self, row: bytes) -> int:
        """The last column that holds something: by its reference, else by counting."""
        last = row.rfind(self.look.cell, 0, row.rfind(self.look.end_cell))
        reference = _REFERENCE.search(row, last, row.find(b">", last)) if last >= 0 else None
        if reference:
            return _columns_to(reference[1])
        return len(self.look.cells.findall(row)) if row.count(self.look.cell) > self.found.columns else 0

    def _take_apart(self, row: bytes) -> None:
        column, number = -1, self.row
        for attributes, inside in self.look.cells.findall(row):
            column += 1
            if reference := _REFERENCE.search(attributes):
                column, number = column_index(reference[1].decode()), int(reference[2])
            if inside and (cell := self._special(attributes, inside)) is not None:
                self.found.instead.setdefault(number, {})[column] = cell

    def _special(self, attributes: bytes, inside: bytes) -> Cell:
        """What a cell says where readers drop or change it; else None."""
        look = self.look
        kind = found[1] if (found := _TYPE.search(attributes)) else b"n"
        stored = found[1].strip() if (found := look.stored.search(inside)) else b""
        if kind == b"e":
            return [ERROR, stored.decode("utf-8", "replace")[:40] or "#VALUE!"]
        if not stored:
            without = look.formula.search(inside) and not (kind == b"str" and look.empty.search(inside))
            return [FORMULA, ""] if without else None
        if kind != b"n" or not (style := _STYLE.search(attributes)) or not _NUMBER.fullmatch(stored):
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
        if b"<!" in data or b"<?" in data:
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


@lru_cache(maxsize=8)
def _letters_beyond(columns: int) -> bytes:
    """A pattern for the letters of every column after so many."""
    last = column_letters(columns - 1)
    parts = [f"[A-Z]{{{len(last) + 1},}}"]
    for at, letter in enumerate(last):
        if letter < "Z":
            parts.append(f"{last[:at]}[{chr(ord(letter) + 1)}-Z][A-Z]{{{len(last) - at - 1}}}")
    return "|".join(parts).encode()
