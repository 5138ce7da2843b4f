"""A hidden field is on no page, and an edit of it changes nothing."""

from itertools import product

import pytest

from models import ENTITIES, Base, Customer
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Panel, over_records, rows_in

from .cases import signed_in
from .dataset import Dataset
from .forms import form_of
from .tables import HIDDEN_FIELDS, KINDS
from .worlds import add_policy_line


@pytest.mark.long
def test_the_phone_of_a_pooled_customer_is_on_no_page_for_who_has_a_seat_there(panel: Panel, dataset: Dataset) -> None:
    """Not in list, page, form, history, search, filter, order or dialog; those of Li's own customer are on all of them."""
    browser, _oracle = signed_in(panel, dataset, "li")
    row, mine = (dataset.world.row(Customer, dataset.ids[name]) for name in ("in north", "of li"))
    for key in ("phone", "email"):
        assert (row[key] in browser.secrets, mine[key] in browser.secrets) == (True, False)
    browser.post("/admin/preferences", {"name": "columns", "of": "customer", "value": "name,phone,email"})
    browser.post("/admin/preferences", {"name": "columns", "of": "pooled", "value": "name,phone,email,pool_id"})

    for path in ("customer/list", "pooled/list", "contact/list"):
        found = browser.get(f"/admin/{path}", {"q": row["phone"], "order": "phone"})
        assert (rows_in(found.text), found.status_code) == ([], 200)
        for order in ("phone", "-phone", "email"):
            assert browser.get(f"/admin/{path}", {"order": order}).status_code == 200
    for tab in ("contacts", "ownership", "history"):
        assert row["name"] in browser.get(f"/admin/customer/details/cus_{row['id']}", {"tab": tab}).text
    assert browser.get("/admin/customer/lookup", {"q": row["phone"]}).json() == []
    assert mine["phone"] in browser.get("/admin/customer/list").text
    assert rows_in(browser.get("/admin/customer/list", {"q": mine["phone"]}).text) == [f"cus_{mine['id']}"]


@pytest.mark.long
@pytest.mark.parametrize(
    "word", [*HIDDEN_FIELDS[:1], *(pytest.param(x, marks=pytest.mark.long) for x in HIDDEN_FIELDS[1:])]
)
@at_length_on_postgresql
def test_a_field_that_a_policy_line_hides_is_on_no_page_and_an_edit_of_it_changes_nothing(
    panel: Panel, dataset: Dataset, word: str
) -> None:
    add_policy_line(dataset.world, f"p, sales, {word}, view, all, any, deny")
    browser, oracle = signed_in(panel, dataset, "li")
    module, _, key = word.partition(".")
    model = next(model for model in ENTITIES if model.module == module)
    assert oracle.with_field(model, key) == set(), "it is hidden"

    screens = lists_that_show(model)
    for path in ("", *(f"{screen}/list" for screen in screens)):
        browser.get(f"/admin/{path}")
    for door in over_records("GET", "details", "lookup", "edit"):
        if door.view.identity in ("customer", "contact", "opportunity") or door.model is model:
            for id in oracle.kinds(door.model, "edit")[:1]:
                tabs = [{"tab": tab.name} for tab in door.view.related] if door.page == "details" else []
                for query in tabs or [{"q": "Zq"}]:
                    browser.get(door.at(global_id(door.model, id)), query)

    texts = [text for text, (kind, _, field) in dataset.canaries.items() if (kind, field) == (model, key)]
    for screen, text in product(screens, texts[:2]):
        assert rows_in(browser.get(f"/admin/{screen}/list", {"q": text}).text) == [], "nor is it found"
        assert browser.get(f"/admin/{screen}/lookup", {"q": text}).json() == []
    id = next(id for id in sorted(oracle.ids(model, "edit")) if dataset.world.row(model, id)["deleted_at"] is None)
    door = next(x for x in over_records("POST", "edit") if x.model is model)
    before = dataset.world.everything()
    form = form_of(model, dataset.world.row(model, id), dataset.world)
    browser.post(door.at(global_id(model, id)), {**form, key: "999"})
    assert dataset.world.everything() == before


def lists_that_show(model: type[Base]) -> list[str]:
    """The screens of customers and their children, and of this kind of record."""
    shown = {model, Customer, *(child for child, kind in KINDS.items() if kind.under_customer is not None)}
    return [door.view.identity for door in over_records("GET", "list") if door.model in shown and not door.view.binned]


@pytest.mark.long
@at_length_on_postgresql
def test_a_conflict_shows_what_stands_now_and_nothing_that_is_hidden(panel: Panel, dataset: Dataset) -> None:
    add_policy_line(dataset.world, "p, sales, customer.remark, view, all, any, deny")
    row = dataset.world.row(Customer, dataset.ids["of li"])
    browser, _oracle = signed_in(panel, dataset, "li")
    dataset.world.ada.do(create_update.update, Customer, row["id"], {"name": "Ada's name", "remark": "Ada's remark"})

    stale = browser.post(
        f"/admin/customer/edit/cus_{row['id']}", {**form_of(Customer, row, dataset.world), "name": "Li's name"}
    )

    assert stale.status_code == 409
    assert ("Ada&#39;s name" in stale.text, "Li&#39;s name" in stale.text) == (True, True)
    assert "remark" not in stale.text.lower().split("</main>")[0]
    assert dataset.world.row(Customer, row["id"])["name"] == "Ada's name"


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("key", ["phone", "remark"])
def test_a_field_that_one_may_see_and_not_edit_is_no_input_and_a_posted_value_changes_nothing(
    panel: Panel, dataset: Dataset, key: str
) -> None:
    add_policy_line(dataset.world, f"p, sales, customer.{key}, edit, all, any, deny")
    browser, _oracle = signed_in(panel, dataset, "li")
    row = dataset.world.row(Customer, dataset.ids["of li"])
    path = f"/admin/customer/edit/cus_{row['id']}"
    assert f'name="{key}"' not in browser.get(path).text

    done = browser.post(path, {**form_of(Customer, row, dataset.world), key: "13099999999"})

    assert done.status_code == 303
    assert dataset.world.row(Customer, row["id"])[key] == row[key]
