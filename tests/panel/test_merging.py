"""Merging customers in the panel, without scripts: side by side, done, undone, and what old addresses lead to."""

import re

import pytest

from models import Contact, Customer, MergeRecord, User
from tests.support.claim_checks import change
from tests.support.merging import contact, follow_up, merged
from tests.support.panel import OURS, Browser, Panel
from tests.support.world import World

LIST = "/admin/customer/do/merge"
PAGE = "/admin/customer/merge"


@pytest.fixture
def two(world: World) -> list[str]:
    ids = [world.customer("Otter Ltd", "li", stage="won"), world.customer("Otter", "wu", stage="early")]
    for id in ids:
        contact(world, id, "Ann", "138 0013 8000", title=f"Title {id}")
    follow_up(world, ids[1])
    return [f"cus_{id}" for id in ids]


def numbers(world: World) -> list[str]:
    return [row["number"] for row in world.rows(Customer)]


def asked(browser: Browser, *ids: str) -> str:
    return browser.get(PAGE, [("ids", id) for id in ids]).text


def test_chosen_customers_stand_side_by_side_are_merged_and_whole_again(world: World, two: list[str]) -> None:
    ada, known = Panel(world).of("ada"), numbers(world)

    chosen = ada.post(LIST, [("ids", id) for id in two], OURS)
    assert chosen.headers["location"] == f"{PAGE}?ids={two[0]}&ids={two[1]}"
    page = asked(ada, *two)
    radios = re.findall(r'type="radio" name="([^"]+)" value="([^"]+)"( checked)?', page)
    assert [(name, id) for name, id, checked in radios if checked] == [
        ("f.name", two[0]),
        ("f.stage", two[0]),
        ("f.owner", two[0]),
        ("c.con_1.title", "con_1"),
    ]

    form = [*[("ids", id) for id in two], ("f.stage", two[1]), ("c.con_1.title", "con_2"), ("reason", "One company")]
    done = ada.post(PAGE, form)
    assert done.headers["location"] == "/admin/customer/merged/mrg_1"
    told = ada.get("/admin/customer/merged/mrg_1").text
    assert f"Part of it now: {known[1]}" in told
    assert "Follow-ups <span" in told or "Follow-ups 1" in told
    assert (world.row(Customer, 1)["stage"], world.row(Contact, 1)["title"]) == ("early", "Title 2")
    winner = ada.get(f"/admin/customer/details/{two[0]}").text
    assert f"Merged from {known[1]}" in winner
    assert f"Formerly: Otter, {known[1]}" in winner

    moved = ada.get(f"/admin/customer/details/{two[1]}").headers["location"]
    assert moved == f"/admin/customer/details/{two[0]}?merged={two[1]}"
    assert f"{known[1]} was merged into {known[0]}." in ada.get(moved).text
    assert ada.get("/admin/contact/details/con_2").headers["location"] == "/admin/contact/details/con_1?merged=con_2"

    assert ada.post("/admin/customer/merged/mrg_1").headers["location"] == "/admin/customer/merged/mrg_1"
    assert "Everything is as it was before." in ada.get("/admin/customer/merged/mrg_1").text
    assert world.row(Customer, 1)["stage"] == "won"
    again = ada.post("/admin/customer/merged/mrg_1")
    assert (again.status_code, "This merge is undone already." in again.text) == (422, True)


def test_the_page_speaks_chinese(world: World, two: list[str]) -> None:
    panel, known = Panel(world), numbers(world)
    change(world, User, world.ids["ada"], language="zh")

    assert "保留哪一个" in asked(panel.of("ada"), *two)
    merged(world, 1, 2)
    assert (
        f"{known[1]} 已合并到 {known[0]}。"
        in panel.of("ada").get(f"/admin/customer/details/{two[0]}?merged={two[1]}").text
    )


def test_the_page_without_customers_to_merge_says_so(world: World) -> None:
    page = Panel(world).of("ada").get("/admin/customer/merge")

    assert page.status_code == 422
    assert 'role="alert"' in page.text


def test_a_form_that_is_sent_twice_merges_once(world: World, two: list[str]) -> None:
    ada = Panel(world).of("ada")
    form = [*[("ids", id) for id in two], ("_key", "one")]

    answers = [ada.post(PAGE, form).headers["location"] for _ in range(2)]

    assert answers == ["/admin/customer/merged/mrg_1"] * 2
    assert world.count(MergeRecord) == 1


def test_a_refusal_shows_the_page_again_with_what_was_chosen(world: World, two: list[str]) -> None:
    ada = Panel(world).of("ada")
    form = [*[("ids", id) for id in two], ("f.stage", two[1]), ("f.level", two[1]), ("reason", "Mine")]

    answer = ada.post(PAGE, form)

    assert answer.status_code == 422
    assert "Choose each value from what the preview offers" in answer.text
    assert f'name="f.stage" value="{two[1]}" checked' in answer.text
    assert 'value="Mine"' in answer.text
    assert world.count(MergeRecord) == 0


def test_one_customer_or_six_are_refused_in_the_list(world: World) -> None:
    ada, ids = Panel(world).of("ada"), [f"cus_{world.customer(str(n))}" for n in range(6)]

    for some in (ids[:1], ids):
        answer = ada.post(LIST, [("ids", id) for id in some])
        assert (answer.status_code, "Choose 2 to 5 customers." in answer.text) == (422, True)


def test_what_is_out_of_sight_is_answered_like_what_is_missing(world: World, two: list[str]) -> None:
    panel = Panel(world)
    merged(world, 1, 2)
    third = f"cus_{world.customer('Third', 'mei')}"

    for browser in (panel.of("mei"), panel.of("fin")):
        hidden, missing = (browser.get(f"/admin/customer/merged/{id}").status_code for id in ("mrg_1", "mrg_99"))
        assert hidden == missing
    mei = panel.of("mei")
    assert [mei.get(PAGE, [("ids", third), ("ids", id)]).status_code for id in ("cus_1", "cus_2", "cus_99")] == [
        404
    ] * 3
    assert [mei.get(f"/admin/customer/details/{id}").status_code for id in ("cus_2", "cus_99")] == [404] * 2
    shown = mei.get(f"/admin/customer/details/{third}?merged=cus_2")
    assert "merged" not in shown.text.lower().replace("?merged", "")
    assert panel.of("fin").post("/admin/customer/merged/mrg_1").status_code == 403
