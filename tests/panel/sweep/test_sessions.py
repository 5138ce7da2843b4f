"""Sessions in browsers: what opens them, what ends them, what a cookie may do."""

import re
from typing import Any

import pytest

import models
from models import Customer
from resolvers.people import passwords
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import COOKIE, Browser, Panel, doors, told
from tests.support.sign_in import HASH, RIGHT

from .cases import in_brief_and_at_length, sample
from .dataset import CANARY, Dataset
from .dry_run import all_rows
from .forms import dialog
from .redirects import leads_inside
from .worlds import small

KNOWN = r"millpond_browser=[\w-]{43}; HttpOnly; Max-Age=34560000; Path=/admin/login"


def is_in(browser: Browser, token: str | None = None) -> bool:
    """Whether a session token opens the panel: that of the browser, or another."""
    if token is None:
        return browser.get("/admin/").status_code == 200
    other = Browser(browser.panel)
    other.client.cookies.set(COOKIE, token)
    return is_in(other)


@at_length_on_postgresql
def test_a_new_sign_in_in_a_browser_ends_the_session_that_was_open_there(url: str) -> None:
    with small(url) as panel:
        browser, elsewhere = panel.of("li"), panel.browser()
        elsewhere.sign_in("li")
        panel.of("wu")
        first = browser.token
        assert first
        assert is_in(browser, first)

        browser.sign_in("wu")

        assert browser.token not in (first, None)
        assert (is_in(browser), is_in(browser, first), is_in(elsewhere)) == (True, False, True)
        assert "Wu Wei" in browser.get("/admin/account").text


@at_length_on_postgresql
def test_a_session_that_somebody_plants_is_not_the_one_that_a_sign_in_opens(url: str) -> None:
    with small(url) as panel:
        mallory = panel.of("mei")
        planted, victim = mallory.token, panel.browser()
        panel.of("li")
        assert planted
        victim.client.cookies.set(COOKIE, planted)

        victim.sign_in("li")

        assert victim.client.cookies.jar is not None
        assert planted not in [cookie.value for cookie in victim.client.cookies.jar if cookie.domain]
        assert not is_in(mallory)


@at_length_on_postgresql
def test_after_sign_out_the_cookie_is_gone_and_opens_nothing(url: str) -> None:
    with small(url) as panel:
        browser = panel.of("li")
        token = browser.token
        assert token

        left = browser.post("/admin/logout")

        assert (left.status_code, left.headers["location"], browser.token) == (303, "/admin/login", None)
        assert not is_in(browser, token)
        assert browser.post("/admin/logout").status_code == 303


@pytest.mark.long
@at_length_on_postgresql
@in_brief_and_at_length
def test_somebody_with_a_one_time_password_reaches_the_page_to_change_it_and_the_way_out(
    panel: Panel, dataset: Dataset, thorough: bool
) -> None:
    dataset.world.system.do(passwords.set_password, "li", HASH, one_time=True)
    browser = panel.browser()
    browser.marks, browser.secrets = CANARY, frozenset(dataset.canaries)
    leads_inside(browser.sign_in("li"), "/admin/")
    before = all_rows(dataset.world)
    id = dataset.ids["of li"]

    for door in sample(doors(), thorough, 60):
        path = door.at(global_id(door.model, id) if door.view else "x")
        form = {"ids": f"cus_{id}", **dialog(dataset.world)}
        if door.path not in ("/admin/login", "/admin/logout", "/admin/preferences", "/admin/password"):
            answer = browser.get(path) if door.method == "GET" else browser.post(path, form)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/admin/password"), door
    assert browser.get("/admin/password").status_code == 200
    wrong = browser.post(
        "/admin/password", {"old": "wrong wrong", "new": "quite another one", "again": "quite another one"}
    )
    assert wrong.status_code == 422
    assert all_rows(dataset.world)["audit_entry"] == before["audit_entry"]

    done = browser.post("/admin/password", {"old": RIGHT, "new": "quite another one", "again": "quite another one"})

    leads_inside(done, "/admin/")
    browser.secrets = frozenset()
    assert is_in(browser)
    assert browser.get("/admin/password").headers["location"] == "/admin/account"


@at_length_on_postgresql
def test_whoever_is_deactivated_is_out_at_once(url: str) -> None:
    with small(url) as panel:
        li, ada = panel.of("li"), panel.of("ada")
        token = li.token

        ada.post("/admin/user/do/deactivate", {"ids": f"usr_{panel.world.ids['li']}"})

        assert (is_in(li), is_in(li, token), is_in(ada)) == (False, False, True)
        assert li.post("/admin/customer/create", {"name": "X"}).headers["location"] == "/admin/login"
        assert panel.browser().sign_in("li").status_code == 400
        assert panel.world.count(Customer) == 0


@at_length_on_postgresql
def test_a_new_password_ends_every_other_session_and_keeps_this_one(url: str) -> None:
    with small(url) as panel:
        browser, other = panel.of("li"), panel.browser()
        other.sign_in("li")
        made = [
            secret_in(browser.post("/admin/account/token", {"name": name, "password": RIGHT})) for name in ("a", "b")
        ]
        form = {"old": RIGHT, "new": "quite another one", "again": "quite another one", "keep": "tok_2"}

        assert browser.post("/admin/account/password", {**form, "old": "wrong wrong"}).status_code == 422
        assert (is_in(browser), is_in(other)) == (True, True)
        assert browser.post("/admin/account/password", form).status_code == 303

        assert (is_in(browser), is_in(other)) == (True, False)
        assert [panel.world.run(panel.world.backend.principal_of(token)) is not None for token in made] == [False, True]


@at_length_on_postgresql
def test_a_browser_in_which_somebody_signed_in_does_not_wait_for_strangers(url: str) -> None:
    with small(url) as panel:
        mine = panel.of("li")
        mine.post("/admin/logout")
        stranger = panel.browser()
        for _ in range(8):
            form = {"login": "li", "password": "wrong wrong", "next": ""}
            assert stranger.post("/admin/login", form).status_code == 400

        assert panel.browser().sign_in("li").status_code == 429
        assert mine.sign_in("li").status_code == 303


def secret_in(answer: Any) -> str:
    """The new token that a page shows."""
    found = re.search(r"mp_[\w-]{43}", answer.text)
    assert found is not None, answer.text
    return found[0]


@at_length_on_postgresql
def test_nobody_ends_the_session_or_token_of_another(url: str) -> None:
    with small(url) as panel:
        li, wu = panel.of("li"), panel.of("wu")
        wu.post("/admin/account/token", {"name": "Wu's", "password": RIGHT})
        before, held = panel.world.everything(), panel.world.rows(models.SignInSession)
        keys = [f"ses_{row['id']}" for row in held if row["user_id"] != panel.world.ids["li"]]

        answers = [told(li.post("/admin/account/revoke", {"key": key}), key) for key in (*keys, "ses_987654")]

        assert len(keys) >= 1
        assert set(map(str, answers)) == {str(answers[-1])}
        assert told(li.post("/admin/account/revoke", {"key": "tok_1"})) == told(
            li.post("/admin/account/revoke", {"key": "tok_99"})
        )
        assert (panel.world.everything(), panel.world.rows(models.SignInSession)) == (before, held)
        assert is_in(wu)


def test_the_cookie_is_for_http_alone_and_over_https_for_this_host_alone(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        plain, secure = panel.browser(), panel.browser()
        secure.client.base_url = "https://127.0.0.1:8000"
        cookies = [browser.sign_in("li").headers["set-cookie"] for browser in (plain, secure)]

        assert re.fullmatch(rf"millpond=ms_[\w-]+; HttpOnly; Path=/; SameSite=lax, {KNOWN}; SameSite=lax", cookies[0])
        assert re.fullmatch(
            rf"__Host-millpond=ms_[\w-]+; HttpOnly; Path=/; SameSite=lax; Secure, {KNOWN}; SameSite=lax; Secure",
            cookies[1],
        )
