"""Requests of other sites, and of strangers, do nothing."""

import pytest

from models import User
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import COOKIE, ORIGIN, OURS, Panel, doors
from tests.support.sign_in import RIGHT

from .cases import PARTIAL
from .dataset import CANARY, Dataset
from .dry_run import all_rows
from .forms import dialog
from .worlds import small

FOREIGN: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": ""},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8001"},
    {"origin": "https://127.0.0.1:8000"},
    {"origin": f"{ORIGIN}.evil.example"},
    {"referer": f"{ORIGIN}/admin/"},
    {"x-requested-with": "XMLHttpRequest", "hx-request": "true"},
    {},
]
"""Headers of requests that another site has sent, or that do not tell where they come from."""


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "headers", [pytest.param(x, marks=pytest.mark.long if n % 4 else []) for n, x in enumerate(FOREIGN)], ids=str
)
def test_nothing_is_done_that_another_site_has_sent_with_our_cookie(
    panel: Panel, dataset: Dataset, headers: dict[str, str]
) -> None:
    ada = panel.of("ada")
    before = all_rows(dataset.world)

    for door in doors():
        if door.method == "POST":
            form = {"ids": f"cus_{dataset.ids['of li']}", **dialog(dataset.world)}
            form |= {"login": "ada", "password": RIGHT, "name": "X"}
            answer = ada.post(door.at("cus_1"), form, headers)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), door

    assert all_rows(dataset.world) == before


def test_nobody_is_signed_in_by_another_site(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        before = all_rows(panel.world)

        for headers in FOREIGN[:10]:
            answer = panel.browser().post("/admin/login", {"login": "li", "password": RIGHT}, headers)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), headers

        assert all_rows(panel.world) == before


def test_a_page_of_ours_is_known_by_its_origin_where_a_browser_says_nothing_else(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        done = panel.of("li").post("/admin/account/language", {"language": "zh"}, {"origin": ORIGIN})

        assert (done.status_code, panel.world.row(User, panel.world.ids["li"])["language"]) == (303, "zh")


@pytest.mark.long
def test_no_route_that_changes_something_answers_a_get(panel: Panel, dataset: Dataset) -> None:
    ada = panel.of("ada")
    before = all_rows(dataset.world)

    read = {door.path for door in doors() if door.method == "GET"}

    for door in doors():
        if door.method == "POST" and door.path not in read:
            answer = ada.get(door.at("cus_1"), {"ids": f"cus_{dataset.ids['of li']}", **dialog(dataset.world)})
            assert answer.status_code == 405, door

    assert all_rows(dataset.world) == before


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "key", [None, *(pytest.param(x, marks=pytest.mark.long) for x in ("ms_unknown", "mp_unknown", "x" * 500))]
)
def test_a_stranger_is_led_to_the_sign_in_and_learns_and_changes_nothing(
    panel: Panel, dataset: Dataset, key: str | None
) -> None:
    stranger = panel.of(None)
    stranger.marks, stranger.secrets = CANARY, frozenset(dataset.canaries)
    if key:
        stranger.client.cookies.set(COOKIE, key)
    before = all_rows(dataset.world)
    id = dataset.ids["of li"]

    for door in doors():
        if door.path in ("/admin/login", "/admin/logout", "/admin/preferences"):
            continue
        path = door.at(global_id(door.model, id) if door.view else "x")
        form = {"ids": f"cus_{id}", **dialog(dataset.world)}
        for more in ({}, PARTIAL):
            answer = stranger.get(path, **more) if door.method == "GET" else stranger.post(path, form, {**OURS, **more})
            assert answer.status_code == (204 if more else 303), door
            assert answer.headers["hx-redirect" if more else "location"].startswith("/admin/login"), door
            assert answer.text == "", door

    assert all_rows(dataset.world) == before
