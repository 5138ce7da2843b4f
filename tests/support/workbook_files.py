"""Workbooks as Excel writes them, part by part: shared strings, styles by number, rows and cells with references."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def letters(index: int) -> str:
    """A, B, …, counted from 0; by another way than the product's."""
    return letters(index // 26 - 1) + chr(65 + index % 26) if index >= 26 else chr(65 + index)


def parts(
    sheet: str, *, strings: str = "", styles: Sequence[tuple[int, str | None]] = (), book: str = ""
) -> dict[str, str]:
    """The parts of a workbook with one sheet.  `styles`: for each style from 1 on, the number and code of its format."""
    formats = "".join(
        f'<numFmt numFmtId="{id}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>' for id, code in styles if code
    )
    used = "".join(f'<xf numFmtId="{id}" applyNumberFormat="1"/>' for id, _ in styles)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        "[Content_Types].xml": HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/></Types>',
        "_rels/.rels": HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": HEAD + f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{book}'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": HEAD
        + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{LINKS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": HEAD + f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(styles)}">{formats}</numFmts>'
        '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{len(styles) + 1}"><xf numFmtId="0"/>{used}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": HEAD + f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": HEAD + f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>',
    }


def write(path: Path, parts: dict[str, str | bytes], compression: int = ZIP_DEFLATED) -> Path:
    """A workbook of these parts, by their names."""
    with ZipFile(path, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return path


def data(*rows: str) -> str:
    """The cells of a sheet, from the XML of its rows."""
    return f"<sheetData>{''.join(rows)}</sheetData>"


def as_excel_writes(path: Path, rows: Iterable[Sequence[str | float]]) -> Path:
    """A large workbook with shared strings and references, written as a stream of rows of texts and numbers.

    A number with the fraction .25 in the last column is written as a date, so that readers meet dates.
    """
    index: dict[str, int] = {}
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, value in enumerate(row):
            at = f'<c r="{letters(column)}{number}"'
            if isinstance(value, str):
                cells.append(f'{at} t="s"><v>{index.setdefault(value, len(index))}</v></c>')
            elif value % 1 == 0.25:
                cells.append(f'{at} s="1"><v>{value:.0f}</v></c>')
            else:
                cells.append(f"{at}><v>{value}</v></c>")
        lines.append(f'<row r="{number}" spans="1:{len(row)}">{"".join(cells)}</row>')
    strings = "".join(f"<si><t>{escape(text)}</t></si>" for text in index)
    return write(path, parts(data(*lines), strings=strings, styles=[(14, None)]))
