"""Custom fields: defined with options, changed, put in order, retired and brought back."""

from threading import Event, Thread
from time import sleep
from typing import Any

import pytest

from models import CustomField, Dictionary, DictionaryItem, FieldBook
from models.errors import Forbidden, InUse, Refusal, Validation
from resolvers.records import custom_fields
from resolvers.records.create_update import create, delete, update
from resolvers.records.word_tree import counts_of
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import codes, unchanged
from tests.support.custom_fields import refresh
from tests.support.world import World

GOOD = {"label_en": "Very good", "label_zh": "非常满意", "aliases": ["5"]}
POOR = {"label_en": "Poor", "label_zh": "不满意"}
SATISFACTION = {
    "for_module": "customer",
    "kind": "SINGLE_CHOICE",
    "label_en": "Satisfaction",
    "label_zh": "客户满意度评分",
    "is_required": True,
}


def define(world: World, by: str = "ada", **given: Any) -> CustomField:
    values = {
        "for_module": "customer",
        "kind": "TEXT",
        **({} if "label_zh" in given else {"label_en": "Size"}),
        **given,
    }
    field: CustomField = world.scope(by).do(create, CustomField, values)
    return field


def options(world: World, code: str | None) -> list[tuple[str, str, bool]]:
    """(key, label, is it archived) of the words of a dictionary, in order."""
    dictionary = world.rows(Dictionary, Dictionary.code == code)[0]["id"]
    items = world.rows(DictionaryItem, DictionaryItem.dictionary_id == dictionary)
    ordered = sorted(items, key=lambda x: (x["archived_at"] is not None, x["position"]))
    return [(x["key"], x["label_en"], x["archived_at"] is not None) for x in ordered]


def refused(world: World, by: str = "ada", **given: Any) -> Refusal:
    with unchanged(world), pytest.raises(Refusal) as caught:
        define(world, by, **given)
    return caught.value


def test_a_choice_comes_with_its_options_in_one_transaction(world: World) -> None:
    field = define(world, **SATISFACTION, options=[GOOD, POOR])

    assert (field.key, field.position) == ("satisfaction", 1)
    assert options(world, field.dictionary) == [("very_good", "Very good", False), ("poor", "Poor", False)]
    assert {x["action"] for x in world.log("dictionary_item")} == {"dictionary.create"}


def test_a_key_is_made_of_a_chinese_name_and_is_never_twice(world: World) -> None:
    first, second = (define(world, label_zh="客户规模") for _ in range(2))

    assert [first.key, second.key] == ["kehuguimo", "kehuguimo_2"]
    assert (first.label_en, second.position) == ("客户规模", 2)


def test_a_choice_may_have_a_dictionary_that_is_there(world: World) -> None:
    assert define(world, kind="MULTIPLE_CHOICE", dictionary="industry").dictionary == "industry"


@pytest.mark.parametrize(
    ("given", "field", "chinese"),
    [
        ({"for_module": "pool"}, "forModule", "选择"),
        ({"kind": "SINGLE_CHOICE"}, "options", "至少"),
        ({"kind": "SINGLE_CHOICE", "options": [{}]}, "options", "名称"),
        ({"kind": "SINGLE_CHOICE", "options": [GOOD, {**GOOD, "key": "other"}]}, "options", "重复"),
        ({"kind": "SINGLE_CHOICE", "dictionary": "nowhere"}, "dictionary", "数据字典"),
        ({"dictionary": "industry"}, "dictionary", "选项"),
        ({"options": [GOOD]}, "options", "选项"),
        ({"kind": "REFERENCE", "target": "pool"}, "target", "选择"),
        ({"kind": "REFERENCE"}, "target", "选择"),
        ({"key": "Not a key"}, "key", "小写字母"),
        ({"label_zh": " "}, "labelEn", "必填"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused_in_words(
    world: World, given: dict[str, Any], field: str, chinese: str
) -> None:
    refusal = refused(world, **given)

    assert refusal.field == field
    assert chinese in refusal.say("zh")


def test_only_who_may_define_fields_does(world: World) -> None:
    assert isinstance(refused(world, "li"), Forbidden)


def test_options_are_renamed_reordered_added_and_archived_by_one_edit(world: World) -> None:
    field = define(world, **SATISFACTION, options=[GOOD, POOR])
    given = [POOR, {"label_en": "Fair"}, {"key": "very_good", "label_en": "Excellent", "is_archived": True}]

    world.ada.do(update, CustomField, field.id, {"options": given[:1]}, field.version)
    assert [x[0] for x in options(world, field.dictionary)] == ["poor", "very_good"]

    world.ada.do(update, CustomField, field.id, {"options": given}, field.version)
    assert options(world, field.dictionary) == [
        ("poor", "Poor", False),
        ("fair", "Fair", False),
        ("very_good", "Excellent", True),
    ]


def test_a_kind_is_not_changed_like_a_name(world: World) -> None:
    field = define(world)

    with unchanged(world), pytest.raises(Validation) as caught:
        world.ada.do(update, CustomField, field.id, {"kind": "NUMBER"}, field.version)
    assert caught.value.field == "kind"


def test_a_retired_field_comes_back(world: World) -> None:
    field = define(world)

    assert world.ada.do(custom_fields.retire, [field.id]).ids == [field.id]
    assert world.row(CustomField, field.id)["retired_at"] is not None
    assert codes(world.ada.do(custom_fields.retire, [field.id])) == ["VALIDATION"]
    assert world.ada.do(custom_fields.bring_back, [field.id]).ids == [field.id]

    assert world.row(CustomField, field.id)["retired_at"] is None
    assert [x["action"] for x in world.log("custom_field", field.id)][1:] == [
        "customfield.retire",
        "customfield.bring_back",
    ]


def test_fields_are_put_in_order_and_the_others_follow(world: World) -> None:
    one, two, three = (define(world, label_en=f"Field {n}").id for n in range(3))
    other = define(world, for_module="contact").id

    assert world.ada.do(custom_fields.arrange, [three]) == [three, one, two]
    assert [world.row(CustomField, id)["position"] for id in (three, one, two)] == [1, 2, 3]
    with pytest.raises(Validation):
        world.ada.do(custom_fields.arrange, [one, other])


def test_a_field_whose_values_records_hold_is_retired_not_deleted(world: World) -> None:
    field, empty = define(world), define(world, label_en="Empty")
    world.customer(**{"custom.size": "Large"})

    assert isinstance(world.ada.do(delete, CustomField, [field.id]).problems[0], InUse)
    assert world.ada.do(delete, CustomField, [empty.id]).ids == [empty.id]


def test_the_first_two_fields_are_defined_at_the_same_moment(world: World) -> None:
    given, inside = {"kind": "TEXT", "label_en": "Size"}, Event()

    def slowly(scope: Scope) -> None:
        with scope.write("customfield.create"):
            create(scope, CustomField, {**given, "for_module": "customer"})
            inside.set()
            sleep(0.3)

    first = Thread(target=lambda: world.scope("ada").do(slowly))
    first.start()
    assert inside.wait(5)
    world.scope("ada").do(create, CustomField, {**given, "for_module": "contact"})
    first.join()

    assert {row["for_module"] for row in world.rows(CustomField)} == {"customer", "contact"}
    assert world.count(FieldBook) == 1


@pytest.mark.parametrize("kind", ["SINGLE_CHOICE", "MULTIPLE_CHOICE"])
def test_the_words_of_a_choice_stay_while_they_are_held_and_its_dictionary_while_it_is_there(
    world: World, kind: str
) -> None:
    field = define(world, **{**SATISFACTION, "kind": kind}, options=[GOOD, POOR])
    refresh(world)
    world.customer(owner="li", **{"custom.satisfaction": "poor" if kind == "SINGLE_CHOICE" else ["poor"]})
    dictionary = world.rows(Dictionary, Dictionary.code == field.dictionary)[0]["id"]
    words = {row["key"]: row["id"] for row in world.rows(DictionaryItem, DictionaryItem.dictionary_id == dictionary)}

    assert codes(world.ada.do(delete, DictionaryItem, [words["poor"]])) == ["IN_USE"]
    assert world.ada.do(delete, DictionaryItem, [words["very_good"]]).ids == [words["very_good"]]
    assert world.run(world.ada.read(counts_of, field.dictionary)) == {"poor": 1}
    assert codes(world.ada.do(delete, Dictionary, [dictionary])) == ["VALIDATION"]
