"""Another kind for a custom field: only where every stored value converts, and nothing is lost."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Customer, CustomField, Entity, FollowUp, Opportunity
from models.custom_field import CustomKind
from models.errors import Forbidden, NotFound, Validation
from resolvers.records import custom_kinds
from resolvers.records.custom_conversion import DoesNotConvert, Option, Shape, converted, convertible
from resolvers.records.custom_fields import Use, use_of
from resolvers.records.custom_kinds import ANEW
from tests.support.claim_checks import unchanged
from tests.support.custom_fields import define, options, with_lines
from tests.support.world import START, World

K = CustomKind
WORDS = {"good": Option("Good", ("good", "Good", "好", "fine")), "bad": Option("Bad", ("bad", "Bad", "差"))}


@pytest.mark.parametrize(
    ("before", "after", "stored", "wanted"),
    [
        (K.TEXT, K.NUMBER, "1,234.5", Decimal("1234.5")),
        (K.TEXT, K.MONEY, "12.30", Decimal("12.30")),
        (K.TEXT, K.DATE, "2026年3月1日", date(2026, 3, 1)),
        (K.TEXT, K.YES_NO, "是", True),
        (K.TEXT, K.SINGLE_CHOICE, " 好 ", "good"),
        (K.TEXT, K.MULTIPLE_CHOICE, "FINE", ["good"]),
        (K.NUMBER, K.MONEY, "4.5", Decimal("4.50")),
        (K.NUMBER, K.TEXT, "4.5", "4.5"),
        (K.SINGLE_CHOICE, K.TEXT, "good", "Good"),
        (K.MULTIPLE_CHOICE, K.SINGLE_CHOICE, ["bad"], "bad"),
        (K.MULTIPLE_CHOICE, K.TEXT, ["good", "bad"], "Good, Bad"),
    ],
)
def test_a_value_becomes_one_of_another_kind(before: K, after: K, stored: Any, wanted: Any) -> None:
    assert converted(Shape(before, words=WORDS), Shape(after, words=WORDS), stored) == wanted


@pytest.mark.parametrize(
    ("before", "after", "stored"),
    [
        (K.TEXT, K.NUMBER, "five"),
        (K.TEXT, K.DATE, "2026-02-30"),
        (K.TEXT, K.YES_NO, "perhaps"),
        (K.TEXT, K.SINGLE_CHOICE, "middling"),
        (K.NUMBER, K.MONEY, "4.125"),
        (K.MULTIPLE_CHOICE, K.SINGLE_CHOICE, ["good", "bad"]),
        (K.PERSON, K.TEXT, 3),
    ],
)
def test_a_value_that_would_lose_something_does_not_convert(before: K, after: K, stored: Any) -> None:
    with pytest.raises(DoesNotConvert):
        converted(Shape(before, words=WORDS), Shape(after, words=WORDS), stored)


def test_no_kind_becomes_itself_or_a_reference() -> None:
    for kind in K:
        assert {kind, K.REFERENCE, K.PERSON}.isdisjoint(convertible(kind))


def held(world: World, id: int) -> Any:
    return world.row(Customer, id)["custom"]


def test_values_are_written_anew_and_logged(world: World) -> None:
    field = define(world, "staff")
    one, two, none = (world.customer(**({"custom.staff": text} if text else {})) for text in ("12", "1,200", None))
    mark = world.mark()

    changed = world.ada.do(custom_kinds.change_kind, field, K.NUMBER)

    assert changed.kind is K.NUMBER
    assert [held(world, id) for id in (one, two, none)] == [{"staff": "12"}, {"staff": "1200"}, None]
    assert [x["changes"] for x in world.log("customer", two, mark)] == [{"custom.staff": ["1,200", "1200"]}]


def test_a_preview_names_what_does_not_convert_and_nothing_is_changed(world: World) -> None:
    field = define(world, "staff")
    ids = [world.customer(f"C{n}", **{"custom.staff": text}) for n, text in enumerate(("12", "some", "many"))]

    found = world.run(world.ada.read(custom_kinds.preview_kind, field, K.NUMBER))

    assert (found.total, found.converts, found.is_possible) == (3, 1, False)
    assert {(x.id, x.text) for x in found.stuck} == {(ids[1], "some"), (ids[2], "many")}
    with unchanged(world), pytest.raises(Validation) as caught:
        world.ada.do(custom_kinds.change_kind, field, K.NUMBER)
    assert caught.value.say("zh") == "有 2 个已有的值无法转换，请先查看预览并更正。"


def test_options_are_made_of_the_texts_that_are_there(world: World) -> None:
    field = define(world, "mood")
    first = world.customer(**{"custom.mood": "Great mood"})
    world.customer(**{"custom.mood": "不错"})

    found = world.run(world.ada.read(custom_kinds.preview_kind, field, K.SINGLE_CHOICE, ANEW))
    changed = world.ada.do(custom_kinds.change_kind, field, K.SINGLE_CHOICE, ANEW)

    assert sorted(found.options) == ["Great mood", "不错"]
    assert changed.dictionary == "customer_mood"
    assert held(world, first) == {"mood": "great_mood"}


def test_options_are_not_made_of_values_that_their_maker_does_not_see(world: World) -> None:
    field = define(world, "mood")
    world.customer("Open", "li", **{"custom.mood": "Great mood"})
    with_lines(world, "p, administrator, customer.custom.mood, view, all, any, deny")

    for use in (
        lambda: world.run(world.ada.read(custom_kinds.preview_kind, field, K.SINGLE_CHOICE, ANEW)),
        lambda: world.ada.do(custom_kinds.change_kind, field, K.SINGLE_CHOICE, ANEW),
    ):
        with unchanged(world), pytest.raises(Validation) as caught:
            use()
        assert caught.value.field == "dictionary"
        assert "Great mood" not in str(caught.value.params)


def test_a_choice_of_another_list_takes_words_of_the_same_name(world: World) -> None:
    options(world)
    field = define(world, "mood", K.SINGLE_CHOICE)
    id = world.customer(**{"custom.mood": "good"})

    with pytest.raises(Validation):
        world.ada.do(custom_kinds.change_kind, field, K.SINGLE_CHOICE, "industry")
    world.ada.do(custom_kinds.change_kind, field, K.MULTIPLE_CHOICE, "satisfaction")

    assert held(world, id) == {"mood": ["good"]}


def test_only_who_may_define_fields_looks_or_changes(world: World) -> None:
    field = define(world, "staff")

    with pytest.raises(Forbidden):
        world.run(world.li.read(custom_kinds.preview_kind, field, K.NUMBER))
    with pytest.raises(NotFound):
        world.li.do(custom_kinds.change_kind, field, K.NUMBER)
    assert world.row(CustomField, field)["kind"] is K.TEXT


@pytest.mark.parametrize("module", ["customer", "contact", "opportunity", "followup"])
def test_values_of_every_kind_of_records_are_counted_previewed_and_changed(world: World, module: str) -> None:
    customer = world.customer(owner="li")
    values: dict[str, tuple[type[Entity], dict[str, Any]]] = {
        "customer": (Customer, {"name": "Other", "owner_id": world.ids["li"]}),
        "contact": (Contact, {"customer_id": customer, "name": "Ann"}),
        "opportunity": (Opportunity, {"customer_id": customer, "name": "Deal"}),
        "followup": (FollowUp, {"customer_id": customer, "kind": "CALL", "content": "Called", "happened_at": START}),
    }
    field = define(world, "staff", module=module)
    model, given = values[module]
    id = world.make(model, **given, **{"custom.staff": "many"})
    none = 1 if module == "customer" else 0

    assert world.run(world.ada.read(use_of, field)) == Use(filled=1, missing=none)
    found = world.run(world.ada.read(custom_kinds.preview_kind, field, K.NUMBER))
    assert [(x.id, x.text) for x in found.stuck] == [(id, "many")]
    world.ada.do(custom_kinds.change_kind, field, K.SINGLE_CHOICE, ANEW)
    assert world.row(model, id)["custom"] == {"staff": "many"}
