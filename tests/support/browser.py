"""Chromium over a served demo database."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from millpond.demo import PASSWORD
from tests.support.terminal import served

PICTURES = os.environ.get("MILLPOND_PICTURES")
"""The folder for screenshots; without it none are taken."""
WIDE, NARROW = (1360, 900), (390, 844)
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_AXE = Path(__file__).parents[1] / "assets" / "axe.min.js"


@dataclass
class Person:
    """A browser window of one user.  `heard` are the lines of its console, `asked` the addresses that it fetched."""

    page: Page
    address: str
    heard: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def see(self, text: str) -> None:
        """Wait until the page shows the text.  Raises AssertionError with what it shows instead after 30 s."""
        try:
            self.page.get_by_text(text).first.wait_for(timeout=30_000)
        except PlaywrightTimeoutError as error:
            shown = self.page.locator("body").inner_text(timeout=5_000)
            raise AssertionError(f"no {text!r} on {self.page.url}, but:\n{shown[:3000]}\n{self.heard}") from error

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.wait_for_timeout(400)  # until animations have ended
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{PICTURES}/{name}.png")

    def overflow(self) -> int:
        """The number of pixels by which the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def faults(self) -> list[str]:
        """The accessibility violations that axe finds on the page: rule and place."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
        return [f"{x['id']}: {x['nodes'][0]['target']}" for x in found["violations"]]


class Screens:
    """A browser over one served demo; `person` opens a window with a session of its own."""

    def __init__(self, browser: Browser, address: str, url: str) -> None:
        self.browser, self.address, self.url = browser, address, url
        self._open: list[BrowserContext] = []

    def person(
        self,
        login: str,
        size: tuple[int, int] = WIDE,
        *,
        language: str = "en",
        theme: str = "light",
        password: str = PASSWORD,
        scripts: bool = True,
    ) -> Person:
        """A window in which this user is signed in, in this language and theme."""
        person = self.visitor(size, language=language, scripts=scripts)
        self._post(person, "login", login=login, password=password)
        self._post(person, "account/language", language=language)
        self._post(person, "preferences", name="theme", value=theme)
        return person

    def _post(self, person: Person, path: str, **form: str) -> None:
        request = person.page.context.request
        answer = request.post(
            f"{self.address}/admin/{path}", form=form, headers={"sec-fetch-site": "same-origin"}, max_redirects=0
        )
        assert answer.status == 303, (path, answer.status, answer.text())

    def visitor(self, size: tuple[int, int] = WIDE, *, language: str = "en", scripts: bool = True) -> Person:
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            java_script_enabled=scripts,
        )
        self._open.append(context)
        person = Person(context.new_page(), self.address)
        person.page.on("console", lambda said: person.heard.append(said.text))
        person.page.on("pageerror", lambda error: person.heard.append(str(error)))
        person.page.on("request", lambda request: person.asked.append(request.url))
        return person

    def close(self) -> None:
        for context in self._open:
            context.close()
        self._open.clear()


def chromium() -> str:
    """The path of the browser.  Skips the test without one; raises RuntimeError where one is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("MILLPOND_REQUIRE_BROWSER"):
            raise RuntimeError("MILLPOND_REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("there is no chromium: the stories in the browser are not told")
    return found


@contextmanager
def screens(url: str) -> Iterator[Screens]:
    """A served database in a browser."""
    with served(url, "web") as it, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            yield Screens(browser, it.address, url)
        finally:
            browser.close()
