"""Holes that were closed: each has its test here."""

import re

import pytest

import models
from models import Customer, User
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Panel, told

from .cases import FINE, MISSING, signed_in
from .dataset import Dataset
from .dry_run import denied_since, newest_entry
from .nonsense import DEEP
from .worlds import add_policy_line, small


@pytest.mark.long
@at_length_on_postgresql
def test_a_history_begins_wherever_one_may_ask_it_to(panel: Panel, dataset: Dataset) -> None:
    path = f"/admin/customer/details/cus_{dataset.ids['of li']}"

    assert panel.of("li").get(path, {"tab": "history", "before": "9" * 5_000}).status_code in FINE


def test_a_page_survives_whatever_the_cookie_of_preferences_holds(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        browser = panel.browser()
        browser.client.cookies.set("millpond_panel", DEEP)

        assert browser.get("/admin/login").status_code == 200


@pytest.mark.long
@at_length_on_postgresql
def test_a_number_of_any_length_may_be_typed(panel: Panel, dataset: Dataset) -> None:
    made = panel.of("ada").post("/admin/department/create", {"name": "X", "capacity": "9" * 4_000})

    assert made.status_code == 422


def test_a_stranger_cannot_fill_the_memory_through_the_sign_in(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        body = b"&".join(b"x=" + b"y" * 900_000 for _ in range(10))

        assert panel.browser().post_raw("/admin/login", body, "application/x-www-form-urlencoded").status_code == 413


def test_nobody_without_the_right_gets_a_one_time_password_even_for_himself(sqlite_url: str) -> None:
    """An unattended browser is not enough to take over an account: the panel asks for the old password."""
    with small(sqlite_url) as panel:
        li = panel.of("li")
        before = panel.world.rows(models.Credential)

        answer = li.post("/admin/user/do/one-time-password", {"ids": f"usr_{panel.world.ids['li']}"})

        assert panel.world.rows(models.Credential) == before
        assert '<p class="secret">' not in answer.text


@pytest.mark.long
@at_length_on_postgresql
def test_a_seat_for_a_role_that_one_cannot_see_is_refused_like_one_for_a_role_that_never_was(
    panel: Panel, dataset: Dataset
) -> None:
    browser, oracle = signed_in(panel, dataset, "lead")
    before = dataset.world.everything()
    form = {"pool_id": f"poo_{dataset.ids['north']}", "seat": "MEMBER"}

    ids = f"rol_{oracle.hidden(models.Role)[0]}", f"rol_{MISSING}"
    shown, missing = (told(browser.post("/admin/pool-member/create", {**form, "to_role": x}), x) for x in ids)

    assert dataset.world.everything() == before
    assert (shown[0], shown) == (422, missing)


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    ("path", "form", "entry"),
    [
        ("/admin/user/edit/usr_{wu}", {"name": "X", "version": "1"}, "user.edit"),
        ("/admin/customer/edit/cus_{of mei}", {"name": "X", "version": "1"}, "customer.edit"),
        ("/admin/department/create", {"name": "X"}, "department.create"),
        ("/admin/bin-user/do/purge", {"ids": "usr_4", "typed": "delete"}, "user.purge"),
    ],
    ids=["edit what one sees", "edit what one does not see", "create", "purge"],
)
def test_every_attempt_without_rights_is_in_the_log(
    panel: Panel, dataset: Dataset, path: str, form: dict[str, str], entry: str
) -> None:
    mark = newest_entry(dataset.world)

    panel.of("li").post(re.sub(r"{(.+)}", lambda name: str(dataset.ids[name[1]]), path), form)

    assert [action for action, *_ in denied_since(dataset.world, mark)] == [entry]


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("path", ["/admin/pooled/list", "/admin/customer/details/cus_{let go}"])
@pytest.mark.parametrize(
    ("word", "told"), [("customer.reason", "Zq"), ("customer.owner", "by Li Na"), ("customer.pooled_at", "for ever")]
)
def test_why_a_customer_lies_in_a_pool_is_told_by_the_fields_that_one_may_see(
    panel: Panel, dataset: Dataset, path: str, word: str, told: str
) -> None:
    add_policy_line(dataset.world, f"p, sales, {word}, view, all, any, deny")
    where = (Customer, dataset.ids["let go"], "version")
    reason = next(text for text, place in dataset.canaries.items() if place == where)

    page = panel.of("li").get(path.replace("{let go}", str(dataset.ids["let go"]))).text

    assert (reason if told == "Zq" else told) not in page


def test_the_load_of_a_team_tells_no_limit_that_one_may_not_see(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.world.user("fay", "Fay Fin", "finance", "east")
        panel.world.system.do(create_update.update, User, panel.world.ids["li"], {"capacity": 88_123})

        assert "88,123" not in panel.of("fay").get(f"/admin/user/details/usr_{panel.world.ids['li']}").text
        assert "88,123" not in panel.of("fay").get("/admin/").text
