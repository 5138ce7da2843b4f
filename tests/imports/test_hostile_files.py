"""Files made to harm their reader: each is read, or refused with a sentence, by a process that may die alone."""

import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import openpyxl
import pytest
import xlwt

from millpond.import_limits import import_limits
from millpond.settings import Settings
from models import sheet_errors
from models.errors import REFUSALS
from models.refusal import Refusal
from tasks.sheets import process
from tasks.sheets.limits import Limits
from tasks.sheets.overview import Choices
from tasks.sheets.reading import inspect, rows
from tests.imports.conftest import Reader
from tests.support import forms
from tests.support.hostile_files import MAKERS, READ
from tests.support.workbook_files import as_excel_writes, data, parts, write

Make = Callable[..., Reader]


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """The processes that were started."""
    started: list[subprocess.Popen[bytes]] = []
    start = process.start

    def remember(*arguments: object) -> "subprocess.Popen[bytes]":
        started.append(start(*arguments))  # type: ignore[arg-type]
        return started[-1]

    monkeypatch.setattr(process, "start", remember)
    yield started
    assert [child.poll() is None for child in started] == [False] * len(started)


@pytest.mark.parametrize("name", MAKERS)
def test_a_hostile_file_is_read_or_refused(tmp_path: Path, children: list[object], name: str) -> None:
    outcome, make = MAKERS[name]
    make(tmp_path / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    said = _what_reading_says(tmp_path / name)

    assert said == outcome
    assert len(children) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def _what_reading_says(path: Path) -> str:
    try:
        inspect(str(path), path.name)
    except Refusal as refusal:
        return refusal.code()
    return READ


def test_every_refusal_of_the_child_has_its_sentence() -> None:
    """The child names refusals by their codes, which no import checks."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(process.__file__).parent.glob("*.py"))
    ours = [
        kind.code()
        for kind in vars(sheet_errors).values()
        if isinstance(kind, type) and kind.__module__ == sheet_errors.__name__
    ]

    assert {code for code in ours if f'"{code}"' not in sources} == set()
    assert set(ours) <= set(REFUSALS)


@pytest.mark.parametrize("name", ["macros.xlsm", "traversal.xlsx"])
def test_what_else_a_workbook_holds_is_told_and_left_alone(tmp_path: Path, name: str) -> None:
    MAKERS[name][1](tmp_path / name)

    overview = inspect(str(tmp_path / name), name)

    assert (overview.macros, overview.kind) == ((True, "xlsm") if "macros" in name else (False, "xlsx"))
    assert (overview.rows, overview.columns[0].samples) == (1, [1])


def test_the_child_ends_when_the_caller_stops(tmp_path: Path, children: list["subprocess.Popen[bytes]"]) -> None:
    path = as_excel_writes(tmp_path / "long.xlsx", [["a", "b"], *[[f"x{at}", float(at)] for at in range(20_000)]])

    reading = rows(str(path))
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # a generator

    assert [child.poll() is None for child in children] == [False]


def test_a_child_that_keeps_its_caller_waiting_is_ended(tmp_path: Path, children: list[object]) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")

    with pytest.raises(sheet_errors.SheetTooHeavy):
        list(rows(str(tmp_path / "a.csv"), limits=replace(Limits(), seconds=0.001)))


@pytest.mark.long
def test_a_child_that_costs_too_much_time_is_a_refusal(tmp_path: Path, children: list[object]) -> None:
    (tmp_path / "long.csv").write_bytes(b"a,b,c,d,e,f\n" + b"1,2,3,4,5,6\n" * 1_500_000)

    with pytest.raises(sheet_errors.SheetTooHeavy):
        inspect(str(tmp_path / "long.csv"), "long.csv", limits=replace(Limits(), cpu_seconds=1, rows=10_000_000))


def test_a_child_that_needs_too_much_memory_is_a_refusal(tmp_path: Path, children: list[object]) -> None:
    (tmp_path / "long.csv").write_bytes("客,户\n".encode() * 3_000_000)

    with pytest.raises(sheet_errors.SheetTooHeavy):
        inspect(str(tmp_path / "long.csv"), "long.csv", limits=replace(Limits(), memory_mib=96))


def test_a_child_has_no_environment_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLPOND_MAIL_PASSWORD", "secret")
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import os, sys, resource, json\n"
        f"sys.path.insert(0, {str(Path(process.__file__).parent)!r})\n"
        "import child\n"
        "child._limit(1 << 30, 9)\n"
        "print(json.dumps([sorted(os.environ), resource.getrlimit(resource.RLIMIT_FSIZE)]))\n",
        encoding="utf-8",
    )

    said = subprocess.run(
        [sys.executable, "-I", str(probe)], env=process._environment(), capture_output=True, text=True, check=True
    ).stdout

    assert "MILLPOND" not in said
    assert said.strip().endswith("[0, 0]]")


def test_the_child_imports_nothing_of_millpond_but_its_own_files() -> None:
    code = (
        "import sys; sys.argv = ['child', '0', '0', '', '']\n"
        "import runpy\n"
        f"child = runpy.run_path({str(process._CHILD)!r})\n"
        "sys.path.extend(sys.argv[3].split(':')); child['_load']()\n"
        f"sys.path.extend({process._places()!r})\n"
        "import tasks.sheets.answer, tasks.sheets.workbook, tasks.sheets.csv_file, tasks.sheets.old_workbook\n"
        "print(sorted(x for x in sys.modules if x.split('.')[0] in ('models', 'tasks', 'policies', 'resolvers', 'sqlalchemy', 'babel')))"
    )

    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout

    loaded = set(eval(said))
    shared = {"models.csv_guard", "models.sheet_cells", "models.sheet_choices", "models.workbook_marks"}
    assert {name for name in loaded if not name.startswith("tasks.sheets")} == {"models", "tasks", *shared}


def test_this_process_opens_no_reader() -> None:
    """Files of the package that this process imports, directly or through one another, import none."""
    folder, todo, seen = Path(process.__file__).parent, ["reading"], set()
    while todo:
        seen.add(name := todo.pop())
        source = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert (
            re.search(r"^\s*(?:import|from) (?:python_calamine|xlrd|openpyxl|zipfile|csv)\b", source, re.MULTILINE)
            is None
        )
        todo += [x for x in re.findall(r"^from \.(\w+) import", source, re.MULTILINE) if x not in seen]

    assert seen == {"reading", "process", "limits", "overview"}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"columns": 2}, "TOO_MANY_COLUMNS"),
        ({"rows": 2}, "TOO_MANY_ROWS"),
        ({"cells": 10}, "TOO_MANY_CELLS"),
        ({"cell_characters": 4}, "CELL_TOO_LONG"),
        ({"file_mib": 0}, "SHEET_TOO_LARGE"),
        ({"parts": 3}, "SHEET_UNUSUAL"),
        ({"unpacked_mib": 0}, "SHEET_UNPACKS_TOO_LARGE"),
        ({"text_mib": 0}, "TOO_MUCH_TEXT"),
    ],
)
def test_every_limit_holds(tmp_path: Path, limits: dict[str, int], code: str) -> None:
    cell = '<c r="{0}{1}" t="inlineStr"><is><t>words</t></is></c>'
    table = [f'<row r="{at}">{"".join(cell.format(x, at) for x in "ABC")}</row>' for at in range(1, 6)]
    path = write(tmp_path / "small.xlsx", parts(data(*table)))

    assert len(list(rows(str(path)))) == 4
    with pytest.raises(Refusal) as caught:
        list(rows(str(path), Choices(), replace(Limits(), **limits)))

    assert caught.value.code() == code


def test_the_settings_name_every_limit() -> None:
    chosen = Settings(**{f"import_{field.name}": 300 for field in fields(Limits)})

    assert import_limits(Settings()) == Limits()
    assert set(vars(import_limits(chosen)).values()) == {300}


def test_nothing_of_a_formula_or_a_link_is_run_or_fetched(tmp_path: Path, reader: Make) -> None:
    """A reader that fetched would hang at an address that answers nothing; this one has no network code at all."""
    links = '<hyperlinks><hyperlink ref="A2" r:id="rId9"/></hyperlinks>'
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    second = '<row r="2"><c r="A2" t="str"><f>WEBSERVICE("http://10.255.255.1/")</f><v>kept</v></c></row>'
    made = parts(data(row, second) + links)
    sheet = "xl/worksheets/sheet1.xml"
    made[sheet] = made[sheet].replace("<worksheet", '<worksheet xmlns:r="x"')

    assert reader(write(tmp_path / "links.xlsx", made)).cells() == ["kept"]


@pytest.mark.sampled
@pytest.mark.parametrize("files", [3, pytest.param(150 if forms.IS_THOROUGH else 40, marks=pytest.mark.long)])
def test_files_with_wrong_bytes_are_read_or_refused(tmp_path: Path, files: int) -> None:
    """Bytes of stored parts and of old workbooks are changed where nothing but the reader checks them."""
    whole = {"a.xlsx": _small_workbook(tmp_path / "a.xlsx"), "a.xls": _small_old_workbook(tmp_path / "a.xls")}
    said = set()
    for seed in range(files):
        for name, right in whole.items():
            said.add(_what_reading_says(_with_wrong_bytes(tmp_path / name, right, seed)))

    assert said <= {READ, *REFUSALS}
    assert len(said) > 1


def _small_workbook(path: Path) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for at in range(40):
        sheet.append([f"name {at}", at, at * 1.5, date(2026, 1, 1 + at % 28), "#N/A" if at % 7 == 3 else None])
    book.save(path)
    with ZipFile(path) as archive:
        return write(path, {name: archive.read(name) for name in archive.namelist()}, ZIP_STORED).read_bytes()


def _small_old_workbook(path: Path) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for row in range(40):
        for column in range(5):
            sheet.write(row, column, f"name {row}" if column % 2 else row * 1.5)
    book.save(str(path))
    return path.read_bytes()


def _with_wrong_bytes(path: Path, data: bytes, seed: int) -> Path:
    wrong, random = bytearray(data), Random(seed)
    for _ in range(random.randint(1, 8)):
        wrong[random.randrange(len(wrong))] = random.randrange(256)
    if path.suffix == ".xlsx":
        wrong = bytearray(_with_right_checksums(bytes(wrong)))
    path.write_bytes(bytes(wrong))
    return path


def _with_right_checksums(data: bytes) -> bytes:
    """Changed parts with checksums that fit, as far as the directory can still be read."""
    try:
        members = ZipFile(BytesIO(data)).infolist()
    except (BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return data
    mended = BytesIO()
    with ZipFile(mended, "w") as archive:
        for info in members:
            start = info.header_offset + 30 + len(info.filename.encode()) + len(info.extra)
            archive.writestr(info.filename, data[start : start + info.file_size])
    return mended.getvalue()
