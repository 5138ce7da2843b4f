"""Lists: which way a column sorts, where a user stands after a deletion, what leads to a record, and what is said then."""

import json
import re
from html import unescape
from typing import Any

from models import Contact, Department, Dictionary, DictionaryItem, FollowUp, PanelPreference
from resolvers.people import preferences
from resolvers.records import create_update
from tests.support.panel import OURS, Panel, next_in, rows_in
from tests.support.world import World

DIALOG = {**OURS, "hx-request": "true", "hx-target": "dialog-body"}


def told(response: Any) -> Any:
    return json.loads(response.headers["hx-trigger"])["millpond:done"]


def head(page: str, label: str) -> tuple[str, str]:
    """(aria-sort, address) of the head of a column."""
    found = re.search(rf'<th scope="col" aria-sort="(\w+)"[^>]*><a href="([^"]+)">{label}', page)
    assert found, label
    return found[1], unescape(found[2])


def test_the_first_click_sorts_texts_upwards_and_times_downwards(world: World) -> None:
    ada = Panel(world).of("ada")
    ids = {name: f"cus_{world.customer(name)}" for name in ("Beech", "Ash", "Cedar")}
    page = ada.get("/admin/customer/list").text

    assert head(page, "Changed")[1].endswith("order=-updated_at")
    up = ada.get(head(page, "Name")[1]).text

    assert [id for id in rows_in(up) if id in ids.values()] == [ids["Ash"], ids["Beech"], ids["Cedar"]]
    assert head(up, "Name")[0] == "ascending"
    assert head(ada.get(head(up, "Name")[1]).text, "Name")[0] == "descending"


def test_mine_opens_with_the_customer_that_was_claimed_last(world: World) -> None:
    li, ids = Panel(world).of("li"), []
    for _ in range(3):
        world.clock.pass_by(minutes=1)
        ids.append(f"cus_{world.customer()}")

    assert rows_in(li.get("/admin/customer/list?tab=mine").text)[:3] == ids[::-1]


def test_after_all_of_the_last_page_is_deleted_the_page_before_is_shown(world: World) -> None:
    ada = Panel(world).of("ada")
    for n in range(53):
        world.customer(f"Pine {n}")
    second = next_in(ada.get("/admin/customer/list?q=Pine").text)
    assert second
    there = ada.get(second).text
    last = next_in(there)
    assert last
    gone = rows_in(ada.get(last).text)
    assert len(gone) == 3

    ada.post("/admin/customer/do/delete", {"ids": gone}, DIALOG)
    shown = ada.get(last).text

    assert rows_in(shown) == rows_in(there)
    assert next_in(shown) is None
    assert 'rel="prev"' in shown
    ada.post("/admin/customer/do/delete", {"ids": rows_in(there)}, DIALOG)
    first = rows_in(ada.get("/admin/customer/list?q=Pine").text)
    assert rows_in(ada.get(last).text) == first
    assert len(first) == 25


def test_a_command_names_its_records_with_links(world: World) -> None:
    panel = Panel(world)
    ada, li = panel.of("ada"), panel.of("li")
    one, mine = world.customer("Elm"), world.customer("Fir")
    here = {"ids": f"cus_{one}", "from": "detail", "user_id": f"usr_{world.ids['wu']}", "reason": "x"}

    moved = told(ada.post("/admin/customer/do/transfer", here, DIALOG))
    assert [(each["name"].endswith(" Elm"), each["href"]) for each in moved["records"]] == [
        (True, f"/admin/customer/details/cus_{one}")
    ]

    deleted = told(ada.post("/admin/customer/do/delete", {"ids": f"cus_{one}", "from": "detail"}, DIALOG))
    assert deleted["records"] == moved["records"]
    assert deleted["go"] == f"/admin/customer/details/cus_{one}"

    without_script = li.post("/admin/customer/do/lock", {"ids": f"cus_{mine}", "reason": ""})
    assert f'<a href="/admin/customer/details/cus_{mine}">' in without_script.text


def test_a_save_says_what_was_saved_with_a_link(world: World) -> None:
    ada = Panel(world).of("ada")

    saved = ada.post("/admin/customer/create", {"name": "Larch", "owner_id": f"usr_{world.ids['li']}"})
    to = saved.headers["location"]

    assert f'Saved. <a href="{to.partition("?")[0]}">Larch</a>' in ada.get(to).text


def test_names_phones_and_addresses_are_links_in_lists_and_tabs(world: World) -> None:
    ada = Panel(world).of("ada")
    customer = world.customer("Maple")
    points = [{"kind": "PHONE", "value": "+86 138-0013 8000"}, {"kind": "EMAIL", "value": "w+a@x.example"}]
    contact = world.make(Contact, customer_id=customer, name="Wang", points=points)
    phone = '<a href="tel:+8613800138000">+86 138-0013 8000</a>'
    mail = '<a href="mailto:w+a@x.example">w+a@x.example</a>'

    customers = ada.get("/admin/customer/list?q=Maple").text
    contacts = ada.get("/admin/contact/list?q=Wang").text
    tab = ada.get(f"/admin/customer/details/cus_{customer}?tab=contacts").text
    page = ada.get(f"/admin/contact/details/con_{contact}").text

    assert f'<a class="named" href="/admin/customer/details/cus_{customer}">Maple</a>' in customers
    for text in (contacts, tab, page):
        assert phone in text
        assert mail in text


def test_the_text_of_a_follow_up_is_read_in_full_on_the_page_of_its_customer(world: World) -> None:
    ada, text = Panel(world).of("ada"), "They want chairs. " * 40
    customer = world.customer("Willow")
    at = world.clock.now
    world.make(FollowUp, customer_id=customer, kind="CALL", content=text, happened_at=at, owner_id=world.ids["li"])

    page = ada.get(f"/admin/customer/details/cus_{customer}?tab=follow-ups").text

    assert text.strip() in re.findall(r'<tr class="said"><td colspan="\d+">(.*?)</td>', page, re.DOTALL)[0]


def test_the_tree_of_departments_is_whole_and_counts_its_people(world: World) -> None:
    ada = Panel(world).of("ada")
    top = world.make(Department, name="Top")
    branches = [world.make(Department, name=f"Branch {n}", parent_id=top) for n in range(3)]
    leaves = [world.make(Department, name=f"Leaf {n}", parent_id=branches[n % 3]) for n in range(60)]
    world.ids |= {"a leaf": leaves[0], "top": top}
    world.user("xu", "Xu", "sales", "a leaf")
    world.user("qi", "Qi", "sales", "top")

    page = ada.get("/admin/department/list").text

    assert {f"dep_{id}" for id in (top, *branches, *leaves)} <= {*rows_in(page)}
    said = re.findall(rf'href="/admin/department/details/dep_{top}">.*?<span class="hint">([^<]+)</span>', page)
    assert said == ["2 people · 1 of them directly"]
    assert page.count("<details open><summary") >= 4


def chips(page: str) -> list[tuple[str, str]]:
    """(tone, label) of every chip of a page."""
    return re.findall(r'<span class="badge tone-(\w+)">([^<]+)</span>', page)


def test_a_chip_has_the_colour_of_its_word_in_both_languages(world: World) -> None:
    panel = Panel(world)
    ada, li = panel.of("ada"), panel.of("li")
    (stage,) = world.rows(Dictionary, Dictionary.code == "stage")
    world.make(DictionaryItem, dictionary_id=stage["id"], key="lost", label_en="Lost", label_zh="已流失")
    won, lost = world.customer("Won", stage="won"), world.customer("Lost", stage="lost")
    (steel,) = world.rows(DictionaryItem, DictionaryItem.key == "steel")
    world.customer("Steel", industry="steel")
    world.ada.do(preferences.set_language, "zh")

    for browser, labels in ((li, ("Won", "Lost")), (ada, ("won中", "已流失"))):
        page = browser.get("/admin/customer/list").text
        assert {("green", labels[0]), ("red", labels[1])} <= {*chips(page)}
        assert {label for tone, label in chips(page) if tone in ("green", "red")} == {*labels}
        assert ("green", labels[0]) in chips(browser.get(f"/admin/customer/details/cus_{won}").text)
        assert ("red", labels[1]) in chips(browser.get(f"/admin/customer/details/cus_{lost}").text)

    world.ada.do(create_update.update, DictionaryItem, steel["id"], {"tone": "AMBER"})
    li.post("/admin/preferences", {"name": "columns", "of": "customer", "value": "name,industry"})
    assert ("amber", "Steel") in chips(li.get("/admin/customer/list").text)


def columns(page: str) -> list[str]:
    return re.findall(r'<th scope="col" aria-sort="\w+"[^>]*>(?:<a [^>]*>)?([^<]+)', page)


def test_columns_page_size_and_density_belong_to_the_user_in_every_browser(world: World) -> None:
    panel = Panel(world)
    li, elsewhere, wu = panel.of("li"), panel.browser(), panel.of("wu")
    elsewhere.sign_in("li")
    for n in range(27):
        world.customer(f"Yew {n}")
    world.customer("Box", owner="wu")
    before = columns(li.get("/admin/customer/list").text)
    assert columns(wu.get("/admin/customer/list").text) == before
    mark = world.mark()

    chosen = {"name": "columns", "of": "customer", "column": ["", "number", "name", "phone"], "width-name": "wide"}
    li.post("/admin/preferences", {**chosen, "up": "phone", "back": "/admin/customer/list"})
    li.post("/admin/preferences", {"name": "size", "value": "50"})
    li.post("/admin/preferences", {"name": "density", "value": "compact"})

    page = elsewhere.get("/admin/customer/list").text
    assert columns(page) == ["Number", "Phone", "Name"]
    assert len(rows_in(page)) == 27
    assert 'data-density="compact"' in page
    assert re.search(r'<td data-label="Name" class="[^"]*\bw-wide\b', page)
    assert columns(wu.get("/admin/customer/list").text) == before
    assert world.log(since=mark) == []  # not a change of a record

    li.post("/admin/preferences", {"name": "columns", "of": "customer", "column": ""})
    assert columns(elsewhere.get("/admin/customer/list").text) == before


def test_a_choice_of_columns_that_makes_no_sense_changes_nothing(world: World) -> None:
    li = Panel(world).of("li")
    before = columns(li.get("/admin/customer/list").text)

    for form in (
        {"name": "columns", "of": "../x", "column": "name"},
        {"name": "columns", "of": "customer", "column": ["<b>", "nothing_like_it"], "width-<b>": "wide"},
        {"name": "size", "value": "1000000"},
        {"name": "size", "value": "²"},
        {"name": "density", "value": "none"},
        {"name": "settings", "value": "x"},
    ):
        assert li.post("/admin/preferences", form).status_code == 303

    assert columns(li.get("/admin/customer/list").text) == before
    assert all(len(keys) < 100 for row in world.rows(PanelPreference) for keys in row["settings"]["columns"].values())
    stranger = Panel(world).browser()
    assert stranger.post("/admin/preferences", {"name": "size", "value": "50"}).status_code == 303
