"""The panel over the small world: browsers that check every response, the route table, and what a page shows."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any, cast
from urllib.parse import unquote_plus, urlencode

import httpx

from admin.panel import Panel as Assembled
from admin.screens import GROUPS, screens
from millpond.keys import CookieKeys
from millpond.settings import Settings
from millpond.web import application
from models import Base
from resolvers.people import passwords
from resolvers.runtime.backend import Backend
from tests.support.sign_in import HASH, RIGHT
from tests.support.world import World

ORIGIN, COOKIE = "http://127.0.0.1:8000", "millpond"
OURS = {"sec-fetch-site": "same-origin"}
"""The header that a browser adds to requests of our own pages."""
Pairs = Iterable[tuple[str, str]]


class Panel:
    """The whole application over one world at a time.  `panel.of("li")` is the browser in which Li is signed in."""

    def __init__(self, world: World) -> None:
        self.world, _tenant.world = world, world
        self.app = _application()
        self._browsers: dict[str | None, Browser] = {}

    def of(self, login: str | None) -> "Browser":
        """The browser of a user, signed in on the sign-in page; for None one that is not signed in."""
        if login not in self._browsers:
            self._browsers[login] = browser = Browser(self)
            if login is not None:
                self.world.system.do(passwords.set_password, login, HASH, one_time=False)
                entered = browser.sign_in(login)
                assert (entered.status_code, browser.token is not None) == (303, True), entered.text
        return self._browsers[login]

    def browser(self) -> "Browser":
        """One more browser, not signed in."""
        return Browser(self)


class _Tenant:
    """The backend of the world under test."""

    world: World

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.backend, name)


_tenant = _Tenant()


@cache
def _application() -> Any:
    """The application as served, made once: assembling it and compiling its templates takes longer than most tests."""
    doors()  # first, because sqladmin stores in the class of a screen to which panel it belongs, and the last one wins
    return application(cast("Backend", _tenant), Settings())


class Browser:
    """Sends requests, keeps cookies, follows no redirects, and checks every response.

    `marks` matches marked texts, `secrets` are those that no response may hold, unless the request itself holds them.
    """

    def __init__(self, panel: Panel) -> None:
        transport = httpx.ASGITransport(panel.app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
        always = {"accept-encoding": "identity", "x-request-id": "the-request", "user-agent": "Tester/1.0"}
        self.panel, self.world = panel, panel.world
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=always)
        self.marks, self.secrets = re.compile("$^"), frozenset[str]()
        self.seen = 0

    @property
    def token(self) -> str | None:
        return self.client.cookies.get(COOKIE)

    def sign_in(self, login: str, password: str = RIGHT, **more: str) -> httpx.Response:
        return self.post("/admin/login", {"login": login, "password": password, **more})

    def get(self, path: str, query: Mapping[str, Any] | Pairs = (), **headers: str) -> httpx.Response:
        asked = encoded(query)
        address = path + ("&" if "?" in path else "?") * bool(asked) + asked
        return self._looked_through(self.world.run(self.client.get(address, headers=headers)), address)

    def post(
        self, path: str, form: Mapping[str, Any] | Pairs = (), headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """`headers` replaces the headers that a page of ours would send."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        sent = self.client.post(path, content=encoded(form), headers=kind | dict(OURS if headers is None else headers))
        return self._looked_through(self.world.run(sent), path + encoded(form))

    def post_raw(self, path: str, body: bytes, kind: str) -> httpx.Response:
        """Send any bytes in place of a form."""
        sent = self.client.post(path, content=body, headers=OURS | ({"content-type": kind} if kind else {}))
        return self._looked_through(self.world.run(sent), path + body.decode(errors="replace"))

    def _looked_through(self, response: httpx.Response, sent: str) -> httpx.Response:
        self.seen += 1
        where = f"{response.request.method} {response.request.url}"
        assert response.status_code != 500, f"{where} broke"
        assert (found := list(amiss(response))) == [], f"{where}: {found}"
        leaked = self.secrets.intersection(self.marks.findall(unescape(response.text) + str(response.headers)))
        leaked = {secret for secret in leaked if secret not in unquote_plus(sent)}
        assert not leaked, f"{where} ({response.status_code}) tells {sorted(leaked)[:5]}"
        return response


def encoded(what: Mapping[str, Any] | Pairs) -> str:
    """The URL-encoded form; a list is a key given several times."""
    pairs = what.items() if isinstance(what, Mapping) else what
    return urlencode(
        [(k, v) for k, values in pairs for v in (values if isinstance(values, list | tuple) else [values])]
    )


def told(response: httpx.Response, *ids: str) -> tuple[Any, ...]:
    """(status, headers, body) of a response, these ids replaced and keys of forms left out, for a comparison."""

    def without(text: str) -> str:
        for id in ids:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(id)}(?![0-9])", "ID", text)
        return re.sub(r'name="_key" value="[^"]*"', 'name="_key"', text)

    headers = [(k, without(v)) for k, v in response.headers.items() if k not in ("content-length", "x-request-id")]
    return response.status_code, headers, without(response.text)


# --- the route table -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """One route and one method: `GET /admin/customer/ask/claim`, asking for (customer, claim).

    `view` is the screen over an entity, None for a page of its own.  `page` is the path behind the name of the screen:
    `list`, `details`, `edit`, `create`, `lookup`, `ask/claim`, `do/claim`.
    """

    method: str
    path: str
    asks: tuple[str, str]
    view: Any
    page: str

    @property
    def model(self) -> type[Base]:
        model: type[Base] = self.view.model
        return model

    @property
    def command(self) -> str:
        return self.page.partition("/")[2]

    @property
    def right(self) -> str:
        """The action that a user must be allowed for this screen."""
        return str(self.view.needs or "view")

    def at(self, id: str) -> str:
        return self.path.replace("{id}", id)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def doors() -> tuple[Door, ...]:
    """Every route of the panel with every method, from its own route table."""
    backend = Backend("sqlite:////nowhere/at/all.db")
    backend.writer.close()
    made = Assembled(backend, CookieKeys("auto"), str, screens(), GROUPS)
    views = {view.identity: view for view in made.views if hasattr(view, "model")}
    served = {f"{method} /admin{route.path}" for route in made.routes for method in route.methods - {"HEAD"}}
    assert served == set(made.doors), "a route that declares nothing, or a declaration without a route"
    return tuple(_door(*key.split(" "), asks, views) for key, asks in made.doors.items())


def _door(method: str, path: str, asks: tuple[str, str], views: Mapping[str, Any]) -> Door:
    _admin, word, *rest = path.removeprefix("/").split("/")
    page = "/".join(part for part in rest if part != "{id}")
    return Door(method, path, asks, views.get(word) if page else None, page)


def over_records(method: str, *pages: str) -> Iterator[Door]:
    """The doors of screens over records, by method and by the first word of their pages."""
    for door in doors():
        if door.view is not None and door.method == method and door.page.partition("/")[0] in pages:
            yield door


# --- what a page shows -----------------------------------------------------------------------------------


def rows_in(page: str) -> list[str]:
    """The ids of the records that a list shows, in order."""
    return [re.split(r"[/?]", href)[-1] for href in re.findall(r'<a class="open" href="([^"]+)"', page)]


def count_in(page: str) -> int:
    """The number of records that a list shows as its count."""
    found = re.search(r'pager-count">([\d,]+) record', page)
    return int(found[1].replace(",", "")) if found else 0


def next_in(page: str) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return unescape(found[1]) if found else None


def refused_in(page: str) -> list[str]:
    """The refusals that the result page of a command shows."""
    return [unescape(said) for said in re.findall(r'<th scope="row">.*?</th><td>(.*?)</td>', page)]


# --- what no response may hold ---------------------------------------------------------------------------

_POLICY = {"default-src": "'self'", "frame-ancestors": "'none'", "object-src": "'none'", "base-uri": "'none'"}


def amiss(response: httpx.Response) -> Iterator[str]:
    """The faults of a response: missing security headers, cacheable, code in its markup."""
    headers, kind = response.headers, response.headers.get("content-type", "").partition(";")[0]
    said = headers.get_list("content-security-policy")
    policy = dict(part.strip().split(" ", 1) for part in ";".join(said).split(";"))
    if len(said) != 1 or not _POLICY.items() <= policy.items() or "unsafe" in said[0]:
        yield f"content-security-policy: {said}"
    if {"script-src", "style-src", "script-src-elem", "style-src-elem"} & policy.keys():
        yield f"scripts or styles from elsewhere: {said}"
    for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")):
        if headers.get(name) != value:
            yield f"{name}: {headers.get(name)}"
    if kind in ("text/html", "application/json") and headers.get("cache-control") != "no-store":
        yield f"cache-control: {headers.get('cache-control')}"
    if kind == "text/html" and _SUSPICIOUS.search(response.text):
        yield from mistakes(response.text)


def mistakes(page: str) -> list[str]:
    """The code in the markup of a page, and its links to other sites."""
    parser = _Markup(convert_charrefs=True)
    parser.feed(page)
    return parser.found


_ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data-lookup")
_INSIDE = r"(?:/(?![/\\])|[?#]|tel:|mailto:|data:image/svg)"
_SUSPICIOUS = re.compile(
    r"""[\s"'/](?:on\w+|style)\s*=|<(?:style|iframe|object|embed|base|img|svg\s+on)|<script(?!\ssrc="/assets/)"""
    rf"""|\b(?:{"|".join(_ADDRESSES)})=(?!"{_INSIDE}|"")""",
    re.IGNORECASE,
)
"""Matches a page that has to be parsed; most pages hold nothing that looks like code."""


class _Markup(HTMLParser):
    """Finds scripts that are no file of ours, styles and handlers in attributes, and links to other sites."""

    def reset(self) -> None:
        super().reset()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "script" and not given.get("src", "").startswith("/assets/"):
            self.found.append("a script that is no file of ours")
        if tag in ("style", "iframe", "object", "embed", "base", "img"):
            self.found.append(f"<{tag}>")
        self.found += [f"{name}= on <{tag}>" for name in given if name.startswith("on") or name == "style"]
        for name in _ADDRESSES:
            address = given.get(name, "")
            if not re.match(f"{_INSIDE}|$", address):
                self.found.append(f"{name}={address[:60]} on <{tag}>")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
