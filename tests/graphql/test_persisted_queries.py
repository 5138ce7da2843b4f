"""Persisted queries as Apollo's clients send them: the hash, then hash and text, then the hash alone."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from schema import persisted_queries
from schema.persisted_queries import PersistedQueries
from tests.support.stand_in import Answered, StandIn, application, code, message, send

TEXT = "{ me { user { name } } }"
LI = {"authorization": "Bearer li-key"}


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def named(hash: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}, **more}


@pytest.fixture
def backend() -> StandIn:
    return StandIn()


@pytest.fixture
def asgi(backend: StandIn) -> ASGIApp:
    return application(backend)


def post(asgi: ASGIApp, body: dict[str, Any], headers: dict[str, str] = LI) -> httpx.Response:
    return send(asgi, "POST", "/graphql", json=body, headers=headers)


def get(asgi: ASGIApp, body: dict[str, Any], headers: dict[str, str] = LI) -> httpx.Response:
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return send(asgi, "GET", "/graphql", params=given, headers=headers)


def test_the_hash_alone_serves_once_the_text_came_with_it(asgi: ASGIApp, backend: StandIn):
    unknown = post(asgi, named(hash_of(TEXT)))
    assert (unknown.status_code, code(unknown), message(unknown)) == (
        200,
        "PERSISTED_QUERY_NOT_FOUND",
        "PersistedQueryNotFound",
    )
    assert unknown.headers["cache-control"] == "no-store"
    assert backend.asked == []

    assert post(asgi, named(hash_of(TEXT), query=TEXT)).json() == {"data": {"me": None}}

    assert post(asgi, named(hash_of(TEXT), variables={"n": 1})).json() == {"data": {"me": None}}
    assert get(asgi, named(hash_of(TEXT).upper())).json() == {"data": {"me": None}}
    assert [asked[1] for asked in backend.asked] == [TEXT] * 3
    assert backend.asked[1][2] == {"n": 1}


def test_a_text_under_a_foreign_hash_is_refused_and_not_kept(asgi: ASGIApp, backend: StandIn):
    poisoned = post(asgi, named(hash_of(TEXT), query="{ evil }"))

    assert (poisoned.status_code, code(poisoned)) == (400, "BAD_REQUEST")
    assert "hash" in message(poisoned)
    assert code(post(asgi, named(hash_of(TEXT)))) == "PERSISTED_QUERY_NOT_FOUND"
    assert backend.asked == []


@pytest.mark.parametrize("headers", [{}, {"cookie": "millpond=old", "sec-fetch-site": "same-origin"}])
def test_callers_who_are_not_signed_in_keep_nothing(asgi: ASGIApp, headers: dict[str, str]):
    assert post(asgi, named(hash_of(TEXT), query=TEXT), headers).status_code == 200
    assert code(post(asgi, named(hash_of(TEXT)))) == "PERSISTED_QUERY_NOT_FOUND"


def test_what_is_no_valid_query_is_not_kept(asgi: ASGIApp, backend: StandIn):
    backend.answer_with = Answered(b'{"errors":[{"message":"x"}]}', "invalid", invalid=True)
    post(asgi, named(hash_of(TEXT), query=TEXT))
    assert code(post(asgi, named(hash_of(TEXT)))) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_persisted_mutation_by_get_is_405(asgi: ASGIApp):
    text = "mutation { signOut { problems { code } } }"
    post(asgi, named(hash_of(text), query=text))

    assert post(asgi, named(hash_of(text))).status_code == 200
    assert get(asgi, named(hash_of(text))).status_code == 405


@pytest.mark.parametrize(
    "given",
    [
        {"version": 2, "sha256Hash": "a" * 64},
        {"version": 1},
        {"version": 1, "sha256Hash": "a" * 63},
        {"version": 1, "sha256Hash": 7},
        {"version": 1, "sha256Hash": "x" * 64},
        "a" * 64,
        [],
    ],
)
def test_what_is_no_hash_is_refused_with_a_sentence(asgi: ASGIApp, given: Any):
    response = post(asgi, {"extensions": {"persistedQuery": given}})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


def test_the_texts_are_bounded_and_the_least_used_make_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(persisted_queries, "MAX_BYTES", 1_000)
    queries = PersistedQueries()
    for n in range(30):
        text = f"{{ a{n:02} }}" + " " * 92  # 100 bytes
        queries.keep(hash_of(text), text)
        assert queries.find(hash_of("{ a00 }" + " " * 92)) is not None or n > 0

    assert len(queries) <= 10
