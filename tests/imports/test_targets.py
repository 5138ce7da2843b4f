"""What can be imported: the fields of a target derive from forms and rights, and a new column of a model joins by itself."""

from collections.abc import Iterator

import pytest

from admin.kit.labels import choice_label
from admin.kit.translation import gettext, speak
from models import Customer, DictionaryItem, FollowUp, Organisation, User
from models.choices import choices_of
from models.counting import FollowUpKind
from models.dictionary import Tone
from models.errors import Validation
from models.headings import headings_of, is_chinese
from policies import STARTER
from resolvers.access import policy_drafts
from resolvers.imports.fields import FieldKind, ImportField
from resolvers.imports.targets import (
    fields_for,
    missing,
    offered_targets,
    required_besides,
    target_of,
    targets,
)
from resolvers.imports.vocabulary import vocabulary
from resolvers.records import create_update
from resolvers.records.form_schema import settable
from tests.support.headings import fields_of
from tests.support.world import World

CODES = ("customer", "pooled_customer", "contact", "follow_up", "opportunity", "dictionary_item", "person")


def keys(world: World, login: str, code: str) -> list[str]:
    return [each.key for each in fields_for(world.scope(login), target_of(code))]


def every_field() -> Iterator[tuple[str, ImportField]]:
    for code in CODES:
        yield from ((code, each) for each in fields_of(code))


# --- what fields there are -------------------------------------------------------------------------------


def test_seven_kinds_of_records_are_imported_each_with_a_right_of_its_own() -> None:
    assert {x.code: x.right for x in targets()} == {
        "customer": "customer.import",
        "pooled_customer": "customer.import",
        "contact": "contact.import",
        "follow_up": "followup.import",
        "opportunity": "opportunity.import",
        "dictionary_item": "dictionary.import",
        "person": "user.import",
    }
    with pytest.raises(Validation) as caught:
        target_of("vehicle")
    assert caught.value.say("zh") == "不支持导入此内容。"


def test_whatever_a_form_sets_an_import_sets_too() -> None:
    for target in targets():
        inputs = {each.input for each in fields_of(target.code)}
        expected = {*settable(target.model, creating=True)} - target.without

        assert inputs - {"roles"} == expected, target.code


def test_required_fields_come_first_and_then_the_order_of_forms(world: World) -> None:
    found = keys(world, "ada", "customer")

    assert found[:4] == ["name", "number", "stage", "industry"]
    assert found[-5:] == ["contact_name", "contact_title", "contact_phone", "contact_email", "duplicate_reason"]
    required = [each.is_required for each in fields_of("follow_up")]
    assert required == sorted(required, reverse=True)
    assert keys(world, "ada", "pooled_customer")[:2] == ["name", "pool_id"]
    assert "owner_id" not in keys(world, "ada", "pooled_customer")


def test_every_field_says_what_it_holds_in_both_languages() -> None:
    for code, each in every_field():
        english, chinese = each.label
        assert english.isascii(), (code, each.key)
        assert is_chinese(chinese), (code, each.key)
        assert all(each.example), (code, each.key)
        assert each.reference is None or each.by, (code, each.key)
        assert each.kind is not FieldKind.WORD or each.dictionary, (code, each.key)
        assert each.kind is not FieldKind.CHOICE or each.choices, (code, each.key)


def test_no_two_fields_of_a_target_are_called_alike() -> None:
    for code in CODES:
        for language in (0, 1):
            labels = [each.label[language] for each in fields_of(code)]
            assert len(labels) == len(set(labels)), code


def test_every_field_has_headings_in_both_languages() -> None:
    for code, each in every_field():
        words = {form for form, *_ in headings_of(each.table, each.key)}
        assert any(is_chinese(word) for word in words), (code, each.key)
        assert any(word.isascii() for word in words), (code, each.key)


def test_a_customer_is_named_by_number_or_by_name(world: World) -> None:
    fields = {each.key: each for each in fields_for(world.ada, target_of("contact"))}

    name, number = fields["customer_id"], fields["customer_number"]
    assert (name.input, number.input) == ("customer_id", "customer_id")
    assert (name.by, number.by, number.reference) == (("number", "name"), ("number",), Customer)
    asked = [each.key for each in missing(fields.values(), ["name"])]
    assert asked == ["customer_id"]
    assert missing(fields.values(), ["name", "customer_number"]) == []


def test_the_author_of_a_follow_up_may_have_left_and_an_owner_may_not() -> None:
    authors = {code: each for code, each in every_field() if each.key == "owner_id"}

    assert {code: each.may_have_left for code, each in authors.items()} == {
        "customer": False,
        "contact": False,
        "follow_up": True,
        "opportunity": False,
    }
    assert authors["follow_up"].by == ("login", "name", "email")
    assert authors["follow_up"].label == ("Done by", "跟进人")


def test_what_is_given_once_for_all_rows_is_not_missing(world: World) -> None:
    target = target_of("pooled_customer")
    fields = fields_for(world.ada, target)

    assert [each.key for each in missing(fields, ["name"])] == ["pool_id"]
    assert missing(fields, ["name"], given=target.once) == []


def test_an_organisation_that_asks_for_contacts_asks_sheets_too(world: World) -> None:
    target = target_of("customer")
    assert world.run(world.ada.read(lambda _scope, db: required_besides(db, target))) == frozenset()

    world.system.do(create_update.update, Organisation, 1, {"contact_required": True})

    besides = world.run(world.ada.read(lambda _scope, db: required_besides(db, target)))
    fields = fields_for(world.ada, target, besides)
    assert [each.key for each in fields if each.is_required] == ["name", "contact_name", "contact_phone"]
    assert [each.key for each in missing(fields, ["name", "contact_name"])] == ["contact_phone"]


def world_word(world: World, key: str) -> int:
    return int(world.rows(DictionaryItem, DictionaryItem.__table__.c.key == key)[0]["id"])


def test_the_words_of_a_choice_begin_with_what_the_panel_calls_it() -> None:
    for kind in (FollowUpKind, Tone):
        for choice in choices_of(kind.__name__, [x.name for x in kind]):
            speak("en")
            assert choice.english == choice_label(kind[choice.member])
            speak("zh")
            assert choice.chinese == choice_label(kind[choice.member])
    speak("en")
    assert [x.chinese for x in choices_of("language", ("en", "zh"))] == ["英文", "中文"]
    assert gettext("Call") == "Call"


def test_a_dictionary_is_known_by_keys_labels_and_aliases(world: World) -> None:
    world.system.do(create_update.update, DictionaryItem, world_word(world, "retail"), {"aliases": ["电商", "Shop"]})
    words = world.run(world.li.read(vocabulary, fields_for(world.li, target_of("customer"))))

    assert {*words["industry"]} == {"retail", "retail中", "电商", "shop", "internet", "internet中", "steel", "steel中"}
    assert words["industry"]["电商"] == ("retail",)
    assert words["level"] == {}


# --- rights ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("ada", CODES),
        ("lead", ("customer", "pooled_customer", "contact", "follow_up", "opportunity")),
        ("li", ("customer", "pooled_customer", "contact", "follow_up", "opportunity")),
        ("fin", ()),
        ("aud", ()),
        ("rolf", ()),
    ],
)
def test_each_role_is_offered_what_it_may_import(world: World, login: str, expected: tuple[str, ...]) -> None:
    assert tuple(x.code for x in offered_targets(world.scope(login))) == expected


def test_a_field_that_a_user_may_not_set_is_none_of_their_sheets(world: World) -> None:
    assert "phone" in keys(world, "li", "customer")

    world.ada.do(
        policy_drafts.apply_policy, f"{STARTER}p, sales, customer.phone, edit, all, any, deny\n", "no phones by hand"
    )

    found = {each.key: each for each in fields_for(world.li, target_of("customer"))}
    assert found["phone"].is_key
    assert not found["phone"].is_written
    assert {each.key for each in found.values() if each.is_written} >= {"name", "number", "contact_phone"}
    assert next(x for x in fields_for(world.ada, target_of("customer")) if x.key == "phone").is_written


def test_who_may_only_edit_sets_what_can_change_and_finds_by_the_rest(world: World) -> None:
    lines = [line for line in STARTER.splitlines() if not line.startswith("p, support, contact")]
    world.ada.do(
        policy_drafts.apply_policy,
        "\n".join([*lines, "p, support, customer, edit, all, any, allow", ""]),
        "support keeps customers right",
    )

    found = {each.key: each for each in fields_for(world.sam, target_of("customer"))}

    assert not found["number"].is_written
    assert found["name"].is_written
    assert found.keys().isdisjoint({"owner_id", "pool_id", "contact_name"})
    assert keys(world, "fin", "dictionary_item") == []


def test_roles_of_people_need_the_right_to_give_them(world: World) -> None:
    assert "roles" in keys(world, "ada", "person")
    lines = [
        *STARTER.splitlines(),
        "p, support, user, create, all, any, allow",
        "p, support, user, edit, all, any, allow",
    ]
    world.ada.do(policy_drafts.apply_policy, "\n".join([*lines, ""]), "support takes people in")

    found = keys(world, "sam", "person")

    assert {"login", "name"} <= set(found)
    assert {"roles", "email", "capacity"}.isdisjoint(
        x.key for x in fields_for(world.sam, target_of("person")) if x.is_written
    )


def test_the_models_of_targets_are_entities_of_this_version() -> None:
    assert {target.model for target in targets()} >= {Customer, FollowUp, User}
