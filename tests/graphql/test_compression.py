"""Compressed answers: who gets them, what is never compressed, and what the cost of a request says."""

import json

import pytest

from millpond.compression import MIN_BYTES, THREAD_BYTES, accepts_gzip
from tests.support.stand_in import Answered, StandIn, get, post

LARGE = json.dumps({"data": {"text": "Huaxing " * 1_000}}).encode()
GZIP = {"accept-encoding": "gzip", "authorization": "Bearer li-key"}


@pytest.fixture
def backend() -> StandIn:
    return StandIn(answer_with=Answered(LARGE))


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("*", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.1", True),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_the_client_says_whether_it_accepts_gzip(header: str, accepts: bool):
    assert accepts_gzip(header) == accepts


@pytest.mark.parametrize("size", [8_000, 2 * THREAD_BYTES])
def test_a_large_answer_is_compressed_and_the_same(backend: StandIn, size: int):
    body = json.dumps({"data": {"text": "华兴 " * (size // 4)}}, ensure_ascii=False).encode()
    backend.answer_with = Answered(body)

    packed, plain = post(backend, headers=GZIP), post(backend, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(body) / 4
    assert packed.content == plain.content == body
    assert "content-encoding" not in plain.headers


def test_a_small_answer_stays_as_it_is(backend: StandIn):
    backend.answer_with = Answered(b'{"data":"' + b"x" * (MIN_BYTES - 12) + b'"}')
    assert "content-encoding" not in post(backend, headers=GZIP).headers


def test_what_may_hold_a_secret_is_never_compressed(backend: StandIn):
    backend.answer_with = Answered(LARGE, may_hold_secrets=True)
    response = post(backend, headers=GZIP)

    assert "content-encoding" not in response.headers
    assert response.content == LARGE


def test_a_kept_answer_is_the_same_one_compressed_or_not(backend: StandIn):
    packed = get(backend, GZIP, query="{ a }")
    assert packed.headers["content-encoding"] == "gzip"

    again = get(backend, {"accept-encoding": "identity", "if-none-match": packed.headers["etag"]}, query="{ a }")
    assert (again.status_code, "content-encoding" in again.headers) == (304, False)


# -- the cost of a request -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "extensions", "asks"),
    [({}, {}, False), ({"x-graphql-cost": "1"}, {}, True), ({}, {"cost": True}, True), ({}, {"cost": False}, False)],
)
def test_the_cost_is_told_where_it_is_asked_for(
    backend: StandIn, headers: dict[str, str], extensions: dict[str, bool], asks: bool
):
    backend.answer_with = Answered()
    body = {"query": "{ a(first: 10) { b } }", "extensions": extensions}

    answer = post(backend, body, headers).json()

    assert answer == {"data": {"me": None}} | ({"extensions": {"cost": {"requested": 11}}} if asks else {})
