"""The tree editor of a dictionary: what it saves, what two editors do to each other, and the merge of two words."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import insert

from admin.kit.tree_moves import TreeRow, moved
from models import Customer, Dictionary, DictionaryItem, WordMerge
from models.custom_field import CustomKind
from resolvers.records import create_update
from resolvers.records.custom_options import key_from
from resolvers.runtime.ids import global_id
from tests.support.custom_fields import define, options
from tests.support.panel import Panel, rows_in
from tests.support.world import World


def address(world: World, code: str = "industry") -> str:
    (found,) = world.rows(Dictionary, Dictionary.code == code)
    return f"/admin/dictionary/words/dic_{found['id']}"


def form_in(page: str) -> dict[str, list[str]]:
    """The inputs of the editor as a browser would send them."""
    body = page.partition("data-words")[2].partition("<template")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', body):
        found.setdefault(name, []).append(unescape(value))
    for name, offered in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', body):
        found[name] = re.findall(r'value="([^"]*)" selected', offered) or [""]
    return found


def tree(world: World) -> list[tuple[str, str | None]]:
    """(key, key of the word above) of the industries in their order."""
    (whole,) = world.rows(Dictionary, Dictionary.code == "industry")
    rows = [row for row in world.rows(DictionaryItem) if row["dictionary_id"] == whole["id"]]
    keys = {row["id"]: row["key"] for row in rows}
    return [(x["key"], keys.get(x["parent_id"])) for x in sorted(rows, key=lambda x: (x["position"], x["id"]))]


def item(world: World, key: str) -> dict[str, Any]:
    (found,) = world.rows(DictionaryItem, DictionaryItem.key == key)
    return found


def token(world: World, key: str) -> str:
    return f"dit_{item(world, key)['id']}"


def test_labels_aliases_colour_order_and_a_new_word_are_saved_together(world: World) -> None:
    ada, at = Panel(world).of("ada"), address(world)
    world.customer(industry="steel")
    page = ada.get(at).text
    assert "1 record" in page
    form, steel, retail = form_in(page), token(world, "steel"), token(world, "retail")
    form[f"en.{steel}"], form[f"aliases.{steel}"], form[f"tone.{steel}"] = ["Metals"], ["钢厂; Mills"], ["BLUE"]
    form["row"] = [steel, "new_1", *(x for x in form["row"] if x != steel)]
    form |= {"zh.new_1": ["特钢"], "en.new_1": [""], "depth.new_1": ["1"], "aliases.new_1": [""], "tone.new_1": [""]}

    saved = ada.post(at, form)

    assert saved.status_code == 303
    assert tree(world) == [("steel", None), ("tegang", "steel"), ("retail", None), ("internet", None)]
    found = item(world, "steel")
    assert (found["label_en"], found["aliases"], found["tone"]) == ("Metals", ["钢厂", "Mills"], "BLUE")
    assert [item(world, "tegang")[key] for key in ("label_en", "label_zh")] == ["特钢", "特钢"]
    assert item(world, "retail")["label_en"] == "Retail"
    assert retail in ada.get(at).text


def test_two_editors_lose_nothing_of_each_other(world: World) -> None:
    panel, at = Panel(world), address(world)
    ada, bob = panel.of("ada"), panel.of("ada")
    mine, theirs = form_in(ada.get(at).text), form_in(bob.get(at).text)
    steel, retail = token(world, "steel"), token(world, "retail")
    theirs[f"en.{steel}"], theirs[f"en.{retail}"] = ["Iron"], ["Shops"]
    assert bob.post(at, theirs).status_code == 303
    mine[f"zh.{steel}"], mine[f"en.{retail}"] = ["钢铁"], ["Stores"]

    refused = ada.post(at, mine)

    assert refused.status_code == 422
    assert item(world, "steel")["label_zh"] == "steel中"  # nothing of a form is saved while a row of it is refused
    assert "Now there: Shops" in refused.text
    again = form_in(refused.text)
    assert (again[f"en.{retail}"], again[f"zh.{steel}"]) == (["Stores"], ["钢铁"])
    assert ada.post(at, again).status_code == 303
    assert [item(world, "steel")[key] for key in ("label_en", "label_zh")] == ["Iron", "钢铁"]
    assert item(world, "retail")["label_en"] == "Stores"


def test_without_scripts_each_arrow_saves_and_moves(world: World) -> None:
    ada, at, steel = Panel(world).of("ada"), address(world), token(world, "steel")
    for how, becomes in (
        ("in", [("retail", None), ("internet", None), ("steel", "internet")]),
        ("out", [("retail", None), ("internet", None), ("steel", None)]),
        ("up", [("retail", None), ("steel", None), ("internet", None)]),
        ("down", [("retail", None), ("internet", None), ("steel", None)]),
    ):
        assert ada.post(at, {**form_in(ada.get(at).text), "move": f"{how}.{steel}"}).status_code == 303
        assert tree(world) == becomes
    to = ada.post(at, {**form_in(ada.get(at).text), "add": steel}).headers["location"]
    assert 'name="depth.new_0" value="1"' in ada.get(to).text


def test_archived_words_come_back_and_a_reader_sees_no_inputs(world: World) -> None:
    ada, at, steel = Panel(world).of("ada"), address(world), token(world, "steel")

    ada.post(at, {**form_in(ada.get(at).text), "archive": steel})
    assert item(world, "steel")["archived_at"] == world.clock.now
    ada.post(at, {**form_in(ada.get(at).text), "bring-back": steel})
    assert item(world, "steel")["archived_at"] is None
    page = Panel(world).of("li").get(at).text
    assert "Steel" in page
    assert f'name="en.{steel}"' not in page
    assert Panel(world).of("li").post(at, {"row": [steel], f"en.{steel}": "X"}).status_code == 403


def test_a_word_that_is_wrong_is_marked_and_the_rest_of_the_form_stays(world: World) -> None:
    ada, at, steel = Panel(world).of("ada"), address(world), token(world, "steel")
    form = form_in(ada.get(at).text)
    form[f"en.{steel}"], form[f"zh.{steel}"], form[f"aliases.{steel}"] = [""], [""], ["Mills"]

    refused = ada.post(at, form)

    assert refused.status_code == 422
    assert "is required" in refused.text
    assert form_in(refused.text)[f"aliases.{steel}"] == ["Mills"]
    assert item(world, "steel")["aliases"] == []
    assert ada.get("/admin/dictionary/words/dic_999").status_code == 404


def test_the_records_of_a_word_are_one_click_from_another_word(world: World) -> None:
    ada, _customer = Panel(world).of("ada"), world.customer("Pine", owner="li", industry="steel")
    (to,) = re.findall(r'href="([^"]+/customer/change[^"]+)"', ada.get(address(world)).text)

    page = ada.get(unescape(to)).text

    assert '<option value="industry" selected>' in page
    assert "f_industry=steel" in unescape(page)


def test_two_words_are_merged_and_parted_again(world: World) -> None:
    ada, steel, customer = Panel(world).of("ada"), token(world, "steel"), world.customer(industry="steel")
    at = f"/admin/dictionary/merge-words/{steel}"
    assert "Retail" in ada.get(at).text
    assert "itself" in ada.post(at, {"winner": steel}).text

    done = ada.post(at, {"winner": token(world, "retail"), "reason": "one is enough"})

    assert world.row(Customer, customer)["industry"] == "retail"
    page = ada.get(done.headers["location"]).text
    assert "Steel is part of it now." in page
    assert "Part of Retail" in ada.get(address(world)).text
    ada.post(done.headers["location"], {})
    assert "Everything is as it was before." in ada.get(done.headers["location"]).text
    assert world.row(Customer, customer)["industry"] == "steel"
    assert Panel(world).of("li").get(at).status_code == 403


ROWS = [TreeRow(*x) for x in (("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 0))]


@pytest.mark.parametrize(
    ("token", "how", "becomes"),
    [
        ("c", "up", "a0 c1 d2 b1 e0"),
        ("b", "down", "a0 c1 d2 b1 e0"),
        ("e", "up", "e0 a0 b1 c1 d2"),
        ("e", "in", "a0 b1 c1 d2 e1"),
        ("c", "in", "a0 b1 c2 d3 e0"),
        ("b", "out", "a0 c1 d2 b0 e0"),
        ("d", "out", "a0 b1 c1 d1 e0"),
        ("a", "in", "a0 b1 c1 d2 e0"),
        ("a", "up", "a0 b1 c1 d2 e0"),
        ("nobody", "up", "a0 b1 c1 d2 e0"),
    ],
)
def test_a_move_takes_along_what_lies_below(token: str, how: str, becomes: str) -> None:
    assert " ".join(f"{row.token}{row.depth}" for row in moved(ROWS, token, how)) == becomes


def test_a_key_is_made_of_the_label_and_taken_once() -> None:
    assert key_from("VIP customer", (), "word") == "vip_customer"
    assert key_from("热点客户", {"redian"}, "word") == "rediankehu"
    assert key_from("!?", {"word"}, "word") == "word_2"


def test_an_undoing_that_ended_half_way_can_be_asked_for_again(world: World) -> None:
    winner, loser = (row["id"] for row in world.rows(DictionaryItem)[:2])
    of = {"winner_id": winner, "loser_id": loser, "aliases": [], "by_name": "Ada Ng"}
    now = world.clock.now
    with world.backend.writer.engine.begin() as connection:
        for done_at in (None, now):
            connection.execute(insert(WordMerge).values(**of, moved=0, at=now, undone_at=now, done_at=done_at))
    merges = [global_id(WordMerge, row["id"]) for row in world.rows(WordMerge)]

    left, over = (Panel(world).of("ada").get(f"/admin/dictionary/merged-words/{id}").text for id in merges)

    assert ("Everything is as it was before." in left, "#restore" in left) == (False, True)
    assert ("Everything is as it was before." in over, "#restore" in over) == (True, False)


def test_words_of_a_custom_field_lead_to_their_records_and_to_a_change_of_all(world: World) -> None:
    customer = world.customer("Pine", owner="li")
    options(world)
    define(world, "mood", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    world.li.do(create_update.update, Customer, customer, {"custom.mood": "good"})
    ada = Panel(world).of("ada")

    page = ada.get(address(world, "satisfaction")).text

    assert 'href="/admin/customer/list?f_custom.mood=good"' in page
    (to,) = re.findall(r'href="([^"]+/customer/change[^"]+)"', page)
    form = ada.get(unescape(to)).text
    assert 'name="custom.mood"' in form
    assert rows_in(ada.get("/admin/customer/list?f_custom.mood=good").text) == [f"cus_{customer}"]
    assert "/customer/change" not in Panel(world).of("aud").get(address(world, "satisfaction")).text
