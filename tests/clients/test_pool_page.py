"""The example of a front end, built and driven in Chromium: two people at one pool, in two languages."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import node
from tests.support.browser import chromium
from tests.support.sign_in import RIGHT, WRONG, give_passwords
from tests.support.terminal import served
from tests.support.world import World

SOON = 30_000
NAMES = {"li": ("Sign-in name", "Password", "Sign in"), "wu": ("账号", "密码", "登录")}


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@contextmanager
def pages(folder: Path) -> Iterator[int]:
    """The port at which the files of a folder are."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def sign_in(browser: Browser, login: str, origin: str, heard: list[str], password: str = RIGHT) -> Page:
    language = "zh-CN" if login == "wu" else "en-GB"
    page = browser.new_context(locale=language).new_page()
    page.on("console", lambda said: heard.append(said.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(origin)
    name, secret, button = NAMES[login]
    page.get_by_label(name).fill(login)
    page.get_by_label(secret).fill(password)
    page.get_by_role("button", name=button).click()
    return page


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_one_claims_vanishes_in_the_page_of_the_other(sqlite_url: str) -> None:
    folder = node.installed() / "pool-page"
    assert node.tool("tsc", "--noEmit", "--project", "tsconfig.json", under="pool-page") == ""
    world = World(sqlite_url)
    give_passwords(world, "li", "wu")
    for name in ("Acme", "Bolt <i>", "Ceres"):
        world.customer(name, pool="north")
    world.close()
    heard: list[str] = []
    with pages(folder) as port, sync_playwright() as playwright:
        origin = f"http://localhost:{port}"
        with served(sqlite_url, "web", MILLPOND_COOKIE_ORIGINS=origin) as it:
            api = f"http://localhost:{urlsplit(it.address).port}"
            words = ("--bundle", "--outfile=page.js", f"--define:MILLPOND={json.dumps(api)}")
            node.tool("esbuild", "src/main.ts", *words, under="pool-page")
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            refused = sign_in(browser, "wu", origin, [], WRONG)
            expect(refused.get_by_role("status")).to_have_text("账号或密码错误。", timeout=SOON)

            li, wu = (sign_in(browser, login, origin, heard) for login in ("li", "wu"))
            for page, first in ((li, "Acme"), (wu, "Acme")):
                expect(page.locator("tbody tr")).to_have_count(3, timeout=SOON)
                expect(page.locator("tbody tr").first).to_contain_text(first)
            li.locator("tr", has_text="Bolt <i>").get_by_role("button").click()
            for page in (li, wu):
                expect(page.locator("tbody tr")).to_have_count(2, timeout=SOON)
                expect(page.locator("tbody")).not_to_contain_text("Bolt")
            expect(li.get_by_role("status")).to_have_text("Bolt <i> is yours.")

            wu.reload()  # the cookie keeps the session
            expect(wu.locator("tbody tr")).to_have_count(2, timeout=SOON)
            li.get_by_role("button", name="Sign out").click()
            expect(li.get_by_label("Sign-in name")).to_be_visible(timeout=SOON)
            browser.close()
    assert [line for line in heard if "401" not in line] == []  # who is not signed in is told so by the first request


def test_the_example_names_the_packages_that_are_tried():
    example = json.loads((node.EXAMPLES / "pool-page" / "package.json").read_text())
    tried = json.loads((node.CLIENTS / "package.json").read_text())["dependencies"]
    packages = example["dependencies"] | example["devDependencies"]
    assert packages == {name: tried[name] for name in packages}
