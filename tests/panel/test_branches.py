"""Words in branches: a filter by a word finds those below it, the bars of Home count by branch, archived words say so."""

from models import Customer, DictionaryItem
from resolvers.records import create_update
from tests.support.panel import Panel, rows_in
from tests.support.tree import classified
from tests.support.world import World


def test_a_word_finds_the_customers_of_all_words_below_it(world: World) -> None:
    ids, ada = classified(world), Panel(world).of("ada")

    page = ada.get("/admin/customer/list?f_category=prospect").text

    assert {*rows_in(page)} == {f"cus_{ids[name]}" for name in ("Ash", "Beech", "Cedar", "Fir")}
    assert "Category: Prospect and below" in page
    one = ada.get("/admin/customer/list?f_category=soon").text
    assert {*rows_in(one)} == {f"cus_{ids['Ash']}", f"cus_{ids['Fir']}"}
    assert "Soon and below" in one


def test_the_bars_of_home_count_by_branch_and_lead_to_the_same_customers(world: World) -> None:
    classified(world)
    ada = Panel(world).of("ada")

    page = ada.get("/admin/").text
    part = page.partition("Customers by classification</h2>")[2].partition("</section>")[0]

    assert part.index("Prospect") < part.index("Formal")
    assert 'href="/admin/customer/list?f_category=prospect"' in part
    assert part.count("<li>") == 2
    assert '<span class="bar-value">4</span>' in part


def test_an_archived_word_stays_readable_is_marked_and_not_blanked(world: World) -> None:
    ids, ada = classified(world), Panel(world).of("ada")
    world.system.do(create_update.update, DictionaryItem, ids["soon"], {"archived_at": world.clock.now})
    address = f"/admin/customer/edit/cus_{ids['Ash']}"

    form, page = ada.get(address).text, ada.get(f"/admin/customer/details/cus_{ids['Ash']}").text

    assert "Soon (archived)" in page
    assert '<option selected value="soon">Soon (archived)</option>' in form
    assert 'value="soon"' not in ada.get(f"/admin/customer/edit/cus_{ids['Date']}").text

    ada.post(address, {"version": "1", "name": "Ash Ltd", "category": "soon"})  # what the form holds, sent back

    assert [world.row(Customer, ids["Ash"])[key] for key in ("name", "category")] == ["Ash Ltd", "soon"]
