"""Files by others are those of the manifest, have their licence beside them, and fetch nothing from another host."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.panel import Panel
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
ADMIN = ROOT / "admin"
VENDOR = ADMIN / "static/vendor"
MANIFEST = VENDOR / "README.md"
SPRITE = ADMIN / "static/icons.svg"
SVG = "{http://www.w3.org/2000/svg}"

ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in MANIFEST.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
HASHES = {file: digest for file, *_, digest in ROWS if ROOT / file != SPRITE}
SHIPPED = sorted(path for path in VENDOR.rglob("*") if path.suffix in {".css", ".js"})


def test_the_manifest_lists_files_of_a_named_package_and_an_exact_version() -> None:
    assert len(ROWS) == len({row[0] for row in ROWS}) > 0
    assert [row for row in ROWS if len(row) != 6 or not row[1] or not re.fullmatch(r"\d+\.\d+\.\d+", row[2])] == []
    assert "://" not in MANIFEST.read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "digest"), HASHES.items(), ids=HASHES)
def test_a_vendored_file_is_the_one_in_the_manifest(file: str, digest: str) -> None:
    assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == digest


def test_nothing_is_vendored_that_the_manifest_does_not_list() -> None:
    there = [path for path in VENDOR.rglob("*") if path.is_file() and path != MANIFEST and path.name != "LICENSE"]

    assert [path.name for path in there if path.relative_to(ROOT).as_posix() not in HASHES] == []


def test_every_package_has_its_licence_beside_it() -> None:
    without = [folder.name for folder in VENDOR.iterdir() if folder.is_dir() and not (folder / "LICENSE").is_file()]
    linked = {row[0]: VENDOR / re.findall(r"\]\((.+)\)", row[3])[0] for row in ROWS}

    assert without == []
    assert [file for file, licence in linked.items() if len(licence.read_text(encoding="utf-8")) < 500] == []
    assert [
        file for file, licence in linked.items() if file in HASHES and licence.parent.resolve() != (ROOT / file).parent
    ] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_vendored_file_asks_no_other_host_and_for_no_file_that_is_not_there(path: Path) -> None:
    asked = list(wanted(path.read_text(encoding="utf-8"), path.suffix))

    assert [name for name in asked if "//" in name or not (path.parent / re.split("[?#]", name)[0]).is_file()] == []


@pytest.mark.parametrize(
    ("kind", "line", "found"),
    [
        (".css", "a{background:url(https://host.example/a.png)}", "https://host.example/a.png"),
        (".css", "@import '//host.example/a.css';", "//host.example/a.css"),
        (".css", "@font-face{src:url('fonts/a.woff2') format('woff2')}", "fonts/a.woff2"),
        (".css", "/*# sourceMappingURL=a.css.map */", "a.css.map"),
        (".js", "const a=await import('https://host.example/a.js')", "https://host.example/a.js"),
        (".js", 'import"./a.js"', "./a.js"),
        (".js", "fetch(`//host.example/${a}`)", "//host.example/${a}"),
        (".js", "//# sourceMappingURL=a.js.map", "a.js.map"),
    ],
)
def test_what_counts_as_asking_is_found(kind: str, line: str, found: str) -> None:
    assert set(wanted(line, kind)) == {found}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (".css", "/*! Tabler (https://tabler.io) */"),
        (".css", """a{background:url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E")}"""),
        (".css", "a{mask:url(#wave)}"),
        (".js", 'document.createElementNS("http://www.w3.org/2000/svg","svg")'),
    ],
)
def test_a_namespace_a_comment_and_what_is_inside_the_file_are_no_asking(kind: str, line: str) -> None:
    assert list(wanted(line, kind)) == []


def wanted(source: str, kind: str) -> Iterator[str]:
    """What a browser would fetch because of this file, without the addresses of namespaces, which are only names."""
    yield from re.findall(r"sourceMappingURL=([^\s*]+)", source)
    if kind == ".css":
        bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        quoted = re.findall(r"""(?:url\(\s*|@import\s*)(["'])(.*?)\1""", bare, re.DOTALL)
        targets = [target for _, target in quoted] + re.findall(r"""url\(\s*([^\s"')]+)""", bare)
    else:
        targets = re.findall(r"""["'`]((?:https?:)?//[^"'`]+)""", source)
        targets += re.findall(r"""\b(?:import|from)\s*\(?\s*["'`]([\w./:@%?#&=~-]+)["'`]""", source)
    yield from (name for name in targets if not name.startswith(("data:", "#", "http://www.w3.org/")))


def test_the_icon_sprite_is_one_symbol_a_line_in_the_order_of_their_ids() -> None:
    lines = SPRITE.read_text(encoding="utf-8").splitlines()
    ids = sprite()

    assert ids == sorted(set(ids))
    assert [line[:8] for line in lines] == ["<svg xml", *["<symbol "] * len(ids), "</svg>"]


def test_an_icon_takes_its_colour_and_line_from_the_symbol() -> None:
    symbols = ElementTree.parse(SPRITE).getroot()
    look = {"viewBox": "0 0 24 24", "fill": "none", "stroke": "currentColor", "stroke-width": "2"}

    assert [symbol.get("id") for symbol in symbols if not look.items() <= symbol.attrib.items()] == []
    assert [symbol.get("id") for symbol in symbols if not len(symbol)] == []
    assert "M0 0h24v24H0z" not in SPRITE.read_text(encoding="utf-8")


def test_every_icon_that_the_panel_names_is_in_the_sprite() -> None:
    there = set(sprite())

    assert {name: places for name, places in icons_named().items() if name not in there} == {}


def test_the_icon_sprite_holds_nothing_that_nobody_names() -> None:
    sources = [*ADMIN.rglob("*.html"), *ADMIN.rglob("*.py")]
    words = {word for path in sources for word in re.findall(r"""["']([a-z][a-z0-9-]*)["']""", path.read_text())}
    assert sorted(set(sprite()) - words) == []


def sprite() -> list[str]:
    return [symbol.get("id", "") for symbol in ElementTree.parse(SPRITE).getroot().findall(f"{SVG}symbol")]


def icons_named() -> dict[str, list[str]]:
    """Icon -> the templates (`icon("name"`) and the Python files (`icon="name"`) that name it."""
    found: dict[str, list[str]] = {}
    named = (
        (r"""\bicon\(\s*["']([^"']+)""", "html"),
        (r'\bicon="([^"]+)"', "py"),
        (r'\bicon(?:, \w+)* = "([^"]+)"', "py"),
    )
    for pattern, ending in named:
        for path in sorted(ADMIN.rglob(f"*.{ending}")):
            for name in sorted(set(re.findall(pattern, path.read_text(encoding="utf-8")))):
                found.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return found


def test_the_first_page_weighs_no_more_than_140_kb_on_the_line(sqlite_url: str) -> None:
    """Home with all scripts, styles and icons, compressed, as a browser with an empty cache fetches them."""
    world = World(sqlite_url)
    browser = Panel(world).of("ada")
    page = browser.get("/admin/", **{"accept-encoding": "gzip"})
    addresses = set(re.findall(r'(?:src|href)="(/[^"#]+\.(?:js|css|svg))', page.text))

    answers = [page, *(browser.get(address, **{"accept-encoding": "gzip"}) for address in sorted(addresses))]
    weight = sum(int(answer.headers["content-length"]) for answer in answers)
    world.close()

    assert len(addresses) > 10
    assert weight <= 140_000
