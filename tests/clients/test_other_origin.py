"""A browser app on another origin of the same site: it signs in, uses the cookie, and no other page can."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, sync_playwright

from tests.support.browser import chromium
from tests.support.sign_in import RIGHT, give_passwords
from tests.support.terminal import served
from tests.support.world import World

ASK = """async ([address, query, more]) => {
  const response = await fetch(address, {
    method: "POST", credentials: "include", body: JSON.stringify({query}), ...more,
    headers: {"content-type": "application/json", ...more.headers},
  });
  return [response.status, await response.json()];
}"""
SESSION = """async ([address, token]) => {
  const headers = {authorization: `Bearer ${token}`};
  return (await fetch(address, {method: "POST", credentials: "include", headers})).status;
}"""
GET = """async ([address]) => {
  const response = await fetch(address, {credentials: "include", headers: {accept: "application/json"}});
  return [response.status, await response.json()];
}"""
SUBSCRIBE = """([address]) => new Promise((done) => {
  const socket = new WebSocket(address, "graphql-transport-ws");
  socket.onopen = () => socket.send(JSON.stringify({type: "connection_init"}));
  socket.onmessage = (message) => done(JSON.parse(message.data).type);
  socket.onclose = (closed) => done(closed.code);
})"""
ME = "{ me { user { login } } }"


class _App(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>app</title>")

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def app() -> Iterator[int]:
    """The port of a server of pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def sign_in(page: Page, api: str) -> None:
    text = f'mutation {{ signIn(input: {{login: "li", password: "{RIGHT}"}}) {{ token }} }}'
    status, answer = page.evaluate(ASK, [f"{api}/graphql", text, {}])
    assert status == 200
    assert page.evaluate(SESSION, [f"{api}/session", answer["data"]["signIn"]["token"]]) == 204


@pytest.mark.long
def test_an_app_of_the_same_site_uses_the_cookie_and_no_other_page_can(sqlite_url: str) -> None:
    world = World(sqlite_url)
    give_passwords(world, "li")
    world.close()
    with app() as trusted, app() as other:
        origin = f"http://localhost:{trusted}"
        with served(sqlite_url, "web", MILLPOND_COOKIE_ORIGINS=origin) as it, sync_playwright() as playwright:
            api = f"http://localhost:{urlsplit(it.address).port}"
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()

            page.goto(origin)
            assert page.evaluate(ASK, [f"{api}/graphql", ME, {}])[0] == 401
            sign_in(page, api)
            (cookie,) = page.context.cookies(api)
            assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
            assert page.evaluate("document.cookie") == ""

            mine = {"data": {"me": {"user": {"login": "li"}}}}
            traced = {"headers": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
            assert page.evaluate(ASK, [f"{api}/graphql", ME, traced]) == [200, mine]
            assert page.evaluate(GET, [f"{api}/graphql?query={ME}"]) == [200, mine]
            assert page.evaluate(SUBSCRIBE, [f"{api.replace('http', 'ws')}/graphql"]) == "connection_ack"

            page.goto(f"http://localhost:{other}")  # the same site, and the cookie is sent from there, too
            plain = {"mode": "no-cors", "headers": {"content-type": "text/plain"}}
            asked = ((ASK, [f"{api}/graphql", ME, {}]), (GET, [f"{api}/graphql?query={ME}"]))
            for ask, given in (*asked, (ASK, [f"{api}/graphql", "mutation { signOut { problems { code } } }", plain])):
                with pytest.raises(Error, match="Failed to fetch"):
                    page.evaluate(ask, given)
            assert page.evaluate(SUBSCRIBE, [f"{api.replace('http', 'ws')}/graphql"]) != "connection_ack"

            page.goto(f"http://127.0.0.1:{trusted}")  # another site: the browser keeps the cookie to itself
            with pytest.raises(Error, match="Failed to fetch"):
                page.evaluate(ASK, [f"{api}/graphql", ME, {}])

            page.goto(origin)
            assert page.evaluate(ASK, [f"{api}/graphql", ME, {}]) == [200, mine]  # nothing has signed out
            out = page.evaluate(ASK, [f"{api}/graphql", "mutation { signOut { problems { code } } }", {}])
            assert out == [200, {"data": {"signOut": {"problems": []}}}]
            assert page.evaluate(ASK, [f"{api}/graphql", ME, {}])[0] == 401
            browser.close()
