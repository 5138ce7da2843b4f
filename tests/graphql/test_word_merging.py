"""Dictionaries through the API: branches as a filter, and the merge of two words."""

import pytest

from models import Customer, Dictionary, DictionaryItem
from resolvers.reading.conditions import checked
from resolvers.runtime.ids import global_id
from tests.support.graphql import Api
from tests.support.world import World

MERGED = "mergeId moved isUnderWay dictionaryItem { key aliases } problems { code message field }"
UNDONE = "kept isUnderWay dictionaryItem { key archivedAt } problems { code message }"


def words(world: World) -> dict[str, int]:
    return {row["key"]: row["id"] for row in world.rows(DictionaryItem)}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('"steel"', ["Ash", "Beech"]),
        ('["steel"]', ["Ash", "Beech"]),
        ('["wire", "retail"]', ["Beech", "Cedar"]),
        ('"retail"', ["Cedar"]),
        ('"nothing"', []),
    ],
)
def test_a_branch_is_a_filter_by_one_word_or_several(world: World, wanted: str, found: list[str]) -> None:
    (whole,) = world.rows(Dictionary, Dictionary.code == "industry")
    world.make(DictionaryItem, dictionary_id=whole["id"], key="wire", label_en="Wire", parent_id=words(world)["steel"])
    for name, key in (("Ash", "steel"), ("Beech", "wire"), ("Cedar", "retail")):
        world.customer(name, owner="li", industry=key)

    asked = (
        f"{{ customers(filter: {{industry: {{under: {wanted}}}}}, orderBy: {{field: NAME}}) {{ nodes {{ name }} }} }}"
    )

    assert [x["name"] for x in Api(world).ask("li", asked)["customers"]["nodes"]] == found


def test_a_merge_of_words_and_its_undo(world: World) -> None:
    api, ids = Api(world), words(world)
    customer = world.customer("Otter", "li", industry="steel")
    winner, loser = (global_id(DictionaryItem, ids[key]) for key in ("retail", "steel"))
    given = {"winnerId": winner, "loserId": loser, "idempotencyKey": "once"}

    done = api.change("ada", "mergeDictionaryItems", given, MERGED)

    assert api.change("ada", "mergeDictionaryItems", given, MERGED) == done
    assert (done["moved"], done["isUnderWay"], done["problems"]) == (1, False, [])
    assert done["dictionaryItem"] == {"key": "retail", "aliases": ["Steel", "steel中"]}
    assert world.row(Customer, customer)["industry"] == "retail"
    refused = api.change("li", "mergeDictionaryItems", {"winnerId": winner, "loserId": loser}, MERGED)
    assert [x["code"] for x in refused["problems"]] == ["FORBIDDEN"]
    back = api.change("ada", "unmergeDictionaryItems", {"mergeId": done["mergeId"]}, UNDONE)
    assert back == {
        "kept": [],
        "isUnderWay": False,
        "dictionaryItem": {"key": "steel", "archivedAt": None},
        "problems": [],
    }
    assert world.row(Customer, customer)["industry"] == "steel"
    lost = api.change("ada", "unmergeDictionaryItems", {"mergeId": "wmg_999"}, UNDONE)
    assert [x["code"] for x in lost["problems"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("operand", ["steel", ["steel"]])
def test_a_stored_condition_names_one_word_or_several(operand: object) -> None:
    assert checked(Customer, {"industry": {"under": operand}}) == {"industry": {"under": ["steel"]}}
