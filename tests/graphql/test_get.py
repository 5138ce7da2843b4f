"""Queries by GET: what an address may hold, that it changes nothing, and how its answer is kept."""

import json
from typing import Any

import httpx
import pytest

from millpond.graphql_request import PLAIN
from millpond.responses import GRAPHQL
from tests.support.graphql import Api
from tests.support.stand_in import BASE, LI, Answered, StandIn, application, code, get, message, post, send
from tests.support.world import World

TEXT = "query Q($n: Int) { a(n: $n) }"


@pytest.fixture
def backend() -> StandIn:
    return StandIn()


def test_an_address_reaches_the_engine_like_a_body(backend: StandIn):
    given = {"query": TEXT, "variables": '{"n": 1, "name": "杭州 😀"}', "operationName": "Q", "extensions": '{"x": 1}'}

    response = get(backend, {"authorization": "Bearer li-key", "accept": GRAPHQL}, **given)

    assert (response.status_code, response.content) == (200, b'{"data":{"me":null}}')
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    scope, *asked = backend.asked[0]
    assert asked == [TEXT, {"n": 1, "name": "杭州 😀"}, "Q"]
    assert scope["principal"] == LI


def test_empty_parameters_are_absent(backend: StandIn):
    assert get(backend, query=TEXT, variables="", operationName="", extensions="").status_code == 200
    assert backend.asked[0][2:] == (None, None)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", 'lacks the parameter "query"'),
        ("?variables={}", 'lacks the parameter "query"'),
        ("?query=", '"query" must be a string'),
        ("?query=%20", '"query" must be a string'),
        ("?query={a}&variables=[]", '"variables" must be an object'),
        ("?query={a}&variables={", '"variables" in the address is not valid JSON'),
        ("?query={a}&variables={}x", "not valid JSON"),
        ("?query={a}&variables=%7B%22x%22:%22%5Cud800%22%7D", "half a surrogate pair"),
        ("?query={a}&variables=" + "[" * 100, "deeper than 64"),
        ("?query={a}&extensions=1", '"extensions" must be an object'),
        ("?query={a}&query={b}", "twice"),
        ("?query={a}%00", "NUL"),
        ("?query={a}&variables=%7B%22x%22:%22%5Cu0000%22%7D", "NUL"),
        ("?query={a}%ff", "not UTF-8"),
        ("?query={a}&" + "&".join(f"p{n}=1" for n in range(30)), "more than 20 parameters"),
    ],
)
def test_a_bad_address_is_refused_with_a_sentence(backend: StandIn, address: str, sentence: str):
    response = send(application(backend), "GET", f"/graphql{address}", headers={"accept": GRAPHQL})

    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert sentence in message(response)
    assert backend.asked == []


@pytest.mark.parametrize("accept", [PLAIN, GRAPHQL])
def test_a_mutation_by_get_is_405_and_told_the_way(backend: StandIn, accept: str):
    headers = {"accept": accept, "authorization": "Bearer li-key"}
    response = get(backend, headers, query="mutation { signOut { problems { code } } }")

    assert (response.status_code, code(response), response.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert backend.asked == []


# -- another site's page -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": BASE}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_a_query_with_the_cookie_comes_from_our_own_pages_alone(backend: StandIn, headers: dict[str, str], status: int):
    response = get(backend, headers | {"cookie": "millpond=li-key"}, query="{ a }")

    assert response.status_code == status
    assert len(backend.asked) == (status == 200)


def test_a_customer_that_counts_is_asked_for_by_post(world: World):
    world.rule("north", daily_view_limit=2)
    customer = world.customer(pool="north", name="Huaxing")
    api, scope = Api(world), world.scope("li", "graphql")
    text = f'{{ customer(id: "cus_{customer}") {{ name }} pools {{ totalCount }} }}'

    def answered(*, is_safe: bool) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(world.run(api.engine.answer(scope, text, None, None, is_safe=is_safe)).body)
        return found

    refused = answered(is_safe=True)
    (error,) = refused["errors"]
    assert error["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert error["path"] == ["customer"]
    assert refused["data"]["customer"] is None
    assert refused["data"]["pools"]["totalCount"] >= 1

    assert answered(is_safe=False)["data"]["customer"] == {"name": "Huaxing"}
    assert answered(is_safe=True)["data"]["customer"] == {"name": "Huaxing"}


# -- how an answer is kept -----------------------------------------------------------------------------------


def test_an_answer_is_kept_for_its_user_alone_and_asked_about_each_time(backend: StandIn):
    first = get(backend, query="{ a }")
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept-Language", "Accept-Encoding"} <= set(first.headers["vary"].split(", "))

    again = get(backend, {"if-none-match": first.headers["etag"]}, query="{ a }")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]

    backend.answer_with = Answered(b'{"data":{"me":1}}')
    changed = get(backend, {"if-none-match": first.headers["etag"]}, query="{ a }")
    assert (changed.status_code, changed.content) == (200, b'{"data":{"me":1}}')


@pytest.mark.parametrize(
    "answer", [Answered(b'{"errors":[]}', invalid=True), Answered(b'{"errors":[]}', "refused", True, True)]
)
def test_a_refusal_is_not_kept(backend: StandIn, answer: Answered):
    backend.answer_with = answer
    assert get(backend, query="{ a }").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("accept", [PLAIN, GRAPHQL])
def test_who_is_not_signed_in_gets_401_whatever_the_media_type(backend: StandIn, accept: str):
    backend.answer_with = Answered(b'{"errors":[{"message":"Please sign in."}]}', "refused", True, True)

    for response in (post(backend, headers={"accept": accept}), get(backend, {"accept": accept}, query="{ a }")):
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


def test_a_browser_that_opens_the_address_sees_graphiql_and_asks_nothing(backend: StandIn):
    headers = {"accept": "text/html", "cookie": "millpond=li-key", "sec-fetch-site": "cross-site"}

    assert "graphiql" in get(backend, headers, query="{ a }").text
    assert backend.asked == []


def test_head_is_a_get_without_a_body(backend: StandIn):
    response: httpx.Response = send(application(backend), "HEAD", "/graphql", params={"query": "{ a }"})
    assert response.status_code == 200
    assert send(application(backend), "HEAD", "/graphql", params={"query": "mutation { a }"}).status_code == 405
