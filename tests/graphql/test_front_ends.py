"""Front ends on other origins: what they may send, which may use the cookie, and the schema as a file."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from schema.build import sdl
from tests.support import stand_in
from tests.support.stand_in import LI, StandIn, application, code, post, send

FRONT, OTHER = "https://app.example.com", "https://other.example.com"
CRM = {"base": "https://crm.example.com", "hosts": "crm.example.com"}
COOKIE = {"cookie": "__Host-millpond=li-key", "origin": FRONT, "sec-fetch-site": "same-site"}


@pytest.fixture
def backend() -> StandIn:
    return StandIn()


def preflight(backend: StandIn, path: str, origin: str = FRONT, **choices: Any) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return send(application(backend, **choices), "OPTIONS", path, headers=headers)


# -- headers -------------------------------------------------------------------------------------------------


def test_a_front_end_may_send_the_headers_of_tracing(backend: StandIn):
    told = preflight(backend, "/graphql", cors_origins=FRONT).headers

    assert told["access-control-allow-methods"] == "GET, POST"
    allowed = told["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "x-request-id", "traceparent", "tracestate", "baggage"} <= {*allowed}


def test_the_headers_are_a_setting(backend: StandIn):
    told = preflight(backend, "/graphql", cors_origins=FRONT, cors_headers="sentry-trace X-B3-TraceId").headers
    allowed = told["access-control-allow-headers"].lower().split(", ")

    assert {"authorization", "sentry-trace", "x-b3-traceid"} <= {*allowed}
    assert "traceparent" not in allowed


# -- the cookie ----------------------------------------------------------------------------------------------


def test_a_trusted_front_end_uses_the_cookie(backend: StandIn):
    answer = post(backend, headers=COOKIE, cookie_origins=FRONT, **CRM)

    assert answer.status_code == 200
    assert backend.asked[0][0]["principal"] == LI
    assert answer.headers["access-control-allow-origin"] == FRONT
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("choices", [{}, {"cors_origins": FRONT}, {"cors_origins": "*"}, {"cookie_origins": OTHER}])
def test_every_other_origin_is_refused_with_the_cookie(backend: StandIn, choices: dict[str, str]):
    answer = post(backend, headers=COOKIE, **choices, **CRM)

    assert (answer.status_code, code(answer)) == (403, "CROSS_SITE")
    assert "access-control-allow-credentials" not in answer.headers
    assert backend.asked == []


def test_a_page_without_an_origin_is_no_trusted_one(backend: StandIn):
    headers = {"cookie": "__Host-millpond=li-key", "sec-fetch-site": "same-site"}  # an image, or a link
    asgi = application(backend, cookie_origins=FRONT, hosts="crm.example.com")

    asked = send(asgi, "GET", "/graphql", base=CRM["base"], params={"query": "{ a }"}, headers=headers)

    assert (asked.status_code, backend.asked) == (403, [])


@pytest.mark.parametrize(("origin", "status"), [(FRONT, 204), (OTHER, 405)])
def test_a_trusted_front_end_turns_its_token_into_the_cookie(backend: StandIn, origin: str, status: int):
    asked = preflight(backend, "/session", origin, cookie_origins=FRONT)
    assert asked.status_code == status
    assert ("access-control-allow-credentials" in asked.headers) == (status == 204)

    headers = {"origin": origin, "authorization": "Bearer li-key"}
    asgi = application(backend, cookie_origins=FRONT, cors_origins=OTHER)
    given = send(asgi, "POST", "/session", headers=headers)
    assert ("access-control-allow-credentials" in given.headers) == (status == 204)


# -- the schema ----------------------------------------------------------------------------------------------


def schema_file(backend: StandIn, **headers: str) -> httpx.Response:
    asgi = application(backend)
    return send(asgi, "GET", "/schema.graphql", headers={name.replace("_", "-"): x for name, x in headers.items()})


def test_the_schema_is_a_file_for_who_is_signed_in(backend: StandIn):
    by_token = schema_file(backend, authorization="Bearer li-key")

    assert (by_token.status_code, by_token.text) == (200, sdl())
    assert by_token.headers["content-type"] == "text/plain; charset=utf-8"
    assert by_token.headers["cache-control"] == "private, no-cache"
    assert by_token.headers["content-encoding"] == "gzip"
    assert schema_file(backend, cookie="millpond=li-key").status_code == 200

    again = schema_file(backend, authorization="Bearer li-key", if_none_match=by_token.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"cookie": "millpond=old"}])
def test_strangers_do_not_get_the_schema(backend: StandIn, headers: dict[str, str]):
    answer = schema_file(backend, **headers)
    assert (answer.status_code, code(answer), answer.headers["www-authenticate"]) == (401, "UNAUTHENTICATED", "Bearer")


def test_who_has_to_choose_a_password_does_not_get_the_schema(backend: StandIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stand_in, "LI", replace(LI, must_change_password=True))
    answer = schema_file(backend, authorization="Bearer li-key")
    assert (answer.status_code, code(answer)) == (403, "PASSWORD_MUST_CHANGE")
