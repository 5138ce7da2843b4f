"""Files that are made to harm who reads them, or that are no workbooks at all.  Run with a folder to write them there."""

import struct
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from tests.support.workbook_files import HEAD, MAIN, data, letters, parts, write

MAKERS: dict[str, tuple[str, Callable[[Path], object]]] = {}
"""By file name: what reading must come to (the code of a refusal, or `READ`), and how the file is made."""
READ = "READ"
ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>电话</t></is></c></row>'
SECOND = '<row r="2"><c r="A2"><v>1</v></c></row>'
SHEET = "xl/worksheets/sheet1.xml"

Maker = Callable[[Path], object]


def hostile(name: str, outcome: str) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        MAKERS[name] = outcome, make
        return make

    return add


def make_all(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file, and what reading it must come to."""
    for name, (outcome, make) in MAKERS.items():
        make(folder / name)
        yield folder / name, outcome


@hostile("bomb_by_ratio.xlsx", "SHEET_UNPACKS_TOO_LARGE")
def _bomb(path: Path) -> None:
    row = b'<row><c t="inlineStr"><is><t>' + b"a" * 900 + b"</t></is></c></row>"
    _with_large_part(path, SHEET, [f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode()], row * 1000, 120)


@hostile("bomb_of_one_string.xlsx", "SHEET_UNPACKS_TOO_LARGE")
def _one_string(path: Path) -> None:
    _with_large_part(
        path, "xl/sharedStrings.xml", [f'{HEAD}<sst xmlns="{MAIN}"><si><t>'.encode()], b"a" * (1 << 20), 80
    )


@hostile("bomb_with_a_lying_header.xlsx", "SHEET_DAMAGED")
def _lying_bomb(path: Path) -> None:
    _one_string(path)
    _patch_sizes(path, "xl/sharedStrings.xml", 1000)


@hostile("smaller_than_it_says.xlsx", "SHEET_DAMAGED")
def _lying(path: Path) -> None:
    write(path, parts(data(ROW, SECOND)))
    _patch_sizes(path, SHEET, 100_000)


@hostile("far_corner.xlsx", "TOO_MANY_COLUMNS")
def _far_corner(path: Path) -> None:
    write(path, parts(data(ROW, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')))


@hostile("far_row_in_a_near_one.xlsx", "TOO_MANY_ROWS")
def _far_row(path: Path) -> None:
    write(path, parts(data(ROW, '<row r="2"><c r="B1048576"><v>1</v></c></row>')))


@hostile("far_apart.xlsx", "TOO_MANY_CELLS")
def _far_apart(path: Path) -> None:
    write(
        path,
        parts(
            data(ROW, '<row r="2"><c r="SA2"><v>1</v></c></row>', '<row r="999999"><c r="A999999"><v>1</v></c></row>')
        ),
    )


@hostile("far_apart_in_one_row.xlsx", "SHEET_TOO_HEAVY")
def _far_apart_hidden(path: Path) -> None:
    cells = '<c r="A999999"><v>1</v></c><c r="SA2"><v>1</v></c>'
    write(path, parts(data(ROW, f'<row r="2">{cells}</row>')))


@hostile("million_columns.xlsx", "TOO_MANY_COLUMNS")
def _million_columns(path: Path) -> None:
    write(path, parts(data("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>")))


@hostile("million_columns_with_references.xlsx", "TOO_MANY_COLUMNS")
def _million_references(path: Path) -> None:
    cells = "".join(f'<c r="{letters(at)}1"><v>1</v></c>' for at in range(0, 400_000, 3))
    write(path, parts(data(f'<row r="1">{cells}</row>')))


@hostile("millions_of_cells_without_references.xlsx", "TOO_MANY_ROWS")
def _no_references(path: Path) -> None:
    _with_large_part(
        path,
        SHEET,
        [f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode()],
        b"".join(b"<row><c><v>%d</v></c><c><v>%d</v></c></row>" % (at * 7919 % 99991, at) for at in range(20_000)),
        60,
    )


@hostile("billion_laughs.xlsx", "SHEET_UNUSUAL")
def _laughs(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    _with_declaration(path, f"<!DOCTYPE worksheet [{entities}]>", "&a9;")


@hostile("external_entity.xlsx", "SHEET_UNUSUAL")
def _xxe(path: Path) -> None:
    _with_declaration(path, '<!DOCTYPE worksheet [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;")


@hostile("external_entity_in_strings.xlsx", "SHEET_UNUSUAL")
def _xxe_strings(path: Path) -> None:
    made = parts(data('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'), strings="<si><t>&x;</t></si>")
    made["xl/sharedStrings.xml"] = made["xl/sharedStrings.xml"].replace(
        "<sst", '<!DOCTYPE sst [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]><sst'
    )
    write(path, made)


@hostile("external_entity_in_utf_16.xlsx", "SHEET_UNUSUAL")
def _xxe_utf_16(path: Path) -> None:
    made: dict[str, str | bytes] = dict(parts(data(ROW)))
    text = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "1">]><worksheet xmlns="{MAIN}">{data(ROW)}</worksheet>'
    write(path, {**made, SHEET: text.encode("utf-16")})


@hostile("rows_in_a_comment.xlsx", "SHEET_UNUSUAL")
def _comment(path: Path) -> None:
    write(path, parts(data(ROW, f"<!-- {SECOND} -->")))


@hostile("cells_without_end.xlsx", "SHEET_DAMAGED")
def _unclosed(path: Path) -> None:
    """A pattern that looks for the end of each cell would take minutes."""
    write(
        path,
        parts(data(ROW, '<row r="2"><c t="e"><v>1</v></c>' + '<c s="1"><v>' * 400_000 + "</row>"), styles=[(9, None)]),
    )


@hostile("tag_without_end.xlsx", "SHEET_DAMAGED")
def _endless_tag(path: Path) -> None:
    write(
        path,
        parts(data(ROW, '<row r="2"><c r="A2"' + ' s="1" <c' * 400_000 + "<v>1</v></c></row>"), styles=[(9, None)]),
    )


@hostile("million_styles.xlsx", "SHEET_UNPACKS_TOO_LARGE")
def _styles(path: Path) -> None:
    made = parts(data(ROW, SECOND))
    made["xl/styles.xml"] = made["xl/styles.xml"].replace("</cellXfs>", '<xf numFmtId="1"/>' * 2_000_000 + "</cellXfs>")
    write(path, made)


@hostile("long_format.xlsx", READ)
def _format(path: Path) -> None:
    cell = '<row r="2"><c r="A2" s="1"><v>1</v></c></row>'
    write(path, parts(data(ROW, cell), styles=[(164, "0" * 200_000 + "x" + "0" * 200_000)]))


@hostile("many_sheets_of_one_part.xlsx", "SHEET_UNUSUAL")
def _same_part(path: Path) -> None:
    made = parts(data(ROW, SECOND))
    sheets = "".join(f'<sheet name="s{at}" sheetId="{at + 2}" r:id="rId1"/>' for at in range(2000))
    made["xl/workbook.xml"] = made["xl/workbook.xml"].replace("</sheets>", f"{sheets}</sheets>")
    write(path, made)


@hostile("blank_rows.xlsx", READ)
def _blank_rows(path: Path) -> None:
    write(path, parts(data(ROW, "".join(f'<row r="{at}"/>' for at in range(2, 1_048_576)), SECOND)))


@hostile("truncated.xlsx", "SHEET_DAMAGED")
def _truncated(path: Path) -> None:
    write(path, parts(data(ROW, SECOND)))
    path.write_bytes(path.read_bytes()[:-300])


@hostile("wrong_checksum.xlsx", "SHEET_DAMAGED")
def _checksum(path: Path) -> None:
    write(path, parts(data(ROW, SECOND)), ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"<v>1</v>", b"<v>9</v>"))


@hostile("encrypted_zip.xlsx", "SHEET_HAS_PASSWORD")
def _encrypted(path: Path) -> None:
    write(path, parts(data(ROW, SECOND)))
    raw = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := raw.find(signature, place + 1)) >= 0:
            raw[place + at] |= 1
    path.write_bytes(bytes(raw))


@hostile("encrypted_by_excel.xlsx", "SHEET_HAS_PASSWORD")
def _encrypted_ole(path: Path) -> None:
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
    )


@hostile("letter.doc.xls", "SHEET_DAMAGED")
def _ole(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))


@hostile("web_page.xls", "NO_SHEET")
def _page(path: Path) -> None:
    path.write_text("<html><body><table><tr><td>电话</td></tr></table></body></html>", encoding="utf-8")


@hostile("letter.xlsx", "NO_SHEET")
def _letter(path: Path) -> None:
    write(path, {"[Content_Types].xml": HEAD, "word/document.xml": HEAD})


@hostile("list.csv.xlsx", READ)
def _csv(path: Path) -> None:
    path.write_text("姓名,电话\n张三,13800138000\n", encoding="utf-8")


@hostile("picture.csv", "NO_SHEET")
def _picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))


@hostile("bytes.csv", "NOT_TEXT")
def _bytes(path: Path) -> None:
    path.write_bytes(b"a,b\n1,\0\x01\x02\n" * 3)


@hostile("open_quote.csv", "QUOTE_NOT_CLOSED")
def _quote(path: Path) -> None:
    path.write_text('a,b\n1,"open\n' + "2,x\n" * 200_000, encoding="utf-8")


@hostile("million_columns.csv", "TOO_MANY_COLUMNS")
def _wide(path: Path) -> None:
    path.write_text("," * 1_000_000 + "\n1\n", encoding="utf-8")


@hostile("macros.xlsm", READ)
def _macros(path: Path) -> None:
    write(path, {**parts(data(ROW, SECOND)), "xl/vbaProject.bin": b"macro"})


@hostile("traversal.xlsx", READ)
def _traversal(path: Path) -> None:
    write(path, {**parts(data(ROW, SECOND)), "../../evil.txt": "evil", "/etc/evil": "evil"})


@hostile("sheet_outside.xlsx", "SHEET_DAMAGED")
def _outside(path: Path) -> None:
    made = parts(data(ROW, SECOND))
    links = "xl/_rels/workbook.xml.rels"
    write(path, {**made, links: made[links].replace("worksheets/sheet1.xml", "../../../../etc/passwd")})


@hostile("part_twice.xlsx", "SHEET_UNUSUAL")
def _twice(path: Path) -> None:
    made = parts(data(ROW, SECOND))
    write(path, {**made, SHEET.upper(): made[SHEET]})


@hostile("overlapping.xlsx", "SHEET_UNUSUAL")
def _overlap(path: Path) -> None:
    """Many names for the same bytes: the directory points each to one part."""
    write(path, {**parts(data(ROW, SECOND)), **{f"xl/media/p{at:04}.bin": "x" for at in range(1000)}})
    raw = bytearray(path.read_bytes())
    first = place = -1
    while (place := raw.find(b"PK\x01\x02", place + 1)) >= 0:
        if b"xl/media/p" in raw[place + 46 : place + 60]:
            first = first if first >= 0 else int.from_bytes(raw[place + 42 : place + 46], "little")
            raw[place + 42 : place + 46] = struct.pack("<I", first)
    path.write_bytes(bytes(raw))


@hostile("thousands_of_parts.xlsx", "SHEET_UNUSUAL")
def _parts(path: Path) -> None:
    write(path, {**parts(data(ROW, SECOND)), **{f"xl/media/p{at:04}.bin": "" for at in range(5000)}})


@hostile("bad_string_index.xlsx", "SHEET_DAMAGED")
def _index(path: Path) -> None:
    write(path, parts(data('<row r="1"><c r="A1" t="s"><v>99999</v></c></row>'), strings="<si><t>a</t></si>"))


@hostile("not_xml.xlsx", "SHEET_DAMAGED")
def _not_xml(path: Path) -> None:
    write(path, {**parts(""), SHEET: b"\xff\x01 <worksheet><sheetData><row><c><v>1</sheetData>"})


@hostile("no_sheet.xlsx", "SHEET_DAMAGED")
def _no_sheet(path: Path) -> None:
    made = parts(data(ROW))
    del made[SHEET]
    write(path, made)


@hostile("empty.xlsx", "SHEET_EMPTY")
def _empty(path: Path) -> None:
    path.write_bytes(b"")


@hostile("nothing_inside.xlsx", "SHEET_EMPTY")
def _nothing(path: Path) -> None:
    write(path, parts(data()))


@hostile("nested.xlsx", "NO_SHEET")
def _nested(path: Path) -> None:
    inner = BytesIO()
    with ZipFile(inner, "w") as archive:
        archive.writestr("deeper.zip", b"PK\x03\x04")
    write(path, {f"level{at}.zip": inner.getvalue() for at in range(16)})


@hostile("overlapping_merges.xlsx", READ)
def _merges(path: Path) -> None:
    merges = "".join(f'<mergeCell ref="A2:A{3 + at}"/>' for at in range(20_000))
    rows = "".join(f'<row r="{at}"><c r="A{at}"><v>{at}</v></c></row>' for at in range(2, 3000))
    write(path, parts(data(ROW, rows) + f"<mergeCells>{merges}</mergeCells>"))


def _with_declaration(path: Path, declaration: str, said: str) -> None:
    made = parts(data(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{said}</t></is></c></row>'))
    made[SHEET] = made[SHEET].replace("<worksheet", f"{declaration}<worksheet")
    write(path, made)


def _with_large_part(path: Path, name: str, begin: list[bytes], block: bytes, times: int) -> None:
    """A workbook with one part that repeats, without its whole in memory."""
    made = parts(data('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'))
    del made[name]
    with ZipFile(path, "w", compression=8) as archive:
        for other, part in made.items():
            archive.writestr(other, part)
        with archive.open(name, "w") as out:
            for piece in begin:
                out.write(piece)
            for _ in range(times):
                out.write(block)


def _patch_sizes(path: Path, name: str, size: int) -> None:
    """Let the directory and the part's own header say another unpacked size."""
    raw = bytearray(path.read_bytes())
    for signature, size_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        place = -1
        while (place := raw.find(signature, place + 1)) >= 0:
            if raw[place + name_at : place + name_at + len(name)] == name.encode():
                raw[place + size_at : place + size_at + 4] = struct.pack("<I", size)
    path.write_bytes(bytes(raw))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for made_file, expected in make_all(target):
        print(f"{expected:24} {made_file.stat().st_size:>10} {made_file.name}")
