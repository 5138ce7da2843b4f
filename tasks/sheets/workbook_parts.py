"""What a workbook says of itself: its sheets and their parts, macros, the epoch of its dates, and formats of cells."""

import re
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.etree.ElementTree import Element, ParseError, XMLParser

from models.sheet_cells import column_index
from models.workbook_marks import NAME

from .archive import Archive
from .number_formats import Shape, shape_of
from .refused import Refused, damaged, unusual

WORKBOOK, LINKS, STYLES, STRINGS = (
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
)
_MOST_FORMATS = 100_000
_PLACE = re.compile(r"[^!]*!\$?([A-Z]{1,3})\$?\d{1,7}")


@dataclass(frozen=True)
class SheetPart:
    name: str
    hidden: bool
    part: str


@dataclass(frozen=True)
class Workbook:
    """`shapes`: by the number of a cell's style, how its numbers are shown, as far as they do not stand for themselves.

    `named_columns`: number of a column that a workbook of ours has named, from 1 -> where it is now, from 0.
    """

    kind: str
    sheets: list[SheetPart]
    since_1904: bool
    shapes: dict[int, Shape] = field(default_factory=dict)
    named_columns: dict[int, int] = field(default_factory=dict)


def read_workbook(archive: Archive) -> Workbook:
    """Refuses: a zip file that is no workbook, one of another kind, and damaged parts."""
    if WORKBOOK not in archive:
        raise _other_kind(archive)
    book, links = _parse(archive.read(WORKBOOK)), _parse(archive.read(LINKS))
    targets = {link.get("Id"): link for link in links.iter() if _local(link) == "Relationship"}
    sheets = [_sheet(tag, targets) for tag in book.iter() if _local(tag) == "sheet"]
    parts = [sheet.part.lower() for sheet in sheets if sheet]
    if len(set(parts)) < len(parts):
        raise unusual("twice")
    settings = next((tag for tag in book.iter() if _local(tag) == "workbookPr"), None)
    return Workbook(
        "xlsm"
        if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in archive.names())
        else "xlsx",
        [sheet for sheet in sheets if sheet],
        settings is not None and settings.get("date1904", "") in ("1", "true", "on"),
        _shapes(archive),
        _named_columns(book),
    )


def _sheet(tag: Element, targets: dict[str | None, Element]) -> SheetPart | None:
    """None for sheets of charts and dialogs."""
    id = next((value for name, value in tag.items() if name.endswith("}id")), None)
    link = targets.get(id)
    if link is None:
        raise damaged()
    if not link.get("Type", "").endswith("/worksheet"):
        return None
    target = link.get("Target", "")
    part = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
    return SheetPart(tag.get("name", ""), tag.get("state", "visible") != "visible", part)


def _named_columns(book: Element) -> dict[int, int]:
    found: dict[int, int] = {}
    for tag in book.iter():
        if _local(tag) == "definedName" and (name := tag.get("name", "")).startswith(NAME):
            place = _PLACE.fullmatch(tag.text or "")
            if place and (number := _int(name.removeprefix(NAME))):
                found[number] = column_index(place[1])
    return found


def _shapes(archive: Archive) -> dict[int, Shape]:
    styles = _parse(archive.read(STYLES)) if STYLES in archive else None
    if styles is None:
        return {}
    codes = {_int(tag.get("numFmtId")): tag.get("formatCode") for tag in styles.iter() if _local(tag) == "numFmt"}
    used = next((tag for tag in styles.iter() if _local(tag) == "cellXfs"), ())
    shapes: dict[int, Shape] = {}
    known: dict[int, Shape | None] = {}
    for style, tag in enumerate(used):
        if style >= _MOST_FORMATS:
            raise damaged()
        id = _int(tag.get("numFmtId"))
        if id not in known:
            known[id] = shape_of(codes.get(id), id)
        if shape := known[id]:
            shapes[style] = shape
    return shapes


def _parse(data: bytes) -> Element:
    parser = XMLParser()  # noqa: S314  # document types are refused before
    try:
        parser.feed(data)
        return parser.close()
    except (ParseError, ValueError):
        raise damaged() from None


def _local(tag: Element) -> str:
    return tag.tag.rpartition("}")[2]


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _other_kind(archive: Archive) -> Refused:
    names = archive.names()
    if "xl/workbook.bin" in archive:
        return Refused("NO_SHEET", kind="a binary workbook (.xlsb)", kind_zh="二进制工作簿（.xlsb）")
    if "content.xml" in archive and "mimetype" in archive:
        return Refused("NO_SHEET", kind="an OpenDocument file (.ods)", kind_zh="OpenDocument 文件（.ods）")
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return Refused("NO_SHEET", kind="a document or a presentation", kind_zh="文档或演示文稿")
    if any(name.endswith((".xlsx", ".xls", ".csv", ".zip")) for name in names):
        return Refused("NO_SHEET", kind="an archive of other files: unpack it first", kind_zh="压缩包（请先解压）")
    return Refused("NO_SHEET", kind="a zip file without a workbook", kind_zh="不含工作簿的压缩文件")
