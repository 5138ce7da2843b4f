"""Words of dictionaries as values of fields."""

import pytest

from models import Customer, Dictionary, DictionaryItem
from models.errors import Validation
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

# --- words of dictionaries -------------------------------------------------------------------------------


def asked(world: World, key: str, field: str = "industry") -> Validation:
    with pytest.raises(Validation) as caught:
        world.li.do(create_update.create, Customer, {"name": "Acme", field: key})
    return caught.value


@at_length_on_postgresql
def test_a_word_that_is_in_the_list_is_taken(world: World) -> None:
    customer = world.customer(industry=" retail ", stage="early", source="web", region="east")

    assert world.row(Customer, customer)["industry"] == "retail"


def test_an_unknown_word_is_refused_with_the_words_there_are(world: World) -> None:
    before = world.everything()

    refusal = asked(world, "farming")

    assert refusal.field == "industry"
    assert refusal.say("en") == "Industry “farming” is not in the list; choose Retail, Internet, Steel."
    assert refusal.say("zh") == "行业“farming”不在列表中，可选：retail中、internet中、steel中。"
    assert world.everything() == before


@at_length_on_postgresql
@pytest.mark.parametrize(("written", "meant"), [("retial", "retail"), ("Internet", "internet"), ("retail中", "retail")])
def test_the_word_that_was_meant_is_suggested(world: World, written: str, meant: str) -> None:
    refusal = asked(world, written)

    assert refusal.say().endswith(f"choose {meant.title()}.")
    assert refusal.params["suggestions"] == [meant]  # a client sends keys


@at_length_on_postgresql
def test_an_alias_leads_to_its_word(world: World) -> None:
    (item,) = world.rows(DictionaryItem, DictionaryItem.key == "retail")
    world.system.do(create_update.update, DictionaryItem, item["id"], {"aliases": ["电商", "shops"]})

    assert asked(world, "电商").say().endswith("choose Retail.")


@at_length_on_postgresql
def test_an_alias_of_several_words_leads_to_them_alone(world: World) -> None:
    for key in ("retail", "internet"):
        (item,) = world.rows(DictionaryItem, DictionaryItem.key == key)
        world.system.do(create_update.update, DictionaryItem, item["id"], {"aliases": ["电商"]})

    refusal = asked(world, "电商")

    assert refusal.say() == "Industry “电商” is not in the list; choose Retail or Internet."
    assert refusal.say("zh") == "行业“电商”不存在，请选择“retail中”或“internet中”。"
    assert refusal.params["suggestions"] == ["retail", "internet"]


@at_length_on_postgresql
def test_a_dictionary_without_words_says_so(world: World) -> None:
    assert asked(world, "vip", "level").say() == "Level “vip” is not in the list, which is empty."


def test_an_archived_word_is_not_taken_anew_but_may_stay(world: World) -> None:
    customer = world.customer(industry="steel")
    (item,) = world.rows(DictionaryItem, DictionaryItem.key == "steel")
    world.system.do(create_update.update, DictionaryItem, item["id"], {"archived_at": world.clock.now})

    assert asked(world, "steel").say() == "Industry “steel” is not in the list; choose Retail, Internet."
    world.li.do(create_update.update, Customer, customer, {"industry": "steel", "name": "New"}, 1)

    assert world.row(Customer, customer)["name"] == "New"


@at_length_on_postgresql
def test_a_wider_word_is_not_below_the_narrower_one(world: World) -> None:
    (retail,) = world.rows(DictionaryItem, DictionaryItem.key == "retail")
    shoes = world.make(
        DictionaryItem, dictionary_id=retail["dictionary_id"], key="shoes", label_en="Shoes", parent_id=retail["id"]
    )
    (early,) = world.rows(DictionaryItem, DictionaryItem.key == "early")
    before = world.everything()

    for id, above in ((retail["id"], shoes), (retail["id"], retail["id"]), (shoes, early["id"])):
        with pytest.raises(Validation) as caught:
            world.ada.do(create_update.update, DictionaryItem, id, {"parent_id": above})
        assert caught.value.field == "parentId"

    assert world.everything() == before


@at_length_on_postgresql
def test_a_key_is_one_of_its_kind_in_its_dictionary(world: World) -> None:
    other = world.make(Dictionary, code="colour", name="Colour")

    assert world.make(DictionaryItem, dictionary_id=other, key="retail", label_en="Retail")
