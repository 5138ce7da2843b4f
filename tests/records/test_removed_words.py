"""A word that is renamed, and one that is archived: what its records show, what is offered, and what a save leaves."""

from typing import Any

from models import Customer, DictionaryItem
from models.errors import Validation
from resolvers.bulk.many import create_many, update_many
from resolvers.records import create_update
from tests.support.graphql import Api
from tests.support.panel import Panel, rows_in
from tests.support.world import World


def word(world: World, key: str) -> int:
    (found,) = world.rows(DictionaryItem, DictionaryItem.key == key)
    return int(found["id"])


def change(world: World, key: str, **values: Any) -> None:
    world.system.do(create_update.update, DictionaryItem, word(world, key), values)


def test_a_renamed_word_is_renamed_everywhere_at_once(world: World) -> None:
    ids = [world.customer(f"Pine {n}", owner="li", industry="steel") for n in range(3)]

    change(world, "steel", label_en="Metals")

    page = Panel(world).of("li").get("/admin/customer/list?f_industry=steel").text
    assert {*rows_in(page)} == {f"cus_{id}" for id in ids}
    assert "Industry: Metals" in page
    assert "Steel" not in page


def test_a_removed_word_is_offered_nowhere_and_stays_where_it_is_held(world: World) -> None:
    api, id = Api(world), world.customer("Pine", owner="li", industry="steel")
    change(world, "steel", archived_at=world.clock.now)

    for address in ("create", "change?field=industry", "list"):
        page = Panel(world).of("li").get(f"/admin/customer/{address}").text
        assert 'value="retail"' in page
        assert 'value="steel"' not in page

    given = {"id": f"cus_{id}", "version": 1, "name": "Pine Ltd"}
    assert api.change("li", "updateCustomer", given, "customer { name industry }") == {
        "customer": {"name": "Pine Ltd", "industry": "steel"}
    }
    (verdict,) = world.li.do(update_many, Customer, [(id, {"remark": "called", "industry": "steel"})])
    assert verdict.refusal is None
    assert [world.row(Customer, id)[key] for key in ("remark", "industry")] == ["called", "steel"]
    page = Panel(world).of("li").get(f"/admin/customer/details/cus_{id}").text
    assert "Steel (archived)" in page


def test_a_removed_word_is_taken_by_no_door_for_a_new_record(world: World) -> None:
    change(world, "steel", archived_at=world.clock.now)
    (verdict,) = world.li.do(create_many, Customer, [{"name": "Oak", "industry": "steel"}], action="customer.import")
    refused = Api(world).change("li", "createCustomer", {"name": "Oak", "industry": "steel"}, "problems { code field }")
    form = Panel(world).of("li").post("/admin/customer/create", {"name": "Oak", "industry": "steel"})

    assert isinstance(verdict.refusal, Validation)
    assert refused["problems"] == [{"code": "NOT_IN_LIST", "field": "industry"}]
    assert form.status_code == 422
    assert world.count(Customer) == 0
