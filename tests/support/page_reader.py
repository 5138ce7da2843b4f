"""Reads pages of the panel, follows their links, and notes every English word of a page that has to be Chinese."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

from resolvers.files.content import ALLOWED
from tests.support.panel import ORIGIN, Browser

ENGLISH = re.compile(r"[A-Za-z]{3,}")
NAMES = {
    "CSV",
    "MiB",
    "UTF-16",
    "UTF-8",
    "WPS",
    "Excel",
    "Millpond",
    "Casbin",
    "GraphQL",
    "API",
    "English",
    "Asia",
    "Shanghai",
    "Europe",
    "London",
    "EUR",
    "USD",
}
NAMES |= {*ALLOWED}
"""Endings of files are the same in Chinese."""
DATA = {"administrator", "sales", "support", "one", "two", "ada", "gone", "customer", "UTC", "CNY", "Tester", "liwei"}
DATA |= {"stage", "industry", "source", "region", "level", "category", "opportunity_stage"}
"""Codes, keys and logins of the Chinese world, all in small letters, which no label has."""
PATTERNS = re.compile(
    r"(?m)^(\d+: )?p2?, .*$|^g, .*$|^#.*$|\{[^}]*\}|\S+@\S+|\b[a-z]{3}_\d+|\b[0-9a-f]{16}-\d+|\bsystem:\w+"
)
"""Policy lines and their comments, parts of numbers, addresses, ids, batches, and names of system actors."""


def left_over(text: str) -> list[str]:
    """The English words of a text, without names and data."""
    found = re.findall(r"[A-Za-z][\w-]*", PATTERNS.sub("", text))
    return [word for word in found if ENGLISH.search(word) and word not in NAMES | DATA]


class Page(HTMLParser):
    """What a user sees of a page or hears of it, and its links."""

    SPOKEN = ("placeholder", "title", "aria-label", "alt", "label", "data-label")
    SILENT = ("script", "style", "kbd", "code")
    """Elements whose text is no message: keys have the names that are on them, and secrets are no words."""

    def __init__(self, html: str, status: int) -> None:
        super().__init__()
        self.said: list[str] = []
        self.ways: list[str] = []
        self.ids: list[str] = []
        self.status = status
        self.asks: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.said += [given[name] for name in self.SPOKEN if given.get(name)]
        self.ways += [given[name] for name in ("href", "hx-get", "data-lookup") if given.get(name)]
        self.asks += [given["formaction"]] if "/ask/" in given.get("formaction", "") else []
        self.ids += [given["value"]] if given.get("name") == "ids" else []
        self._inside = tag if tag in self.SILENT else self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._inside:
            self.said.append(data.strip())


class Reader:
    """A browser whose pages are read.  `found`: each English text -> the first address that shows it."""

    def __init__(self, browser: Browser, english: set[str]) -> None:
        self.browser, self.english = browser, english
        self.found: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Page:
        return self._read(path, self.browser.get(path, (), **headers))

    def post(self, path: str, **form: str) -> Page:
        return self._read(path, self.browser.post(path, form))

    def _read(self, path: str, answer: httpx.Response) -> Page:
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        page = Page(answer.text if is_page else "", answer.status_code)
        page.said += [] if is_page or not answer.content else [each["text"] for each in answer.json()]
        page.said += [done["message"] for done in json.loads(answer.headers.get("hx-trigger", "{}")).values()]
        page.ways += [answer.headers["location"]] if "location" in answer.headers else []
        for said in page.said:
            if said in self.english or left_over(said):
                self.found.setdefault(said, path)
        return page


def walk(reader: Reader, *begin: str) -> Counter[tuple[str, str]]:
    """Follow every link from these pages on, to a few pages of each kind.  Returns the number of pages of each kind."""
    ways, known, seen = list(begin), set(begin), Counter[tuple[str, str]]()
    for path in ways:  # grows during the loop
        kind = kind_of(path)
        if path not in begin and seen[kind] >= (1 if kind[1] else FEW):
            continue
        seen[kind] += 1
        page = reader.get(path)
        asks = [f"{ask}?one={id}" for ask in page.asks for id in page.ids[:1]]
        found = {whole(path, way): None for way in [*page.ways, *asks]}
        ways += [way for way in found if way.startswith("/admin") and way not in known and not is_alike(way)]
        known |= found.keys()
    return seen


FEW = 2


def is_alike(path: str) -> bool:
    """Whether it is a list in another order, a narrowed list, or a dialog without a record."""
    if "/list?" in path:
        return not kind_of(path)[1].startswith("tab=")
    return "/ask/" in path and "?" not in path


def kind_of(path: str) -> tuple[str, str]:
    """The address without the numbers of records, and of its query only the tab."""
    at = urlsplit(path)
    return re.sub(r"\d+", "N", at.path), at.query if re.fullmatch(r"tab=[\w-]+", at.query) else "?"[: len(at.query)]


def whole(at: str, way: str) -> str:
    way = way.partition("#")[0].removeprefix(ORIGIN)
    return urlsplit(at).path + way if way.startswith("?") else way
