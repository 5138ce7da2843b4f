"""The GraphQL door and the application around it.  House and engine only note what they are asked."""

import asyncio
import gzip
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from millpond import app, logs
from millpond.graphql_request import BODY_BYTES, PLAIN
from millpond.responses import GRAPHQL
from millpond.settings import BadSettings, Settings, read
from schema import limits
from tests.support.stand_in import BASE, LI, QUERY, Answered, StandIn, application, code, message, post, send

SECRET = "SELECT phone FROM customer; /srv/millpond/var/millpond.db; psycopg.OperationalError"


@pytest.fixture
def backend() -> StandIn:
    return StandIn()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", *(f"MILLPOND_{name.upper()}" for name in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


# -- a proper question ---------------------------------------------------------------------------------------


def test_a_question_reaches_the_engine_with_everything_the_scope_needs(backend: StandIn):
    body = {"query": "{ a }", "variables": {"n": 1}, "operationName": "Q", "extensions": {"x": 1}}
    headers = {"authorization": "Bearer li-key", "x-request-id": "abc-1", "user-agent": "Tester/1.0"}

    response = post(backend, body, headers)

    assert (response.status_code, response.content) == (200, b'{"data":{"me":null}}')
    scope = {"principal": LI, "door": "graphql", "request_id": "abc-1"}
    scope |= {"address": "192.0.2.7", "agent": "Tester/1.0", "token": "li-key", "language": "en"}
    assert backend.asked == [(scope, "{ a }", {"n": 1}, "Q")]
    assert backend.identified == [("li-key", "192.0.2.7", "Tester/1.0")]


def test_nobody_may_ask_too_and_is_nobody(backend: StandIn):
    assert post(backend).status_code == 200
    assert backend.asked[0][0]["principal"] is None
    assert backend.identified == []


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_is_accepted_however_it_is_spelt(backend: StandIn, kind: str):
    assert post(backend, headers={"content-type": kind}).status_code == 200


def test_null_means_absent(backend: StandIn):
    assert post(backend, {**QUERY, "variables": None, "operationName": None, "extensions": None}).status_code == 200


def test_text_of_any_language_arrives_as_it_was_sent(backend: StandIn):
    post(backend, {**QUERY, "variables": {"name": "杭州 😀 \u0001 \\u0000"}})
    assert backend.asked[0][2] == {"name": "杭州 😀 \u0001 \\u0000"}


# -- bad input -----------------------------------------------------------------------------------------------

DOUBLING = "{ m { ...f0 } } fragment f18 on M { a }" + "".join(
    f"fragment f{i} on M {{ ...f{i + 1} ...f{i + 1} a }}" for i in range(18)
)
NOT_A_QUESTION: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not valid JSON"),
    "spaces": (b"  ", "not valid JSON"),
    "null": (b"null", "must be a JSON object"),
    "a string": (b'"x"', "must be a JSON object"),
    "a number": (b"1", "must be a JSON object"),
    "true": (b"true", "must be a JSON object"),
    "an empty list": (b"[]", "Batches are not accepted"),
    "a batch": (json.dumps([QUERY, QUERY]).encode(), "Batches are not accepted"),
    "half an object": (b'{"query": "{a}"', "not valid JSON"),
    "two objects": (b'{"query": "{a}"}{}', "not valid JSON"),
    "not a number": (b'{"query": "{a}", "variables": {"x": NaN}}', "not valid JSON"),
    "infinity": (b'{"query": "{a}", "variables": {"x": Infinity}}', "not valid JSON"),
    "GraphQL": (b"{ me { name } }", "not valid JSON"),
    "a form": (b"query=%7Ba%7D", "not valid JSON"),
    "a mark of byte order": (b"\xef\xbb\xbf" + json.dumps(QUERY).encode(), "not valid JSON"),
    "UTF-16": (json.dumps(QUERY).encode("utf-16"), "not UTF-8"),
    "Latin-1": ('{"query": "{a}", "variables": {"x": "é"}}'.encode("latin-1"), "not UTF-8"),
    "an overlong form": (b'{"query": "\xc0\x80"}', "not UTF-8"),
    "half a pair in raw bytes": (b'{"query": "\xed\xa0\x80"}', "not UTF-8"),
    "half a pair": (b'{"query": "{a}", "variables": {"x": "\\ud800"}}', "half a surrogate pair"),
    "the other half": (b'{"query": "{a}", "variables": {"x": ["\\udc00 y"]}}', "half a surrogate pair"),
    "half a pair as a key": (b'{"query": "{a}", "variables": {"\\uD83D": 1}}', "half a surrogate pair"),
    "NUL": (b'{"query": "{a}", "variables": {"x": "a\\u0000b"}}', "NUL"),
    "NUL as a key": (b'{"query": "{a}", "variables": {"x": [{"\\u0000": 1}]}}', "NUL"),
    "NUL in the query": (b'{"query": "{a\\u0000}"}', "NUL"),
    "NUL raw": (b'{"query": "{a}\0"}', "not valid JSON"),
    "a raw line feed": (b'{"query": "{a}\n"}', "not valid JSON"),
    "no query": (b"{}", '"query" must be a string'),
    "query null": (b'{"query": null}', '"query" must be a string'),
    "query list": (b'{"query": ["{a}"]}', '"query" must be a string'),
    "query empty": (b'{"query": ""}', '"query" must be a string'),
    "query blank": (b'{"query": " \\n "}', '"query" must be a string'),
    "only a version": (b'{"extensions": {"persistedQuery": {"version": 1}}}', '"sha256Hash" must be a SHA-256'),
    "variables list": (b'{"query": "{a}", "variables": []}', '"variables" must be an object'),
    "variables text": (b'{"query": "{a}", "variables": "{}"}', '"variables" must be an object'),
    "variables false": (b'{"query": "{a}", "variables": false}', '"variables" must be an object'),
    "extensions list": (b'{"query": "{a}", "extensions": []}', '"extensions" must be an object'),
    "extensions text": (b'{"query": "{a}", "extensions": "x"}', '"extensions" must be an object'),
    "operationName number": (b'{"query": "{a}", "operationName": 1}', '"operationName" must be a string'),
    "operationName object": (b'{"query": "{a}", "operationName": {}}', '"operationName" must be a string'),
    "deep list": (
        b'{"query": "{a}", "variables": {"x": ' + b"[" * 100 + b"]" * 100 + b"}}",
        "deeper than 64",
    ),
    "deeper list": (b"[" * 400_000, "deeper than 64"),
    "deep object": (b'{"a":' * 200_000, "deeper than 64"),
    "deep but wide": (
        b'{"query": "{a}", "variables": {"x": [' + b"[]," * 9_000 + b"[" * 63 + b"]" * 65 + b"}}",
        "deeper than 64",
    ),
    "deep and unbalanced": (b"]" * 65 + b"[" * 65, "deeper than 64"),
    "wide": (b'{"query": "{a}", "variables": {"x": [' + b"[]," * 20_000 + b"[]]}}", "more than 20000"),
    "deep after quotes": (b'{"query": "\\"[{"' + b"[" * 65, "deeper than 64"),
}


@pytest.mark.parametrize("name", NOT_A_QUESTION)
@pytest.mark.parametrize("accept", [PLAIN, GRAPHQL])
def test_a_body_that_is_no_question_is_refused_with_a_sentence(backend: StandIn, name: str, accept: str):
    body, sentence = NOT_A_QUESTION[name]

    response = post(backend, body, {"accept": accept, "authorization": "Bearer li-key"})

    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"
    assert sentence in message(response)
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert (backend.asked, backend.identified) == ([], [])


@pytest.mark.parametrize("value", ["[" * 60 + "]" * 60, '"' + "[" * 5_000 + '"', '"\\\\u0000"', "1" * 20, "1e300"])
def test_what_only_looks_bad_is_let_through(backend: StandIn, value: str):
    assert post(backend, b'{"query": "{a}", "variables": {"x": %s}}' % value.encode()).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/graphql+json",
    ],
)
def test_only_json_is_read(backend: StandIn, kind: str):
    response = post(backend, headers={"content-type": kind})

    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert backend.asked == []


def test_a_packed_body_is_refused(backend: StandIn):
    packed = gzip.compress(json.dumps(QUERY).encode())
    assert post(backend, packed, {"content-encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused_and_the_right_one_is_named(backend: StandIn, method: str):
    response = send(application(backend), method, "/graphql", params={"query": "mutation { signOut }"})

    assert response.status_code == 405
    assert "POST" in response.headers["allow"]
    assert backend.asked == []


def test_a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not(backend: StandIn):
    body = json.dumps(QUERY).encode()
    assert post(backend, body.ljust(BODY_BYTES)).status_code == 200

    response = post(backend, body.ljust(BODY_BYTES + 1))

    assert (response.status_code, code(response)) == (413, "TOO_LARGE")
    assert len(backend.asked) == 1


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(backend: StandIn):
    sent = 0

    async def for_ever() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * BODY_BYTES:
            sent += 1 << 16
            yield b" " * (1 << 16)

    headers = {"content-type": PLAIN}
    response = send(application(backend), "POST", "/graphql", content=for_ever(), headers=headers)

    assert response.status_code == 413
    assert sent <= 2 * BODY_BYTES


@pytest.mark.parametrize("length", ["-1", "x", "1 2", "9" * 5_000, "²"])
def test_a_wrong_content_length_is_refused(backend: StandIn, length: str):
    response = post(backend, headers={"content-length": length.encode("utf-8")})  # type: ignore[dict-item]
    assert response.status_code in (400, 413)


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("{a" * 10_000, "nesting"),
        ("{" + " ".join(f"x{i}: a" for i in range(100)) + "}", "aliases"),
        ("{" + "a " * 5_000 + "}", "tokens"),
        (DOUBLING, "cost"),
    ],
)
def test_a_query_too_complex_is_a_typed_error(backend: StandIn, query: str, limit: str):
    response = post(backend, {"query": query})
    assert (response.status_code, code(response)) == (200, "TOO_COMPLEX")
    assert response.json()["errors"][0]["extensions"]["limits"][limit] == limits.LIMITS[limit]

    assert post(backend, {"query": query}, {"accept": GRAPHQL}).status_code == 400


# -- the form of answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*", PLAIN),
        (PLAIN, PLAIN),
        ("text/html", PLAIN),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {PLAIN};q=0.9", GRAPHQL),
        (f"{PLAIN}, {GRAPHQL}", GRAPHQL),
        (f"{PLAIN};q=0.9, {GRAPHQL};q=0.8", PLAIN),
        (f"{GRAPHQL};q=0", PLAIN),
        (f"{GRAPHQL};q=nonsense", PLAIN),
        (f"{GRAPHQL.upper()}; charset=utf-8", GRAPHQL),
    ],
)
def test_the_caller_chooses_the_media_type(backend: StandIn, accept: str, media: str):
    response = post(backend, headers={"accept": accept})
    assert response.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "invalid", "status"),
    [(PLAIN, True, 200), (PLAIN, False, 200), (GRAPHQL, True, 400), (GRAPHQL, False, 200)],
)
def test_an_invalid_query_is_400_in_the_graphql_media_type_only(
    backend: StandIn, accept: str, invalid: bool, status: int
):
    backend.answer_with = Answered(b'{"errors":[{"message":"x"}]}', "executed", invalid)
    assert post(backend, headers={"accept": accept}).status_code == status


SHUT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ],
)
def test_every_answer_carries_the_headers_that_shut_the_browser(backend: StandIn, method: str, path: str):
    headers = send(application(backend), method, path, headers={"accept": "text/html"}).headers

    assert {name: headers[name] for name in SHUT} == SHUT
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == "'none'"
    assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])


def test_only_the_page_of_graphiql_allows_inline_styles(backend: StandIn):
    asgi = application(backend)
    page = send(asgi, "GET", "/graphql", headers={"accept": "text/html"})
    assert "style-src 'self' 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "unsafe" not in send(asgi, "GET", "/healthz").headers["content-security-policy"]


def test_answers_are_not_kept_by_anybody(backend: StandIn):
    assert post(backend).headers["cache-control"] == "no-store"


# -- who is asking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_says_who_is_asking(backend: StandIn, scheme: str):
    post(backend, headers={"authorization": f"{scheme} li-key"})
    assert backend.asked[0][0]["principal"] == LI


@pytest.mark.parametrize("token", ["wrong", "", "two words", "x" * 513, "li-key\x7f"])
def test_a_wrong_token_is_never_taken_for_nobody(backend: StandIn, token: str):
    response = post(backend, headers={"authorization": f"Bearer {token}", "cookie": "millpond=li-key"})

    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert backend.asked == []


def test_the_token_wins_over_the_cookie(backend: StandIn):
    post(backend, headers={"authorization": "Bearer li-key", "cookie": "millpond=other"})
    assert [token for token, _, _ in backend.identified] == ["li-key"]


def test_another_kind_of_authorization_opens_nothing_and_lifts_no_guard(backend: StandIn):
    assert post(backend, headers={"authorization": "Basic bGk6a2V5"}).status_code == 200
    assert backend.asked[0][0]["principal"] is None

    assert post(backend, headers={"authorization": "Basic bGk6a2V5", "cookie": "millpond=li-key"}).status_code == 403


@pytest.mark.parametrize(
    ("base", "secure", "name"),
    [
        ("http://127.0.0.1:8000", "auto", "millpond"),
        ("http://localhost:8000", "auto", "millpond"),
        ("http://[::1]:8000", "auto", "millpond"),
        ("https://localhost", "auto", "__Host-millpond"),
        ("https://crm.example", "auto", "__Host-millpond"),
        ("http://crm.example", "auto", "__Host-millpond"),
        ("http://127.0.0.1:8000", "always", "__Host-millpond"),
        ("http://crm.example", "never", "millpond"),
    ],
)
def test_the_cookie_is_a_host_cookie_except_on_plain_loopback(backend: StandIn, base: str, secure: str, name: str):
    wrong = {"millpond": "__Host-millpond", "__Host-millpond": "millpond"}[name]
    choices = {"hosts": "*", "secure_cookies": secure, "base": base}
    same = {"sec-fetch-site": "same-origin"}

    post(backend, headers=same | {"cookie": f"other=1; {name}=li-key"}, **choices)
    post(backend, headers=same | {"cookie": f"{wrong}=li-key"}, **choices)

    assert [scope["principal"] for scope, *_ in backend.asked] == [LI, None]


def test_a_stale_cookie_is_nobody_so_that_one_can_sign_in_again(backend: StandIn):
    response = post(backend, headers={"cookie": "millpond=old", "sec-fetch-site": "same-origin"})
    assert response.status_code == 200
    assert backend.asked[0][0]["principal"] is None


OWN, SIBLING, EVIL = BASE, "http://127.0.0.1:9000", "https://evil.example"


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("same-origin", OWN, 200),
        ("same-origin", None, 200),
        ("none", None, 200),
        ("same-site", SIBLING, 403),
        ("same-site", OWN, 403),
        ("cross-site", EVIL, 403),
        ("cross-site", OWN, 403),
        ("cross-site", None, 403),
        ("nonsense", OWN, 403),
        ("", OWN, 403),
        (None, OWN, 200),
        (None, SIBLING, 403),
        (None, EVIL, 403),
        (None, "null", 403),
        (None, f"{OWN}.evil.example", 403),
        (None, "https://127.0.0.1:8000", 403),
        (None, "", 403),
        (None, None, 403),
    ],
)
def test_a_cookie_counts_only_from_our_own_pages(backend: StandIn, site: str | None, origin: str | None, status: int):
    given = {"sec-fetch-site": site, "origin": origin}
    headers = {name: value for name, value in given.items() if value is not None}

    response = post(backend, headers=headers | {"cookie": "millpond=li-key"})

    assert response.status_code == status
    assert len(backend.asked) == (status == 200)
    if status == 403:
        assert code(response) == "CROSS_SITE"
        assert backend.identified == []

    assert post(backend, headers=headers | {"authorization": "Bearer li-key"}).status_code == 200
    assert post(backend, headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "crm.example:x", "a b"])
def test_a_request_to_a_foreign_host_name_is_refused(backend: StandIn, host: str):
    assert post(backend, headers={"host": host}).status_code == 400
    assert backend.asked == []


def test_host_names_are_a_setting(backend: StandIn):
    assert post(backend, hosts="crm.example, *.lan", base="http://crm.example:8000").status_code == 200
    assert post(backend, hosts="crm.example, *.lan", base="http://pond.lan").status_code == 200
    assert post(backend, hosts="crm.example, *.lan").status_code == 400


# -- foreign front ends --------------------------------------------------------------------------------------

FRONT = "https://app.example.com"


def preflight(backend: StandIn, origin: str, **choices: Any) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return send(application(backend, **choices), "OPTIONS", "/graphql", headers=headers)


def test_no_foreign_front_end_may_call_by_default(backend: StandIn):
    assert preflight(backend, FRONT).status_code == 405
    assert not [name for name in post(backend, headers={"origin": FRONT}).headers if "access-control" in name]


def test_a_listed_front_end_may_call_with_a_token_and_without_cookies(backend: StandIn):
    asked = preflight(backend, FRONT, cors_origins=f"{FRONT} https://b.example")
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == FRONT
    assert "Authorization" in asked.headers["access-control-allow-headers"]

    headers = {"origin": FRONT, "sec-fetch-site": "cross-site", "authorization": "Bearer li-key"}
    answer = post(backend, headers=headers, cors_origins=FRONT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == FRONT
    assert "Origin" in answer.headers["vary"]

    headers = {"origin": FRONT, "sec-fetch-site": "cross-site", "cookie": "millpond=li-key"}
    assert post(backend, headers=headers, cors_origins=FRONT).status_code == 403


@pytest.mark.parametrize(
    "origin", [EVIL, "null", f"{FRONT}.evil.example", FRONT.replace("https", "http"), f"{FRONT}:444"]
)
def test_others_get_no_preflight(backend: StandIn, origin: str):
    asked = preflight(backend, origin, cors_origins=FRONT)
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize("origins", [FRONT, "*", f"*,{FRONT}"])
def test_credentials_are_never_allowed_to_a_foreign_front_end(backend: StandIn, origins: str):
    for answer in (
        preflight(backend, FRONT, cors_origins=origins),
        post(backend, headers={"origin": FRONT}, cors_origins=origins),
    ):
        assert answer.headers["access-control-allow-origin"] in ("*", FRONT)
        assert "access-control-allow-credentials" not in answer.headers


# -- ids, time and trouble -----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["abc", "0b5e-42_x.Y:1", "f" * 64])
def test_a_sane_request_id_is_kept(backend: StandIn, given: str):
    assert post(backend, headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "f" * 65, "a b", "<script>", 'x"y', "a;b", "../etc"])
def test_any_other_request_id_is_replaced(backend: StandIn, given: str):
    answered = post(backend, headers={"x-request-id": given}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", answered)
    assert backend.asked[0][0]["request_id"] == answered


def test_a_request_that_takes_too_long_is_stopped_and_says_so(backend: StandIn):
    backend.answer_with = 5.0
    response = post(backend, request_seconds=0.05)

    assert (response.status_code, code(response)) == (503, "TIMEOUT")
    assert "0.05 seconds" in message(response)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged, as it leaves the process."""
    caught: list[str] = []

    class Catch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            caught.append(self.format(record))

    before = logging.root.handlers[:], logging.root.level
    logs.set_up("info", "json")
    catch = Catch()
    catch.setFormatter(logging.root.handlers[0].formatter)
    logging.root.handlers = [catch]
    yield caught
    logging.root.handlers, logging.root.level = before


@pytest.mark.parametrize(
    "trouble", [RuntimeError(SECRET), KeyError(SECRET), TimeoutError(SECRET), RecursionError(SECRET)]
)
@pytest.mark.parametrize("accept", [PLAIN, GRAPHQL])
def test_trouble_is_logged_under_an_id_and_only_the_id_is_shown(
    backend: StandIn, lines: list[str], trouble: Exception, accept: str
):
    backend.answer_with = trouble

    response = post(backend, headers={"accept": accept, "x-request-id": "trouble-1"})

    assert response.status_code == 500
    shown = {"message": "Something went wrong (id trouble-1)", "extensions": {"code": "INTERNAL"}}
    assert response.json() == {"errors": [shown]}
    assert SECRET not in response.text + str(response.headers)
    logged = [json.loads(line) for line in lines]
    assert any(line["request_id"] == "trouble-1" and "SELECT phone" in line.get("exception", "") for line in logged)


def test_trouble_while_finding_out_who_asks_is_masked_too(backend: StandIn):
    async def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    backend.principal_of = broken  # type: ignore[method-assign, assignment]
    response = post(backend, headers={"authorization": "Bearer li-key"})
    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert SECRET not in response.text


def test_trouble_at_another_door_is_masked_too(backend: StandIn, monkeypatch: pytest.MonkeyPatch):
    async def broken(_: Request) -> Response:
        raise RuntimeError(SECRET)

    monkeypatch.setitem(app.DOORS, "GET /broken", ("open", "a test"))
    response = send(application(backend, (Route("/broken", broken),)), "GET", "/broken")

    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert SECRET not in response.text
    assert response.headers["x-frame-options"] == "DENY"


def test_an_unknown_address_is_a_typed_404(backend: StandIn):
    response = send(application(backend), "GET", "/nowhere/../etc/passwd%00")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


# -- logs ----------------------------------------------------------------------------------------------------


def test_each_request_is_one_line_with_its_id(backend: StandIn, lines: list[str]):
    post(backend, headers={"x-request-id": "line-1"})

    (line,) = [json.loads(line) for line in lines]
    assert {key: line[key] for key in ("event", "request_id", "method", "path", "status")} == {
        "event": "request",
        "request_id": "line-1",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
    }


def test_secrets_do_not_reach_the_log(backend: StandIn, lines: list[str]):
    canary = "mp_7_canarycanarycanary"
    backend.answer_with = RuntimeError(f"Authorization: Bearer {canary}")
    headers = {"authorization": "Bearer li-key", "cookie": f"millpond={canary}", "user-agent": canary}
    post(backend, {**QUERY, "variables": {"password": canary}}, headers)

    log = structlog.get_logger("test")
    log.warning("x", password=canary, nested={"Set-Cookie": canary, "list": [{"api_token": canary}]})
    log.warning(f"the key {canary} came", authorization=canary)
    logging.getLogger("library").warning("header Bearer %s", canary)

    assert len(lines) == 5
    assert canary not in "".join(lines)
    assert "hidden" in lines[-1]


# -- GraphiQL ------------------------------------------------------------------------------------------------

LOOK = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_graphiql_is_shown_to_people_who_are_signed_in(backend: StandIn):
    page = send(application(backend), "GET", "/graphql", headers=LOOK | {"cookie": "millpond=li-key"})

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Li &lt;b&gt;&quot;Na&quot;&lt;/b&gt;" in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{}, {"cookie": "millpond=old"}])
def test_others_are_asked_to_sign_in(backend: StandIn, headers: dict[str, str]):
    page = send(application(backend), "GET", "/graphql", headers=LOOK | headers)

    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "Please sign in" in page.text
    assert "graphiql.min.js" not in page.text


@pytest.mark.parametrize("headers", [{}, {"cookie": "millpond=li-key"}])
def test_the_pages_load_everything_from_here_and_hold_no_script(backend: StandIn, headers: dict[str, str]):
    asgi = application(backend)
    page = send(asgi, "GET", "/graphql", headers=LOOK | headers).text

    assert "//" not in page.replace("<!doctype", "")
    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", page)
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        asset = send(asgi, "GET", address, headers={"accept-encoding": "identity"})
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(asset.content).hexdigest().startswith(address.split("/")[2])
        assert send(asgi, "GET", address, headers={"accept-encoding": "gzip"}).content == asset.content


@pytest.mark.parametrize(
    "path", ["000000000000/graphiql/graphiql.min.js", "x/../http.py", "x/HASHES", "x/%2e%2e/http.py"]
)
def test_only_assets_are_served_and_only_at_their_address(backend: StandIn, path: str):
    assert send(application(backend), "GET", f"/assets/{path}").status_code == 404


def test_every_vendored_file_is_the_one_in_hashes_and_has_its_licence():
    folder = app.ASSETS / "graphiql"
    listed = dict(reversed(line.split()) for line in (folder / "HASHES").read_text().splitlines() if line[:1] != "#")

    assert set(listed) == {path.name for path in folder.iterdir()} - {"HASHES"}
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    assert {"LICENSE-graphiql.txt", "LICENSE-react.txt", "LICENSE-react-dom.txt"} <= set(listed)


# -- a token becomes a cookie --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "cookie"),
    [
        (BASE, "millpond=li-key; HttpOnly; Path=/; SameSite=lax"),
        ("https://127.0.0.1", "__Host-millpond=li-key; HttpOnly; Path=/; SameSite=lax; Secure"),
    ],
)
def test_a_browser_turns_its_token_into_the_session_cookie(backend: StandIn, base: str, cookie: str):
    headers = {"authorization": "Bearer li-key"}
    response = send(application(backend), "POST", "/session", headers=headers, base=base)

    assert response.status_code == 204
    assert response.headers["set-cookie"] == cookie


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"cookie": "millpond=li-key"}])
def test_without_a_valid_token_there_is_no_cookie(backend: StandIn, headers: dict[str, str]):
    response = send(application(backend), "POST", "/session", headers=headers, data={"login": "li", "password": "x"})

    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert "set-cookie" not in response.headers


# -- the application -----------------------------------------------------------------------------------------


async def _hello(_: Any) -> Response:
    return PlainTextResponse("hello")


@pytest.mark.parametrize(
    ("route", "door"),
    [
        (Route("/new", _hello), "GET /new"),
        (Route("/healthz", _hello, methods=["DELETE"]), "DELETE /healthz"),
        (Mount("/panel", routes=[Route("/new", _hello)]), "GET /panel/new"),
        (Mount("/files", app=PlainTextResponse("hello")), "* /files"),
        (WebSocketRoute("/live", _hello), "WS /live"),
    ],
)
def test_a_door_that_declares_nothing_keeps_the_application_from_starting(
    backend: StandIn, route: BaseRoute, door: str
):
    with pytest.raises(RuntimeError, match=f"the route {re.escape(door)} declares no"):
        application(backend, (route,))


def test_the_house_lives_as_long_as_the_application_and_its_work_beside_it(
    backend: StandIn, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tasks.restarting.RESTART_SECONDS", 0)
    begun = []

    async def work() -> None:
        begun.append(backend.life[:])
        if len(begun) == 1:
            raise RuntimeError("the first time is hard")
        await asyncio.Event().wait()

    async def story() -> None:
        asgi = app.build(backend, Settings(), answer=backend.answer, background=[work])
        async with _living(asgi):
            while len(begun) < 2:  # noqa: ASYNC110  what is begun has no event to wait for
                await asyncio.sleep(0)
            assert backend.life == ["start"]

    asyncio.run(asyncio.wait_for(story(), 5))

    assert begun == [["start"], ["start"]]
    assert backend.life == ["start", "close"]


@asynccontextmanager
async def _living(asgi: Any) -> AsyncIterator[None]:
    async with asgi.router.lifespan_context(asgi):
        yield


@pytest.mark.parametrize(("alive", "status"), [(True, 200), (False, 503), (RuntimeError(SECRET), 503)])
def test_readiness_asks_the_house_and_life_does_not(backend: StandIn, alive: bool | Exception, status: int):
    backend.alive = alive
    ready = send(application(backend), "GET", "/readyz")
    assert ready.status_code == status
    assert SECRET not in ready.text

    assert send(application(backend), "GET", "/healthz").json() == {"status": "alive"}


def test_a_house_that_has_written_nothing_for_long_is_not_ready_and_says_for_how_long(backend: StandIn):
    backend.wrote = 37.21
    ready = send(application(backend), "GET", "/readyz")

    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "last_write_seconds": 37.2})


def test_a_policy_that_is_not_as_it_is_stored_is_said_and_counted_while_requests_go_on(backend: StandIn):
    asgi = application(backend)
    assert send(asgi, "GET", "/readyz").json() == {"status": "ready", "last_write_seconds": 0}
    assert "millpond_policy_degraded 0.0" in send(asgi, "GET", "/metrics").text

    backend.spoilt = "revision 7 cannot be in force; revision 6 stays in force"

    ready = send(asgi, "GET", "/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "policy": backend.spoilt, "last_write_seconds": 0},
    )
    assert "millpond_policy_degraded 1.0" in send(asgi, "GET", "/metrics").text


def test_metrics_count_requests_and_how_answers_came_to_be(backend: StandIn):
    asgi = application(backend)

    def ask() -> None:
        send(asgi, "POST", "/graphql", json=QUERY)

    ask()
    ask()
    backend.answer_with = Answered(kind="executed")
    ask()
    send(asgi, "POST", "/graphql", content=b"null", headers={"content-type": PLAIN})
    send(asgi, "GET", "/made-up-by-the-caller")
    figures = send(asgi, "GET", "/metrics").text

    assert 'millpond_requests_total{door="graphql",status="200"} 3.0' in figures
    assert 'millpond_requests_total{door="graphql",status="400"} 1.0' in figures
    assert 'millpond_requests_total{door="other",status="404"} 1.0' in figures
    assert 'millpond_graphql_answers_total{kind="planned"} 2.0' in figures
    assert 'millpond_graphql_answers_total{kind="executed"} 1.0' in figures
    assert 'millpond_graphql_seconds_count{kind="planned"} 2.0' in figures
    assert "made-up" not in figures


# -- settings ------------------------------------------------------------------------------------------------


def test_every_setting_has_a_description_and_a_default():
    assert all(setting.description and not setting.is_required() for setting in Settings.model_fields.values())
    assert Settings() == Settings.model_validate({})


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("MILLPOND_HOSTS", "CRM.example, *.lan ,")
    monkeypatch.setenv("MILLPOND_CORS_ORIGINS", "")
    assert (read().port, read().hosts, read().cors_origins) == (8080, ("crm.example", "*.lan"), ())

    monkeypatch.setenv("MILLPOND_PORT", "8081")
    assert read().port == 8081


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("MILLPOND_PORT", "65536"),
        ("MILLPOND_HOSTS", "http://crm.example"),
        ("MILLPOND_HOSTS", "crm*"),
        ("MILLPOND_CORS_ORIGINS", "app.example"),
        ("MILLPOND_CORS_ORIGINS", "https://app.example/path"),
        ("MILLPOND_REQUEST_SECONDS", "-1"),
        ("MILLPOND_LOG_LEVEL", "loud"),
        ("MILLPOND_SECURE_COOKIES", "maybe"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as wrong:
        read()
    assert str(wrong.value).startswith(f"{name}: ")
    assert value not in str(wrong.value)


def test_a_demo_stays_at_home(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MILLPOND_DEMO", "true")
    assert read().demo

    monkeypatch.setenv("MILLPOND_HOST", "0.0.0.0")
    with pytest.raises(BadSettings, match=r"MILLPOND_DEMO: .*loopback"):
        read()


def test_the_password_of_the_database_is_not_in_the_repr():
    assert "hunter2" not in repr(Settings(database="postgresql://crm:hunter2@db/crm"))
